from datetime import UTC, date, datetime, timedelta

import pytest
from django.http import QueryDict
from django.test import Client
from django.urls import reverse

from accounts.models import User
from analyses.fields import folded
from analyses.filters import HistoryForm, HistoryParameters, Sort, filtered
from analyses.models import NAME_LENGTH, Analysis
from analyses.tests.factories import make_analysis, make_done


def found(user: User, **values: str) -> list[str]:
    rows = filtered(Analysis.objects.for_user(user), HistoryParameters.of(values))
    return [row.video.original_name for row in rows]


def test_an_address_without_parameters_asks_for_all_of_it_newest_first() -> None:
    params = HistoryParameters.of({})
    assert params == HistoryParameters()
    assert (params.narrowing, params.words, params.query) == ({}, {}, "")


def test_an_address_is_read_and_written_back() -> None:
    query = "verdict=fake&state=done&model=m&q=a+b&since=2026-01-02&until=2026-02-03&sort=name"
    params = HistoryParameters.of(QueryDict(query))
    assert params == HistoryParameters(
        "fake", "done", "m", "a b", date(2026, 1, 2), date(2026, 2, 3), Sort.NAME
    )
    assert params.query == query
    assert "sort" not in params.narrowing


@pytest.mark.parametrize(
    "wrong",
    [
        {"verdict": "maybe"},
        {"state": "lost"},
        {"since": "yesterday"},
        {"until": "2026-02-30"},
        {"since": "0001-01-01"},
        {"until": "9999-12-31"},
        {"sort": "size"},
        {"q": "x" * (NAME_LENGTH + 1)},
        {"q": "a\0b"},
    ],
)
def test_what_makes_no_sense_is_left_out_and_the_rest_stays(wrong: dict[str, str]) -> None:
    assert HistoryParameters.of({"model": "m", **wrong}) == HistoryParameters(model="m")


def test_days_in_the_wrong_order_keep_the_first_alone() -> None:
    params = HistoryParameters.of({"since": "2026-02-02", "until": "2026-02-01"})
    assert params == HistoryParameters(since=date(2026, 2, 2))


def test_the_form_offers_the_model_of_the_address_even_if_no_row_has_it() -> None:
    form = HistoryForm({"model": "gone"})
    form.offer_models(["b", "a"])
    widget = form.fields["model"].widget
    assert [value for value, _ in widget.choices] == ["", "a", "b", "gone"]


@pytest.mark.django_db
@pytest.mark.parametrize("zone", ["Asia/Tokyo", "America/New_York", "Pacific/Kiritimati"])
@pytest.mark.parametrize("day", ["0001-01-01", "0001-01-03", "9999-12-29", "9999-12-31"])
@pytest.mark.parametrize("name", ["analyses", "audit_log", "audit_log_csv"])
def test_the_ends_of_the_calendar_are_no_error(name: str, day: str, zone: str, client: Client) -> None:
    client.force_login(User.objects.create_superuser("ada@example.org", time_zone=zone))
    for end in ("since", "until"):
        assert client.get(reverse(name), {end: day}).status_code == 200


def test_both_days_belong_to_the_range(alice: User) -> None:
    midnight = datetime(2026, 3, 10, tzinfo=UTC)
    for name, moment in {
        "before": midnight - timedelta(microseconds=1),
        "first": midnight,
        "last": midnight + timedelta(days=2) - timedelta(microseconds=1),
        "after": midnight + timedelta(days=2),
    }.items():
        make_analysis(alice, name=name, created_at=moment)
    assert found(alice, since="2026-03-10", until="2026-03-11") == ["last", "first"]


@pytest.mark.parametrize("words", ["über", "ÜBER", "U\u0308ber", "ｕ\u0308ber", "wachung 7.mp4", " über "])
def test_names_are_found_in_any_case_and_spelling_of_unicode(words: str, alice: User) -> None:
    make_analysis(alice, name="Überwachung 7.mp4")
    make_analysis(alice, name="other.mp4")
    assert found(alice, q=words) == ["Überwachung 7.mp4"]


@pytest.mark.parametrize("words", ["%", "_", "\\", "a%c"])
def test_no_character_is_a_wildcard(words: str, alice: User) -> None:
    make_analysis(alice, name="abc.mp4")
    make_analysis(alice, name=f"x{words}y.mp4")
    assert found(alice, q=words) == [f"x{words}y.mp4"]


def test_what_has_no_probability_comes_last(alice: User) -> None:
    make_analysis(alice, name="waiting.mp4")
    make_done(alice, name="done.mp4")
    assert found(alice, sort="probability") == ["done.mp4", "waiting.mp4"]


def test_folding_compares_ligatures_and_sharp_s() -> None:
    assert folded("Straße ﬁlm") == folded("STRASSE FILM") == "strasse film"


def test_the_folded_name_follows_the_video_and_fits(alice: User) -> None:
    analysis = make_analysis(alice, name="ß" * NAME_LENGTH)
    assert analysis.name_key == "s" * NAME_LENGTH
    analysis.video.original_name = "New.mp4"
    analysis.save(update_fields=["name_key"])
    assert Analysis.objects.get().name_key == "new.mp4"
