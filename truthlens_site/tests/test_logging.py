import logging

import pytest

from truthlens_site.logging import LineFormatter, log_settings


@pytest.mark.parametrize(
    "line",
    [
        "GET /shared/SECRET/",
        "Not Found: /shared/SECRET/evidence/1.png",
        '"GET /shared/SECRET?x=1"',
        "at /shared/SECRET",
    ],
)
def test_no_line_keeps_the_token_of_a_shared_result(line: str) -> None:
    record = logging.LogRecord("django.request", logging.WARNING, __file__, 1, "%s", (line,), None)
    written = LineFormatter("%(message)s").format(record)
    assert written == line.replace("SECRET", "[hidden]")


def test_a_traceback_is_cleaned_too() -> None:
    try:
        raise ValueError("/shared/SECRET/video")
    except ValueError as error:
        record = logging.LogRecord(
            "x", logging.ERROR, __file__, 1, "failed", None, (type(error), error, None)
        )
    assert LineFormatter("%(message)s").format(record).endswith("ValueError: /shared/[hidden]/video")


def test_every_line_of_the_site_is_written_so() -> None:
    settings = log_settings("INFO")
    assert {handler["formatter"] for handler in settings["handlers"].values()} == {"line"}
    assert settings["formatters"]["line"]["()"] is LineFormatter
