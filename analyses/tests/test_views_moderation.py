"""The queue and the page of a case, as moderators use them without scripts."""

import re
from dataclasses import asdict
from typing import Any

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import DjangoAssertNumQueries, Settings

from accounts.models import AuditEntry, User
from analyses import disputes, services
from analyses.detection import Verdict
from analyses.exports import result_bytes
from analyses.keyset import PAGE_LENGTH
from analyses.models import Analysis, Dispute
from analyses.moderation.cases import case_of, claim
from analyses.moderation.copies import copies_of
from analyses.moderation.decisions import decide
from analyses.moderation.models import Decision, Kind
from analyses.tests.factories import make_done, make_link, make_result, make_video
from analyses.tests.test_moderation import mia

__all__ = ["mia"]  # a fixture


def listed(client: Client, **words: str) -> list[str]:
    page = client.get(reverse("moderation"), words).content.decode()
    return re.findall(r'class="history__name"[^>]*>([^<]*)<', page)


def named(owner: User, name: str, **result: Any) -> Analysis:
    video = make_video(owner, name=name)
    return make_done(owner, video=video, result=make_result(video, **result))


def review(analysis: Analysis) -> str:
    return reverse("moderation_review", args=[analysis.uuid])


def test_each_list_shows_what_it_says(alice: User, mo: User, mo_client: Client, settings: Settings) -> None:
    disputed = named(alice, "disputed.mp4")
    disputes.open_dispute(analysis=disputed, author=alice, opinion="real")
    unsure = {"verdict": Verdict.INCONCLUSIVE, "fake_probability": 0.5}
    named(alice, "unsure.mp4", **unsure)
    settled = named(alice, "settled.mp4", **unsure)
    decide(analysis=settled, moderator=mo, kind=Kind.CONFIRM, reason="", seen=None)
    faceless = {"verdict": Verdict.INCONCLUSIVE, "fake_probability": None, "scores": ()}
    named(alice, "faceless.mp4", **faceless)
    held = named(alice, "held.mp4")
    claim(analysis=held, moderator=mo)
    settings.SECOND_MODERATOR = True
    proposed = named(alice, "proposed.mp4")
    decide(analysis=proposed, moderator=mo, kind=Kind.HIDE, reason="x", seen=None)
    make_done(mo, name="own.mp4")
    assert listed(mo_client) == ["disputed.mp4"]
    assert listed(mo_client, show="unsure") == ["unsure.mp4"]
    assert listed(mo_client, show="mine") == ["held.mp4"]
    assert listed(mo_client, show="proposed") == ["proposed.mp4"]
    everything = ["proposed.mp4", "held.mp4", "faceless.mp4", "settled.mp4", "unsure.mp4", "disputed.mp4"]
    assert listed(mo_client, show="newest") == everything
    assert listed(mo_client, show="newest", decided="yes") == ["settled.mp4"]
    assert "settled.mp4" not in listed(mo_client, show="newest", decided="no")
    assert listed(mo_client, show="newest", q="FACE") == ["faceless.mp4"]
    assert listed(mo_client, show="newest", verdict="fake", sort="name") == [
        "disputed.mp4",
        "held.mp4",
        "proposed.mp4",
    ]
    assert listed(mo_client, show="nonsense", sort="nonsense") == ["disputed.mp4"]


def test_a_withdrawn_dispute_leaves_the_queue(done: Analysis, alice: User, mo_client: Client) -> None:
    dispute = disputes.open_dispute(analysis=done, author=alice, opinion="real")
    assert listed(mo_client) == ["clip.mp4"]
    disputes.withdraw_dispute(dispute=dispute)
    assert listed(mo_client) == []


def test_pages_go_on_where_the_last_one_ended(alice: User, mo_client: Client) -> None:
    for number in range(PAGE_LENGTH + 2):
        make_done(alice, name=f"{number:02d}.mp4")
    words = {"show": "newest", "sort": "name"}
    page = mo_client.get(reverse("moderation"), words).content.decode()
    following = re.search(r'rel="next" href="[^?]*\?([^"]*)"', page)
    assert following is not None
    query = following[1].replace("&amp;", "&")
    names = re.findall(
        r'class="history__name"[^>]*>([^<]*)<',
        mo_client.get(f"{reverse('moderation')}?{query}").content.decode(),
    )
    assert names == [f"{PAGE_LENGTH}.mp4", f"{PAGE_LENGTH + 1}.mp4"]


