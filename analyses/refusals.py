"""What is said of what isn't taken or can't be given: one sentence, what to do, and the status with it.

The codes of files and analyses are the detector's; ``REFUSALS`` holds those of requests.
"""

from dataclasses import dataclass, field

from django.conf import settings
from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

from analyses.detection import FAILURE_SENTENCES, Failure
from analyses.quotas import Quota, QuotaExceeded
from analyses.templatetags.figures import moment, span
from analyses.uploads import UploadRejected
from analyses.wording import FAILURE_STEPS, QUOTA_HINTS, QUOTA_SENTENCES, REFUSAL_HINTS, UNTIL_THEN

STATUS = {Failure.TOO_LARGE: 413, Failure.NO_WEIGHTS: 503}
ENDED_STATUS = {
    Failure.TOO_LARGE: 413,
    Failure.CANCELLED: 409,
    Failure.CRASHED: 500,
    Failure.WORKER_LOST: 503,
    Failure.NO_WEIGHTS: 503,
    Failure.TIMED_OUT: 504,
}
"""Of an analysis that ended without a result, where the answer to a request is that result; else 422."""


@dataclass(frozen=True, slots=True)
class Refusal:
    """``sentence`` is the same whenever it happens; ``hint`` is what to do about it, or empty."""

    status: int
    sentence: str
    hint: str = ""


REFUSALS: dict[str, Refusal] = {
    "malformed": Refusal(400, "The request can’t be read."),
    "invalid": Refusal(400, "A value can’t be taken."),
    "not_authenticated": Refusal(
        401, "You need a token or must be logged in.", "Send the header “Authorization: Token ...”."
    ),
    "bad_token": Refusal(
        401, "This token opens nothing.", "It may have expired or been revoked. Make a new one on the site."
    ),
    "forbidden": Refusal(403, "You may not do this."),
    "csrf_failed": Refusal(
        403, "A page’s session needs the page’s own proof.", "Send X-CSRFToken, or use a token."
    ),
    "read_only_token": Refusal(
        403, "This token may only read.", "Make a token that may also submit, cancel and delete."
    ),
    "not_found": Refusal(
        404, "There is nothing here for you.", "Check the address; most of them end in a slash."
    ),
    "method_not_allowed": Refusal(405, "This address doesn’t take that method."),
    "not_finished": Refusal(409, "This analysis has not finished.", "Ask again later."),
    "no_result": Refusal(409, "This analysis ended without a result.", "Its failure says why."),
    "too_many_webhooks": Refusal(
        409, "You have as many webhooks as one may have.", "Delete one that you no longer need first."
    ),
    "webhook_off": Refusal(409, "This webhook is off.", "Turn it on first."),
    "on_hold": Refusal(409, "This is on hold.", "Lift the hold first."),
    "key_in_use": Refusal(
        409, "The first request with this Idempotency-Key is still under way.", "Send it again later."
    ),
    "wrong_offset": Refusal(
        409, "The piece doesn’t begin where the last one ended.", "Ask with HEAD where to go on."
    ),
    "upload_gone": Refusal(410, "Nothing more of this upload is taken.", "Begin a new one."),
    "length_required": Refusal(411, "The length of the piece must be known."),
    "wrong_tus_version": Refusal(412, "Uploads speak tus 1.0.0.", "Send “Tus-Resumable: 1.0.0”."),
    "request_too_large": Refusal(413, "The request is too large."),
    "unsupported_media_type": Refusal(415, "The request’s content type isn’t taken here."),
    "key_reused": Refusal(
        422, "This Idempotency-Key was sent with another request.", "Use a new key for every new request."
    ),
    "upload_busy": Refusal(423, "Another request writes to this upload.", "Send the piece again later."),
    "too_many_requests": Refusal(429, "Too many requests.", "Wait as long as Retry-After says."),
    "too_many_uploads": Refusal(
        429, _("Too many uploads are under way."), _("Finish or discard some of them first.")
    ),
    "checksum_mismatch": Refusal(460, "The piece doesn’t have this checksum.", "Send it again."),
    "quota_analyses": Refusal(429, QUOTA_SENTENCES["analyses"]),
    "quota_minutes": Refusal(429, QUOTA_SENTENCES["minutes"]),
    "quota_storage": Refusal(413, QUOTA_SENTENCES["storage"], QUOTA_HINTS["storage"]),
    "quota_running": Refusal(429, QUOTA_SENTENCES["running"], QUOTA_HINTS["running"]),
    "storage_away": Refusal(503, "The stored files can’t be reached for now.", "Try again in a minute."),
    "disk_full": Refusal(
        507, _("The disk of this site is full."), _("Nothing is wrong with your file. Try again later.")
    ),
    "server_error": Refusal(500, "Something went wrong here.", "It was noted. Try again later."),
}


def refusal_of(code: str) -> Refusal:
    """Of a request's code or a failure code."""
    if code in REFUSALS:
        return REFUSALS[code]
    failure = Failure(code)
    return Refusal(status_of(failure), FAILURE_SENTENCES[failure], REFUSAL_HINTS.get(failure, ""))


def problem_of(code: Failure) -> dict[str, str]:
    message, hint = gettext(FAILURE_SENTENCES[code]), gettext(REFUSAL_HINTS.get(code, ""))
    return {"code": str(code), "message": message, "hint": hint}


def status_of(code: Failure) -> int:
    return STATUS.get(code, 400)


def ended_refusal(code: Failure) -> Refusal:
    """Of an analysis that ended without a result."""
    return Refusal(ENDED_STATUS.get(code, 422), FAILURE_SENTENCES[code], FAILURE_STEPS[code][0])


@dataclass(frozen=True, slots=True)
class Answer:
    """How a page and its scripts are answered: ``problem`` has a code, a message and a hint."""

    problem: dict[str, str]
    status: int
    headers: dict[str, str] = field(default_factory=dict)


def answer_to(error: UploadRejected | QuotaExceeded) -> Answer:
    if isinstance(error, UploadRejected):
        return answer_of(error.code)
    code, wait = f"quota_{error.quota}", error.retry_after_s
    refusal = REFUSALS[code]
    return Answer(
        problem={"code": code, "message": gettext(refusal.sentence), "hint": _quota_hint(error)},
        status=refusal.status,
        headers={} if wait is None else {"Retry-After": str(wait)},
    )


def answer_of(code: Failure) -> Answer:
    return Answer(problem_of(code), status_of(code))


def disk_full() -> Answer:
    return _answer_of_request("disk_full")


def too_many_uploads() -> Answer:
    return _answer_of_request("too_many_uploads")


def _answer_of_request(code: str) -> Answer:
    refusal = REFUSALS[code]
    problem = {"code": code, "message": gettext(refusal.sentence), "hint": gettext(refusal.hint)}
    return Answer(problem, refusal.status)


def _quota_hint(error: QuotaExceeded) -> str:
    """What to do, or from when on it is possible again."""
    if error.quota == Quota.MINUTES and error.waits_for_own:
        return gettext(UNTIL_THEN).format(longest=span(settings.MAX_VIDEO_DURATION_S))
    frees_at = moment(error.frees_at) if error.frees_at else ""
    return gettext(QUOTA_HINTS[error.quota]).format(frees_at=frees_at)
