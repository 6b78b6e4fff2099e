"""The audit log: what moderators and administrators did, as a chain of hashes.

    record(actor=moderator, action="overrule", target=Target("analysis", analysis.uuid),
           before={"decision": None}, after={"decision": "fake"}, reason="The original was found.")

belongs in the transaction of what it records: both happen or neither does. Whoever can write to the database
can rewrite the whole chain, but not behind the back of somebody who noted its newest hash.
"""

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from typing import Any
from uuid import UUID

from django.db import connection, transaction
from django.utils import timezone

from accounts.models import AuditEntry, User

NOTHING = "0" * 64
"""What stands before the first entry."""
LOCK = 0x7275_7468
"""Names this chain among PostgreSQL's advisory locks."""


@dataclass(frozen=True, slots=True)
class Target:
    """What was acted upon: its kind, like "analysis" or "user", and its UUID, or its key for want of one."""

    kind: str
    uuid: UUID | str


@dataclass(frozen=True, slots=True)
class Chain:
    """What a check of the chain found. ``broken`` is the first entry that doesn't fit; None: all do."""

    entries: int
    head: str
    broken: AuditEntry | None
    holds_noted: bool


def record(
    *,
    actor: User | None,
    action: str,
    target: Target,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
    reason: str = "",
) -> AuditEntry:
    """Append an entry. ``actor`` is None where the site acted by itself, by its policy.

    ``before`` and ``after`` hold what JSON can.
    """
    with transaction.atomic():
        _wait_for_others()
        newest = AuditEntry.objects.order_by("-pk").first()
        entry = AuditEntry(
            at=timezone.now(),
            actor=actor.uuid if actor else None,
            action=action,
            target_kind=target.kind,
            target=str(target.uuid),
            before=dict(before or {}),
            after=dict(after or {}),
            reason=reason,
            previous_hash=newest.hash if newest else NOTHING,
        )
        entry.hash = hash_of(entry)
        entry.save()
    return entry


def verify(noted: str = "") -> Chain:
    """Follow the chain from its first entry. ``noted``: a hash that somebody wrote down earlier."""
    previous, count, found = NOTHING, 0, not noted or noted == NOTHING
    for entry in entries():
        if entry.previous_hash != previous or hash_of(entry) != entry.hash:
            return Chain(count, previous, entry, found)
        previous, count = entry.hash, count + 1
        found = found or entry.hash == noted
    return Chain(count, previous, None, found)


def entries() -> Iterator[AuditEntry]:
    """All of them, oldest first, in the same memory however many there are."""
    return AuditEntry.objects.order_by("pk").iterator(chunk_size=1000)


def facts(entry: AuditEntry) -> dict[str, Any]:
    """What an entry says, as an export holds it and as its hash covers it."""
    return {
        "at": entry.at.isoformat(),
        "actor": str(entry.actor) if entry.actor else None,
        "action": entry.action,
        "target_kind": entry.target_kind,
        "target": entry.target,
        "before": entry.before,
        "after": entry.after,
        "reason": entry.reason,
        "previous_hash": entry.previous_hash,
    }


def hash_of(entry: AuditEntry) -> str:
    """SHA-256 over the facts as JSON, with sorted names and without spaces."""
    text = json.dumps(facts(entry), sort_keys=True, separators=(",", ":"), ensure_ascii=True)
    return sha256(text.encode()).hexdigest()


def _wait_for_others() -> None:
    """One writer at a time, until the end of the transaction. SQLite has no more than one anyway."""
    if connection.vendor == "postgresql":
        with connection.cursor() as cursor:
            cursor.execute("SELECT pg_advisory_xact_lock(%s)", [LOCK])