def test_the_queue_asks_as_often_for_many_rows_and_loads_no_document(
    alice: User, mo_client: Client, django_assert_num_queries: DjangoAssertNumQueries
) -> None:
    for _ in range(5):
        disputes.open_dispute(analysis=make_done(alice), author=alice, opinion="real")
    # session, user, places, rows, count, cases, disputes, reports, notices
    with django_assert_num_queries(9) as asked:
        assert len(listed(mo_client)) == 5
    assert not [query["sql"] for query in asked.captured_queries if '"document"' in query["sql"]]


def test_what_a_colleague_holds_is_marked(done: Analysis, mo_client: Client, mia: User) -> None:
    claim(analysis=done, moderator=mia)
    page = mo_client.get(reverse("moderation"), {"show": "newest"}).content.decode()
    assert "Held by Mia" in page
    case = mo_client.get(review(done)).content.decode()
    assert "Mia is working on this case until" in case
    assert "Mia is working on this case. You can decide once it is released" in case
    assert reverse("moderation_decide", args=[done.uuid]) not in case


def bulk(client: Client, action: str, *analyses: Analysis, seen: str = "") -> str:
    data: dict[str, Any] = {"action": action, "uuid": [str(row.uuid) for row in analyses]}
    data |= {f"seen-{row.uuid}": seen for row in analyses} | {"list": "show=newest&q=clip"}
    response = client.post(reverse("moderation_bulk"), data)
    assert response["Location"].startswith(f"{reverse('moderation')}?show=newest&q=clip")
    return client.get(response["Location"]).content.decode()


def test_many_are_claimed_released_and_confirmed_at_once(
    alice: User, mo: User, mo_client: Client, mia: User
) -> None:
    mine, theirs = make_done(alice), make_done(alice, name="clip2.mp4")
    claim(analysis=theirs, moderator=mia)
    page = bulk(mo_client, "claim", mine, theirs)
    assert "1 case claimed." in page
    assert "“clip2.mp4”: Mia is working on this case." in page
    assert "2 cases released." in bulk(mo_client, "release", mine, theirs)
    assert (case_of(mine).held_by, case_of(theirs).held_by) == (None, mia)
    assert "1 case confirmed." in bulk(mo_client, "confirm", mine, theirs)
    assert (case_of(mine).label, case_of(theirs).label) == ("fake", "")


def test_what_was_deleted_meanwhile_holds_up_nothing(alice: User, mo_client: Client) -> None:
    gone, there = make_done(alice), make_done(alice)
    services.delete_analysis(analysis=gone)
    assert "1 case claimed." in bulk(mo_client, "claim", gone, there)


def test_a_bulk_agreement_is_refused_where_somebody_decided_meanwhile(
    done: Analysis, mo: User, mo_client: Client, mia: User
) -> None:
    hidden = decide(analysis=done, moderator=mia, kind=Kind.HIDE, reason="A court asked.", seen=None)
    assert "A colleague decided meanwhile." in bulk(mo_client, "confirm", done)
    assert "could not be read" in bulk(mo_client, "confirm", done, seen="nonsense")
    decide(analysis=done, moderator=mia, kind=Kind.OVERRULE_REAL, reason="I know it.", seen=hidden.uuid)
    assert "1 case was left out" in bulk(mo_client, "confirm", done)
    assert case_of(done).label == "real"


def test_a_bulk_agreement_that_a_second_moderator_has_to_share_is_called_a_proposal(
    done: Analysis, mo_client: Client, settings: Settings
) -> None:
    settings.SECOND_MODERATOR = True
    page = bulk(mo_client, "confirm", done)
    assert "1 case proposed: it counts once another moderator agrees." in page
    assert "confirmed" not in page
    assert case_of(done).awaits_second


def test_a_bulk_agreement_leaves_out_what_was_decided_or_proposed_before(
    alice: User, mo: User, mo_client: Client, mia: User, settings: Settings
) -> None:
    overruled, agreed, proposed, hidden, new = (make_done(alice) for _ in range(5))
    decide(analysis=overruled, moderator=mia, kind=Kind.OVERRULE_REAL, reason="I know it.", seen=None)
    decide(analysis=agreed, moderator=mia, kind=Kind.CONFIRM, reason="The seam shows.", seen=None)
    decide(analysis=hidden, moderator=mia, kind=Kind.HIDE, reason="A court asked.", seen=None)
    settings.SECOND_MODERATOR = True
    decide(analysis=proposed, moderator=mia, kind=Kind.OVERRULE_REAL, reason="I know it.", seen=None)
    settings.SECOND_MODERATOR = False
    listed = mo_client.get(reverse("moderation"), {"show": "newest"}).content.decode()
    seen = dict(re.findall(r'name="(seen-[^"]+)" value="([^"]*)"', listed))
    rows = [str(row.uuid) for row in (overruled, agreed, proposed, hidden, new)]
    posted = {"action": "confirm", "uuid": rows, **seen}
    page = mo_client.post(reverse("moderation_bulk"), posted, follow=True).content.decode()
    assert "2 cases confirmed." in page
    assert "3 cases were left out" in page
    found = [case_of(row) for row in (overruled, agreed, proposed, hidden, new)]
    assert [case.label for case in found] == ["real", "fake", "", "fake", "fake"]
    assert found[1].judgement is not None
    assert found[1].judgement.reason == "The seam shows."
    assert found[2].awaits_second


