"""The audit log: what it keeps, that nothing changes it, and that tampering shows."""

import json
from pathlib import Path
from uuid import uuid4

import pytest
from django.core.management import CommandError, call_command
from django.db import connection, transaction

from accounts import audit
from accounts.audit import Target
from accounts.managers import AppendOnly
from accounts.models import AuditEntry, User
from truthlens_site.tests.site import printed_by

pytestmark = pytest.mark.django_db
TARGET = Target("analysis", uuid4())


def record_some(actor: User, count: int = 3) -> list[AuditEntry]:
    return [
        audit.record(actor=actor, action="overrule", target=TARGET, after={"to": number}, reason="Größe 😀")
        for number in range(count)
    ]


def test_an_entry_says_who_did_what_to_what_and_when(alice: User) -> None:
    entry = audit.record(
        actor=alice, action="suspend", target=TARGET, before={"active": True}, after={"active": False}
    )
    kept = audit.facts(AuditEntry.objects.get())
    assert kept["actor"] == str(alice.uuid)
    assert (kept["action"], kept["target_kind"], kept["target"]) == ("suspend", "analysis", str(TARGET.uuid))
    assert (kept["before"], kept["after"]) == ({"active": True}, {"active": False})
    assert kept["previous_hash"] == audit.NOTHING
    assert entry.hash == audit.hash_of(AuditEntry.objects.get())


def test_entries_hang_together(alice: User) -> None:
    first, second, third = record_some(alice)
    assert (second.previous_hash, third.previous_hash) == (first.hash, second.hash)
    assert audit.verify() == audit.Chain(3, third.hash, None, True)


def test_what_is_undone_leaves_no_entry(alice: User) -> None:
    with transaction.atomic():
        record_some(alice)
        transaction.set_rollback(True)
    assert not AuditEntry.objects.exists()


def test_neither_rows_nor_querysets_change_an_entry(alice: User) -> None:
    (entry,) = record_some(alice, 1)
    for change in (
        entry.save,
        entry.delete,
        AuditEntry.objects.all().delete,
        lambda: AuditEntry.objects.update(reason=""),
        lambda: AuditEntry.objects.bulk_update([entry], ["reason"]),
        lambda: AuditEntry.objects.bulk_create([AuditEntry()]),
    ):
        with pytest.raises(AppendOnly):
            change()
    assert audit.verify().broken is None


@pytest.mark.parametrize(
    "tampering",
    [
        "UPDATE accounts_auditentry SET reason = 'another' WHERE id = %s",
        "UPDATE accounts_auditentry SET actor = NULL WHERE id = %s",
        "UPDATE accounts_auditentry SET after = '{}' WHERE id = %s",
        "DELETE FROM accounts_auditentry WHERE id = %s",
    ],
)
def test_a_changed_or_missing_entry_shows(tampering: str, alice: User) -> None:
    _, second, _ = record_some(alice)
    with connection.cursor() as cursor:
        cursor.execute(tampering, [second.pk])
    chain = audit.verify()
    assert chain.broken is not None
    assert chain.entries == 1
    with pytest.raises(CommandError, match="breaks after 1 entries"):
        call_command("verify_audit")


def test_a_cut_end_shows_to_whoever_noted_the_newest_hash(
    alice: User, capsys: pytest.CaptureFixture[str]
) -> None:
    *_, third = record_some(alice)
    call_command("verify_audit", noted=third.hash)
    assert f"Whole: 3 entries. Note the newest hash, to find cuts: {third.hash}" in capsys.readouterr().out
    with connection.cursor() as cursor:
        cursor.execute("DELETE FROM accounts_auditentry WHERE id = %s", [third.pk])
    call_command("verify_audit")
    with pytest.raises(CommandError, match="was cut or written anew"):
        call_command("verify_audit", noted=third.hash)


def test_an_empty_log_is_whole() -> None:
    assert audit.verify() == audit.Chain(0, audit.NOTHING, None, True)


WRITERS = """
import sys, django
django.setup()
from concurrent.futures import ThreadPoolExecutor
from uuid import uuid4
from django.db import connection
from accounts import audit
def write(number):
    try:
        target = audit.Target("analysis", uuid4())
        audit.record(actor=None, action="purge", target=target, after={"n": number})
    finally:
        connection.close()
with ThreadPoolExecutor(8) as pool:
    list(pool.map(write, range(40)))
chain = audit.verify()
print(chain.entries, chain.broken)
"""


@pytest.mark.slow
@pytest.mark.parametrize("database", ["sqlite", "postgresql"])
def test_many_who_write_at_once_make_one_chain(
    database: str, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    url = request.getfixturevalue(f"migrated_{database}_url")
    printed = printed_by(WRITERS, url=url, state=tmp_path)
    assert printed.split() == ["40", "None"]


def test_the_hash_covers_every_fact(alice: User) -> None:
    (entry,) = record_some(alice, 1)
    fields = {field.name for field in AuditEntry._meta.get_fields()} - {"id", "hash"}
    assert audit.facts(entry).keys() == fields
    assert json.loads(json.dumps(audit.facts(entry))) == audit.facts(entry)
