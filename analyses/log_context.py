"""What a line of the log is about: the request and the analysis at hand, in whichever process it is written.

Standard library alone, because the settings read it. The names travel with the work: from the page that
queues an analysis to the worker's job, and from there to the inference child.
"""

import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar

REQUEST, ANALYSIS = "request_id", "analysis_id"
PART_VARIABLE = "TRUTHLENS_PART"
"""Names the part of the site that a process is."""
_about: ContextVar[Mapping[str, str]] = ContextVar("about", default={})  # noqa: B039 (never changed in place)


def be_part(name: str) -> None:
    """This process is a part of the site from now on, such as ``worker``."""
    os.environ[PART_VARIABLE] = name


def part() -> str:
    return os.environ.get(PART_VARIABLE, "command")


def current() -> Mapping[str, str]:
    """The names in force, such as ``{"request_id": "..."}``."""
    return _about.get()


@contextmanager
def bound(names: Mapping[str, str | None]) -> Iterator[None]:
    """Lines that are written in the block are about these too; what is empty is left out."""
    token = _about.set({**_about.get(), **{name: value for name, value in names.items() if value}})
    try:
        yield
    finally:
        _about.reset(token)
