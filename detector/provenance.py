"""Where a file says it comes from: what its container tells, and its Content Credentials (C2PA).

All of it is what somebody wrote into the file, shortened to plain text. Content Credentials are read in a
limited child of their own, beside the decoder; whatever goes wrong there is said in the result and costs
nothing else.
"""

import contextlib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import BinaryIO

from detector.child import LimitedChild, Message
from detector.codes import Failure
from detector.config import DetectorConfig, Limits
from detector.errors import AnalysisError
from detector.result import Credentials, CredentialStatus, Provenance, StopHook, StreamFacts, Tag

CREDENTIALS_WALL_S, CREDENTIALS_CPU_S = 20.0, 20
LONGEST_TEXT = 400
MOST_ENTRIES = 40
ABSENT = (
    "The file holds no Content Credentials. Their absence proves nothing: most cameras and programs "
    "write none."
)


UNREAD = Credentials(
    CredentialStatus.UNREAD, "The Content Credentials could not be read, so nothing is known of them."
)


class CredentialsReading:
    """A child that reads, from the moment this is made. Without Content Credentials there is no child."""

    def __init__(self, child: LimitedChild | None) -> None:
        self._child = child

    def collect(self) -> Credentials:
        """Wait for what it found. Raises the AnalysisError of a caller that wants to stop, and no other."""
        if self._child is None:
            return Credentials(CredentialStatus.NONE, ABSENT)
        try:
            return credentials_of(self._child.message())
        except AnalysisError as error:
            if error.code == Failure.CANCELLED:
                raise
            return UNREAD


@contextlib.contextmanager
def reading_credentials(
    file: BinaryIO, facts: Message, config: DetectorConfig, should_stop: StopHook | None = None
) -> Iterator[CredentialsReading]:
    """Start to read the Content Credentials of an open clip, where its facts say that it holds some."""
    if facts.get("credentials") is not True:
        yield CredentialsReading(None)
        return
    with contextlib.ExitStack() as stack:
        trust = _trust_list(config.trust_list)
        files = [file] if trust is None else [file, stack.enter_context(trust)]
        job: Message = {"kind": "credentials", "file": file.fileno(), "trust": trust and trust.fileno()}
        child = LimitedChild(job, limits=_limits(config.limits), files=files, should_stop=should_stop)
        yield CredentialsReading(stack.enter_context(child))


def _trust_list(path: Path | None) -> BinaryIO | None:
    try:
        return path.open("rb", buffering=0) if path else None
    except OSError:  # the clip's status then is untrusted, which is true
        return None


def _limits(limits: Limits) -> Limits:
    return replace(
        limits,
        decode_wall_s=min(CREDENTIALS_WALL_S, limits.decode_wall_s),
        decode_cpu_s=min(CREDENTIALS_CPU_S, limits.decode_cpu_s),
    )


def credentials_of(message: Message) -> Credentials:
    """What the child found. It isn't trusted: what makes no sense counts as not read."""
    try:
        return Credentials(
            status=CredentialStatus(message["status"]),
            reason=_text(message["reason"]),
            actions=tuple(map(_text, _entries(message["actions"]))),
            **{key: _text(message[key]) for key in ("signer", "generator", "title", "signed_at")},
        )
    except (KeyError, TypeError, ValueError):
        return UNREAD


def provenance_of(facts: Message, credentials: Credentials) -> Provenance:
    """What the decoder said of the container, with the Content Credentials."""
    try:
        said: Mapping[str, object] = dict(facts["container_facts"])
        return Provenance(
            container_read=True,
            brand=_text(said["brand"]),
            created=_text(said["created"]),
            streams=tuple(StreamFacts(*map(_text, _entries(entry))) for entry in _entries(said["streams"])),
            tags=tuple(Tag(*map(_text, _entries(entry))) for entry in _entries(said["tags"])),
            tools=tuple(map(_text, _entries(said["tools"]))),
            credentials=credentials,
        )
    except (KeyError, TypeError, ValueError):
        return Provenance(False, "", "", (), (), (), credentials)


def _entries(value: object) -> Sequence[object]:
    if not isinstance(value, list):
        raise TypeError(f"not a list: {value!r}")
    return value[:MOST_ENTRIES]


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError(f"not a text: {value!r}")
    return value[:LONGEST_TEXT]
