"""The audit log's page and downloads: filters, pages, safe cells, and lines that can be checked again."""

import csv
import hashlib
import io
import json
import re
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries

from accounts import audit
from accounts.audit import NOTHING, Target
from accounts.models import AuditEntry, User
from analyses.moderation.audit_log import PAGE_LENGTH


@pytest.fixture
def ada_client(db: None) -> Client:
    client = Client()
    client.force_login(User.objects.create_superuser("ada@example.org"))
    return client


def record(actor: User | None = None, action: str = "hold", **fields: Any) -> AuditEntry:
    return audit.record(actor=actor, action=action, target=Target("analysis", uuid4()), **fields)


def actions(client: Client, **words: str) -> list[str]:
    page = client.get(reverse("audit_log"), words).content.decode()
    return re.findall(r'audit__row">\s*<p><strong translate="no">([^<]*)<', page)


def text(client: Client, name: str, **words: str) -> str:
    response = client.get(reverse(name), words)
    return b"".join(response.streaming_content).decode()  # type: ignore[attr-defined]


def test_the_newest_comes_first_and_says_who_did_what(mo: User, ada_client: Client) -> None:
    record(mo, "decide_hide", before={"hidden": False}, after={"hidden": True}, reason="<b>She</b> asked.")
    record(None, "purge_file")
    page = ada_client.get(reverse("audit_log")).content.decode()
    assert actions(ada_client) == ["purge_file", "decide_hide"]
    assert "by mo@example.org" in page
    assert "by The site itself" in page
    assert "hidden: false → hidden: true" in re.sub("<[^>]*>", "", page)
    assert "&lt;b&gt;She&lt;/b&gt; asked." in page


def test_filters(mo: User, alice: User, ada_client: Client) -> None:
    record(mo, "decide_hide")
    held = record(alice, "hold")
    assert actions(ada_client, action="decide") == ["decide_hide"]
    assert actions(ada_client, actor="MO@example.org") == ["decide_hide"]
    assert actions(ada_client, actor=str(alice.uuid)) == ["hold"]
    assert actions(ada_client, actor="nobody@example.org") == []
    assert actions(ada_client, target=held.target) == ["hold"]
    today = datetime.now(UTC).date()
    assert len(actions(ada_client, since=str(today), until=str(today))) == 2
    assert actions(ada_client, until="2020-01-01") == []
    assert len(actions(ada_client, since="yesterday")) == 2


def test_pages_go_on_at_the_entry_where_the_last_one_ended(ada_client: Client) -> None:
    for number in range(PAGE_LENGTH + 3):
        record(action=f"a{number}")
    page = ada_client.get(reverse("audit_log"), {"action": "a"}).content.decode()
    following = re.search(r'rel="next" href="([^"]*)"', page)
    assert following is not None
    address = following[1].replace("&amp;", "&")
    record(action="a-later")  # moves nothing
    rest = ada_client.get(address).content.decode()
    assert re.findall(r'<strong translate="no">(a\d+)<', rest) == ["a2", "a1", "a0"]
    assert 'rel="next"' not in rest
    assert actions(ada_client, before="nonsense") == []


def test_a_page_asks_as_often_for_many_entries(
    mo: User, ada_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(10):
        record(mo)
    with django_assert_num_queries(5):  # session, user, entries, names, notices
        assert len(actions(ada_client)) == 10


def test_the_lines_hold_the_chain_and_can_be_checked_with_nothing_else(mo: User, ada_client: Client) -> None:
    for number in range(3):
        record(mo, reason=f"Grüße {number}", after={"number": number})
    lines = [json.loads(line) for line in text(ada_client, "audit_log_jsonl").splitlines()]
    previous = NOTHING
    for line in lines:
        found = line.pop("hash")
        assert line["previous_hash"] == previous
        canonical = json.dumps(line, sort_keys=True, separators=(",", ":"), ensure_ascii=True)
        assert hashlib.sha256(canonical.encode()).hexdigest() == found
        previous = found
    assert len(lines) == 3
    assert previous == audit.verify().head


def test_the_table_is_safe_in_spreadsheets_and_filtered_as_the_page(mo: User, ada_client: Client) -> None:
    record(mo, "hold", reason='=HYPERLINK("x")', after={"hold": True})
    record(mo, "release")
    content = text(ada_client, "audit_log_csv", action="hold")
    rows = list(csv.DictReader(io.StringIO(content.removeprefix("\ufeff"))))
    assert len(rows) == 1
    assert rows[0]["reason"] == '\'=HYPERLINK("x")'
    assert (rows[0]["actor"], rows[0]["after"]) == (str(mo.uuid), '{"hold": true}')
    assert rows[0]["hash"] == AuditEntry.objects.get(action="hold").hash


@pytest.mark.parametrize("name", ["audit_log_csv", "audit_log_jsonl"])
def test_downloads_are_kept_nowhere(name: str, ada_client: Client) -> None:
    response = ada_client.get(reverse(name))
    assert response["Cache-Control"] == "private, no-store"
    assert response["Content-Disposition"].startswith("attachment; filename=")