@pytest.mark.parametrize("data", [{"action": "claim"}, {"action": "suspend", "uuid": "x"}, {"uuid": "x"}])
def test_nothing_ticked_and_unknown_actions_do_nothing(data: dict[str, str], mo_client: Client) -> None:
    page = mo_client.post(reverse("moderation_bulk"), data, follow=True).content.decode()
    assert "Nothing was selected." in page
    assert not AuditEntry.objects.exists()


def test_the_case_shows_note_copies_and_earlier_decisions(
    done: Analysis, alice: User, bob: User, mo: User, mia: User, mo_client: Client
) -> None:
    disputes.open_dispute(analysis=done, author=alice, opinion="real", comment="It is <b>me</b>.")
    make_done(bob)
    decide(analysis=done, moderator=mia, kind=Kind.HIDE, reason="She asked for it.", seen=None)
    page = mo_client.get(review(done)).content.decode()
    assert "It is &lt;b&gt;me&lt;/b&gt;." in page
    assert "1 other account uploaded the same bytes." in page
    assert bob.email not in page
    assert "She asked for it." in page
    assert "Likely manipulated" in page
    assert alice.email in page


def test_copies_count_accounts_and_verdicts_of_others(done: Analysis, bob: User, mo: User) -> None:
    make_done(bob)
    video = make_video(bob)
    make_done(bob, video=video, result=make_result(video, verdict=Verdict.REAL, fake_probability=0.1))
    make_done(mo, content=b"something else")
    assert asdict(copies_of(done)) == {"accounts": 1, "verdicts": {"real": 1, "fake": 1}}


def decided(client: Client, analysis: Analysis, **data: str) -> Any:
    return client.post(reverse("moderation_decide", args=[analysis.uuid]), {"seen": "", **data})


def test_an_overruled_result_shows_both_to_the_owner_and_to_whoever_has_a_link(
    done: Analysis, client: Client, alice_client: Client, mo_client: Client
) -> None:
    document, token = result_bytes(done), make_link(done)[1]
    response = decided(mo_client, done, kind="overrule_real", reason="I know <b>them</b>.")
    assert response["Location"] == review(done)
    owners = alice_client.get(done.get_absolute_url()).content.decode()
    shared = client.get(reverse("shared", args=[token])).content.decode()
    for page in (owners, shared):
        assert "A moderator overruled the model" in page
        assert "Found to be real" in page
        assert "I know &lt;b&gt;them&lt;/b&gt;." in page
        assert "Likely manipulated" in page
        assert "92\u00a0%" in page
        assert "mo@example.org" not in page
    assert alice_client.get(reverse("analysis_json", args=[done.uuid])).content == document


def test_what_was_typed_is_kept_where_it_is_refused(done: Analysis, mo_client: Client, mia: User) -> None:
    other = decide(analysis=done, moderator=mia, kind=Kind.OVERRULE_REAL, reason="I know it.", seen=None)
    response = decided(mo_client, done, kind="overrule_fake", reason="The neck is doubled.")
    page = response.content.decode()
    assert response.status_code == 409
    assert "A colleague decided meanwhile." in page
    assert "The neck is doubled." in page
    assert re.search(rf'name="seen" value="{other.uuid}"', page)
    assert Decision.objects.count() == 1
    response = decided(
        mo_client, done, kind="overrule_fake", reason="The neck is doubled.", seen=str(other.uuid)
    )
    assert response.status_code == 302
    assert case_of(done).label == "fake"


@pytest.mark.parametrize("data", [{}, {"kind": "nonsense"}, {"kind": "confirm", "seen": "nonsense"}])
def test_a_form_that_makes_no_sense_decides_nothing(
    data: dict[str, str], done: Analysis, mo_client: Client
) -> None:
    assert decided(mo_client, done, **data).status_code == 400
    assert not Decision.objects.exists()


