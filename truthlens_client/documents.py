"""What the API answers, as values with types."""

from dataclasses import dataclass
from typing import Any

FINISHED = ("done", "failed", "cancelled")


@dataclass(frozen=True, slots=True)
class Analysis:
    """``verdict`` is real, fake or inconclusive once ``state`` is done, ``failure`` a code once it is failed.

    ``stage`` with ``done`` of ``total`` says how far it is. ``document`` is all that the API said.
    """

    uuid: str
    url: str
    state: str
    name: str
    verdict: str | None
    fake_probability: float | None
    failure: str
    message: str
    stage: str
    done: int
    total: int
    document: dict[str, Any]

    @property
    def is_finished(self) -> bool:
        return self.state in FINISHED


def analysis_of(document: dict[str, Any]) -> Analysis:
    """Of an entry of the list too, which says nothing of how far it is."""
    failure = document["failure"] or {"code": "", "message": ""}
    progress = document.get("progress", {"stage": "", "done": 0, "total": 0})
    return Analysis(
        uuid=document["uuid"],
        url=document["url"],
        state=document["state"],
        name=document["video"]["name"],
        verdict=document["verdict"],
        fake_probability=document["fake_probability"],
        failure=failure["code"],
        message=failure["message"],
        stage=progress["stage"],
        done=progress["done"],
        total=progress["total"],
        document=document,
    )
