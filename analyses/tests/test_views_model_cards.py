"""The model cards: anybody may read them, and they say what the Markdown files say."""

import html
import re
from pathlib import Path

import pytest
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from analyses.detection import check_weights, model_cards, sections_of
from analyses.models import Analysis
from analyses.tests.factories import make_done
from detector.tests.evaluations import SVG, write_evaluation

pytestmark = pytest.mark.django_db


def words_of(client: Client, address: str) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return re.sub(r"\s+", " ", html.unescape(response.content.decode()))


@pytest.fixture
def card_address() -> str:
    return reverse("model_card", args=["efficientnet_lstm"])


@pytest.fixture
def evaluated(settings: Settings, tmp_path: Path) -> str:
    """The address of a plot of the shipped model, whose evaluation has every file."""
    sha256 = check_weights().sha256
    settings.BASE_DIR = tmp_path
    write_evaluation(tmp_path / "benchmarks" / "results" / "efficientnet" / "val", sha256)
    return reverse("model_plot", args=["efficientnet_lstm", "val", "roc.svg"])


@pytest.fixture(params=["nobody", "alice", "mo"])
def anybody(request: pytest.FixtureRequest) -> Client:
    person: str = request.param
    name = "client" if person == "nobody" else f"{person}_client"
    asked: Client = request.getfixturevalue(name)
    return asked


def test_anybody_may_read_them(anybody: Client, evaluated: str, card_address: str) -> None:
    for address in (reverse("models"), card_address, evaluated):
        assert anybody.get(address).status_code == 200


def test_they_take_no_post(client: Client, evaluated: str, card_address: str) -> None:
    for address in (reverse("models"), card_address, evaluated):
        assert client.post(address).status_code == 405


def test_they_are_where_people_expect_them(card_address: str) -> None:
    assert (reverse("models"), card_address) == ("/models/", "/models/efficientnet_lstm/")


def test_an_unknown_name_is_404(client: Client, evaluated: str) -> None:
    assert client.get(reverse("model_card", args=["nobody_knows_it"])).status_code == 404
    assert client.get(evaluated.replace("efficientnet_lstm", "nobody_knows_it")).status_code == 404


def test_the_list_says_which_model_is_in_use(client: Client, card_address: str) -> None:
    page = words_of(client, reverse("models"))
    assert f'href="{card_address}"' in page
    assert page.count("in use on this site") == 1
    assert check_weights().sha256 in page


@pytest.mark.parametrize("measured", [False, True])
def test_the_page_says_all_that_the_markdown_says(
    measured: bool, request: pytest.FixtureRequest, client: Client, card_address: str
) -> None:
    if measured:
        request.getfixturevalue("evaluated")
    page = words_of(client, card_address)
    for section in sections_of(model_cards()[0]):
        assert f'id="{section.key}">{section.title}<' in page
        for block in section.blocks:
            for text in texts_in(block):
                assert re.sub(r"\s+", " ", text) in page


def texts_in(block: object) -> list[str]:
    """Every string in a block, whatever its kind."""
    if isinstance(block, str):
        return [block]
    if isinstance(block, tuple):
        return [text for part in block for text in texts_in(part)]
    fields = [name for name in getattr(block, "__slots__", ()) if name != "split"]
    return [text for name in fields for text in texts_in(getattr(block, name))]


def test_a_plot_may_load_and_run_nothing(client: Client, evaluated: str) -> None:
    response = client.get(evaluated)
    assert b"".join(response).decode() == SVG
    assert response["Content-Type"] == "image/svg+xml"
    assert "default-src 'none'" in response["Content-Security-Policy"]
    assert "script-src" not in response["Content-Security-Policy"]


@pytest.mark.parametrize(
    ("split", "name"),
    [
        ("val", "figures.csv"),
        ("val", "other.svg"),
        ("tune", "roc.svg"),
        ("..", "clip_speed.csv"),
    ],
)
def test_no_file_but_the_plots_on_the_card_is_served(
    split: str, name: str, client: Client, evaluated: str
) -> None:
    assert client.get(f"/models/efficientnet_lstm/{split}/{name}").status_code == 404


def test_weights_at_model_path_have_a_page_with_what_their_card_says(
    installed_weights: Path, client: Client
) -> None:
    assert f'href="{reverse("model_card", args=["tiny_lstm"])}"' in words_of(client, reverse("models"))
    page = words_of(client, reverse("model_card", args=["tiny_lstm"]))
    assert "These weights did not come with TruthLens" in page
    assert check_weights().sha256 in page
    assert "Not measured yet." in page


def test_without_any_weights_the_list_says_so(
    monkeypatch: pytest.MonkeyPatch, client: Client, tmp_path: Path
) -> None:
    monkeypatch.setattr("detector.model_cards.card.WEIGHTS_FOLDER", tmp_path)
    monkeypatch.setattr("detector.weights.WEIGHTS_FOLDER", tmp_path)
    assert "No model is installed." in words_of(client, reverse("models"))


def test_their_pages_carry_no_inline_script_or_style(
    client: Client, evaluated: str, card_address: str
) -> None:
    for address in (reverse("models"), card_address):
        page = words_of(client, address)
        assert not re.search(r"<script(?![^>]*\bsrc=)", page)
        assert not re.search(r"\sstyle=|<style|\son\w+=", page)


def test_every_page_links_to_the_models(client: Client) -> None:
    for address in (reverse("home"), reverse("account_login"), "/nothing-here/"):
        assert f'href="{reverse("models")}"' in client.get(address).content.decode()


def test_a_result_links_to_the_card_of_its_model(
    alice: User, alice_client: Client, card_address: str
) -> None:
    analysis = make_done(alice)
    assert "no longer installed" in words_of(alice_client, analysis.get_absolute_url())
    Analysis.objects.filter(pk=analysis.pk).update(model_sha256=check_weights().sha256)
    page = words_of(alice_client, analysis.get_absolute_url())
    assert f'href="{card_address}"' in page
    assert "no longer installed" not in page