def test_a_second_moderator_agrees_on_the_page(
    done: Analysis, alice: User, mo_client: Client, mia: User, settings: Settings
) -> None:
    settings.SECOND_MODERATOR = True
    disputes.open_dispute(analysis=done, author=alice, opinion="real")
    decided(mo_client, done, kind="overrule_real", reason="I know it.")
    assert "You proposed it." in mo_client.get(review(done)).content.decode()
    other = Client()
    other.force_login(mia)
    page = other.get(review(done)).content.decode()
    seen = re.search(r'id="second_seen"[^>]*|name="seen" value="([^"]*)" id="second_seen"', page)
    assert seen is not None
    assert "Agree to it" in page
    last = case_of(done).last
    assert last is not None
    url = reverse("moderation_second", args=[done.uuid])
    other.post(url, {"seen": ""})
    assert case_of(done).awaits_second
    other.post(url, {"seen": str(last.uuid)})
    assert case_of(done).label == "real"
    assert Dispute.objects.get().state == Dispute.State.RESOLVED
    assert "Proposed, and agreed to" in other.get(review(done)).content.decode()


def test_a_hold_is_put_and_lifted_on_the_page(
    done: Analysis, alice_client: Client, mo_client: Client, settings: Settings
) -> None:
    settings.RETENTION_FILES_DAYS = 30
    url = reverse("moderation_hold", args=[done.uuid])
    assert "the video file is deleted on" in alice_client.get(done.get_absolute_url()).content.decode()
    assert "Give a reason" in mo_client.post(url, {"reason": " "}, follow=True).content.decode()
    assert "at most 2000" in mo_client.post(url, {"reason": "x" * 2001}, follow=True).content.decode()
    mo_client.post(url, {"reason": "A court."})
    assert "On hold" in alice_client.get(done.get_absolute_url()).content.decode()
    assert "A court." not in alice_client.get(done.get_absolute_url()).content.decode()
    assert "A court." in mo_client.get(review(done)).content.decode()
    assert "on hold already" in mo_client.post(url, {"reason": "x"}, follow=True).content.decode()
    mo_client.post(url, {"reason": "Over.", "lift": "yes"})
    assert not case_of(done).is_kept


def test_a_result_without_its_file_still_has_a_page(
    done: Analysis, client: Client, alice_client: Client
) -> None:
    token = make_link(done)[1]
    services.delete_video_files(video=done.video)
    page = alice_client.get(done.get_absolute_url()).content.decode()
    assert "The video file was deleted. The result stays." in page
    assert "Analyse again" not in page
    assert alice_client.get(reverse("analysis_video", args=[done.uuid])).status_code == 404
    assert client.get(reverse("shared", args=[token])).status_code == 200
    assert client.get(reverse("shared_video", args=[token])).status_code == 404
    again = alice_client.post(reverse("analysis_rerun", args=[done.uuid]), follow=True).content.decode()
    assert "Upload it again to have it analysed." in again


def test_a_hidden_result_is_told_to_its_owner_and_shown_to_nobody_else(
    done: Analysis, client: Client, alice_client: Client, mo_client: Client
) -> None:
    address = reverse("shared", args=[make_link(done)[1]])
    decided(mo_client, done, kind="hide", reason="She asked for it.")
    assert client.get(address).status_code == 404
    assert "share links don’t show it" in alice_client.get(done.get_absolute_url()).content.decode()


def test_the_header_counts_what_is_unread(done: Analysis, alice_client: Client, mo_client: Client) -> None:
    assert "unread notification" not in alice_client.get(reverse("analyses")).content.decode()
    decided(mo_client, done, kind="overrule_real", reason="I know it.")
    assert "1<span" in alice_client.get(reverse("analyses")).content.decode()
    assert "unread notification" not in mo_client.get(reverse("analyses")).content.decode()


@pytest.mark.parametrize("name", ["analysis_delete", "analysis_rerun"])
def test_what_a_moderator_does_to_somebody_elses_is_logged(
    name: str, done: Analysis, mo: User, mo_client: Client, installed_weights: Any
) -> None:
    mo_client.post(reverse(name, args=[done.uuid]))
    entry = AuditEntry.objects.get()
    expected = {"analysis_delete": "delete_analysis", "analysis_rerun": "rerun_analysis"}[name]
    assert (entry.actor, entry.action, entry.target) == (mo.uuid, expected, str(done.uuid))


def test_what_owners_do_to_their_own_is_not(done: Analysis, queued: Analysis, alice_client: Client) -> None:
    alice_client.post(reverse("analysis_cancel", args=[queued.uuid]))
    alice_client.post(reverse("analysis_delete", args=[done.uuid]))
    assert not AuditEntry.objects.exists()


def test_a_moderator_who_cancels_is_logged_once(running: Analysis, mo_client: Client) -> None:
    for _ in range(2):
        mo_client.post(reverse("analysis_cancel", args=[running.uuid]))
    assert [entry.action for entry in AuditEntry.objects.all()] == ["cancel_analysis"]
