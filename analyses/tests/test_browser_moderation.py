"""A moderator's day in a real browser: dispute, claim, overrule, notify, audit; keys, phones, no scripts."""

from collections.abc import Iterator
from typing import TYPE_CHECKING

import pytest
from django.core import mail
from django.core.management import call_command
from playwright.sync_api import expect

from accounts.models import AuditEntry, User
from analyses import disputes
from analyses.exports import result_bytes
from analyses.models import Analysis, Dispute
from analyses.moderation.models import Notice
from analyses.tasks import run_notice
from analyses.tests.test_browser import complaints, done, film, log_in, open_context

if TYPE_CHECKING:
    from playwright.sync_api import Browser, Page
    from pytest_django.live_server_helper import LiveServer

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]
__all__ = ["complaints", "done", "film"]  # fixtures
REASON = "The original is in the archive of the station."


@pytest.fixture
def mo_page(
    chromium: "Browser", live_server: "LiveServer", mo: User, complaints: list[str]
) -> Iterator["Page"]:
    context = open_context(chromium, live_server, complaints)
    yield log_in(context, live_server, mo)
    context.close()
    assert complaints == []


def as_user(chromium: "Browser", server: "LiveServer", user: User, heard: list[str]) -> "Page":
    return log_in(open_context(chromium, server, heard), server, user)


def test_a_moderators_day(
    mo_page: "Page",
    chromium: "Browser",
    live_server: "LiveServer",
    alice: User,
    done: Analysis,
    complaints: list[str],
    capsys: pytest.CaptureFixture[str],
) -> None:
    document = result_bytes(Analysis.objects.with_video().get(pk=done.pk))
    owner = as_user(chromium, live_server, alice, complaints)
    disputed(owner, done)
    overruled(mo_page)
    complaints[:] = [words for words in complaints if "409" not in words]
    assert result_bytes(Analysis.objects.with_video().get(pk=done.pk)) == document
    told(owner)
    audited(as_user(chromium, live_server, administrator(), complaints))
    call_command("verify_audit")
    assert capsys.readouterr().out.startswith("Whole: 2 entries.")
    assert list(AuditEntry.objects.values_list("action", flat=True)) == ["claim", "decide_overrule_real"]


def administrator() -> User:
    return User.objects.create_superuser("ada@example.org", display_name="Ada")


def disputed(page: "Page", analysis: Analysis) -> None:
    page.goto(analysis.get_absolute_url())
    page.locator("#dispute").get_by_label("Real").check()
    page.locator("#dispute").get_by_role("textbox").fill("I filmed it myself.")
    page.get_by_role("button", name="Send to the moderators").click()
    page.get_by_text("Waiting for a moderator").wait_for()


def overruled(page: "Page") -> None:
    page.goto("/")
    page.get_by_role("link", name="Moderation").click()
    page.get_by_text("The owner says: Real. I filmed it myself.").wait_for()
    page.get_by_label("Select film.mp4").check()
    page.get_by_role("button", name="Claim selected").click()
    page.get_by_text("Held by you").wait_for()
    page.get_by_role("link", name="film.mp4").click()
    page.get_by_text("You hold this case until").wait_for()
    page.get_by_label("It is real").check()
    page.get_by_role("button", name="Decide").click()
    page.get_by_text("Give a reason: the owner reads it").wait_for()
    page.get_by_label("Reason", exact=True).fill(REASON)
    page.get_by_role("button", name="Decide").click()
    page.get_by_role("heading", name="A moderator overruled the model").wait_for()
    page.get_by_role("heading", name="Likely manipulated").wait_for()
    page.goto("/moderation/")
    page.get_by_text("Nobody disputes a verdict right now.").wait_for()


def told(page: "Page") -> None:
    run_notice(str(Notice.objects.get().uuid))
    assert REASON in mail.outbox[0].body
    page.goto("/analyses/")
    page.locator(".menu__mark").get_by_text("unread notification").wait_for(state="attached")
    page.locator(".menu summary").click()
    page.get_by_role("link", name="Notifications (1 new)").click()
    page.get_by_text(REASON).wait_for()
    page.get_by_role("button", name="Open the result").click()
    page.get_by_role("heading", name="A moderator overruled the model").wait_for()
    page.get_by_role("heading", name="Likely manipulated").wait_for()
    expect(page.locator(".menu__mark")).to_have_count(0)
    assert Dispute.objects.get().answer == REASON
    page.context.close()


