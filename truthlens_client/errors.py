"""What can go wrong, in words for people."""

import httpx


class Unreachable(Exception):
    """The site did not answer."""


class ApiError(Exception):
    """The site refused. ``code`` is stable; the message is its sentence and what to do about it."""

    def __init__(self, status: int, code: str, message: str) -> None:
        super().__init__(message)
        self.status, self.code = status, code


def error_of(response: httpx.Response) -> ApiError:
    """Of a problem document, or of whatever else stands between us and the site."""
    try:
        problem = response.json()
        code, words = str(problem["code"]), [problem["detail"], problem.get("hint", "")]
    except (ValueError, KeyError, TypeError):
        code, words = "http_error", [f"The site answered {response.status_code} {response.reason_phrase}."]
    return ApiError(response.status_code, code, " ".join(filter(None, words)))
