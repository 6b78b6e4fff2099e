"""Error reports to Sentry, or to what speaks its language, where the settings name one.

A report carries the traceback and where it was: no local variables, no headers, no bodies, no addresses with
their queries, no user. What is left of texts goes through the same scrubbing as the log.
"""

from collections.abc import Mapping, Sequence
from typing import Any

from analyses.log_context import current, part
from truthlens_site.logging import scrubbed


def start_reporting(dsn: str, *, production: bool) -> None:
    import sentry_sdk  # a site without it does not pay for it

    sentry_sdk.init(
        dsn=dsn,
        environment="production" if production else "local",
        send_default_pii=False,
        include_local_variables=False,
        max_request_body_size="never",
        max_breadcrumbs=0,
        traces_sample_rate=0.0,
        server_name=part(),
        before_send=cleaned_report,  # type: ignore[arg-type]
    )


def cleaned_report(report: dict[str, Any], hint: object = None) -> dict[str, Any]:
    """The report without whom it was about, and with the names that the log knows it by."""
    method = report.get("request", {}).get("method")
    kept = {name: value for name, value in report.items() if name not in ("user", "request", "extra")}
    cleaned: dict[str, Any] = _scrubbed(kept)
    cleaned["tags"] = {**cleaned.get("tags", {}), "part": part(), **current()}
    if method:
        cleaned["request"] = {"method": method}
    return cleaned


def _scrubbed(value: Any) -> Any:
    """All texts in it, however deep."""
    if isinstance(value, str):
        return scrubbed(value)
    if isinstance(value, Mapping):
        return {name: _scrubbed(entry) for name, entry in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, bytes):
        return [_scrubbed(entry) for entry in value]
    return value