def audited(page: "Page") -> None:
    page.goto("/moderation/")
    page.get_by_role("link", name="Audit log").click()
    page.get_by_text("decide_overrule_real").wait_for()
    page.get_by_text(f"Reason: {REASON}").wait_for()
    with page.expect_download() as download:
        page.get_by_role("link", name="JSON lines").click()
    assert len(download.value.path().read_text(encoding="utf-8").splitlines()) == 2
    page.context.close()


def test_the_queue_by_its_keys(mo_page: "Page", alice: User, done: Analysis) -> None:
    from analyses.tests.factories import make_done

    for name in ("b.mp4", "c.mp4"):
        disputes.open_dispute(analysis=make_done(alice, name=name), author=alice, opinion="real")
    page = mo_page
    page.goto("/moderation/?sort=name")
    focused = "document.activeElement.textContent"
    page.keyboard.press("j")  # outside of the list nothing happens
    assert page.evaluate("document.activeElement === document.body")
    page.get_by_label("Select b.mp4").focus()
    page.keyboard.press("j")
    assert page.evaluate(focused) == "c.mp4"
    page.keyboard.press("j")
    assert page.evaluate(focused) == "c.mp4"
    page.keyboard.press("x")
    expect(page.get_by_label("Select c.mp4")).to_be_checked()
    page.keyboard.press("k")
    assert page.evaluate(focused) == "b.mp4"
    page.keyboard.press("Enter")
    page.get_by_role("heading", name="b.mp4").wait_for()


def test_two_moderators_do_not_overwrite_each_other(
    mo_page: "Page", chromium: "Browser", live_server: "LiveServer", done: Analysis, complaints: list[str]
) -> None:
    mia = User.objects.create_user("mia@example.org", display_name="Mia", is_staff=True)
    other = as_user(chromium, live_server, mia, complaints)
    for page in (mo_page, other):
        page.goto(f"/moderation/{done.uuid}/")
        page.get_by_label("It is manipulated").check()
        page.get_by_label("Reason", exact=True).fill(f"Found by {page is other}.")
    other.get_by_role("button", name="Decide").click()
    other.get_by_role("heading", name="A moderator overruled the model").wait_for()
    other.context.close()
    mo_page.get_by_role("button", name="Decide").click()
    mo_page.get_by_text("A colleague decided meanwhile.").wait_for()
    expect(mo_page.get_by_label("Reason", exact=True)).to_have_value("Found by False.")
    expect(mo_page.get_by_text("Found by True.").first).to_be_visible()
    complaints[:] = [words for words in complaints if "409" not in words]


def test_without_scripts_a_case_is_claimed_and_decided(
    chromium: "Browser", live_server: "LiveServer", mo: User, done: Analysis, complaints: list[str]
) -> None:
    context = open_context(chromium, live_server, complaints, java_script_enabled=False)
    page = log_in(context, live_server, mo)
    page.goto("/moderation/?show=newest&select=all")
    page.get_by_role("button", name="Claim selected").click()
    page.get_by_role("link", name="film.mp4").click()
    page.get_by_label("The model is right").check()
    page.get_by_role("button", name="Decide").click()
    page.get_by_role("heading", name="A moderator agrees with the model").wait_for()
    context.close()
    assert complaints == []


def test_a_result_without_its_file_draws_its_timeline_without_complaint(
    mo_page: "Page", done: Analysis
) -> None:
    from analyses import services

    services.delete_video_files(video=done.video)
    mo_page.goto(f"/moderation/{done.uuid}/")
    mo_page.get_by_text("The video file was deleted. The result stays.").wait_for()
    expect(mo_page.locator("video")).not_to_be_visible()
    mo_page.locator("[data-plot]").first.click(position={"x": 40, "y": 40})
    expect(mo_page.locator("[data-plot]").first).to_be_visible()
