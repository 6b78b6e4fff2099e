"""What is said of an upload that isn't taken: one sentence, what to do, and the status that goes with it."""

from analyses.detection import FAILURE_SENTENCES, Failure
from analyses.wording import REFUSAL_HINTS

STATUS = {Failure.TOO_LARGE: 413, Failure.NO_WEIGHTS: 503}


def problem_of(code: Failure) -> dict[str, str]:
    return {"code": str(code), "message": FAILURE_SENTENCES[code], "hint": REFUSAL_HINTS.get(code, "")}


def status_of(code: Failure) -> int:
    return STATUS.get(code, 400)
