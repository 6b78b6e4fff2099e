"""Nothing on a page is out of the translators' reach, and what is said to programs stays English."""

import re
import shutil
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from django.conf import settings as site_settings
from django.core.management import call_command
from django.template.loader import render_to_string
from django.test import Client
from django.urls import reverse
from django.utils import translation
from pytest_django import Settings

from accounts.models import User
from analyses import sentences
from analyses.models import Analysis
from analyses.pdf.document import report_pdf
from analyses.resumable import TooManyOpen, begin_upload
from analyses.tests.factories import MP4_BYTES, make_upload
from analyses.tests.pages import LONG_NAME, addresses_of, make_cases, make_pages
from analyses.tests.pseudo import CLOSE, OPEN, WORD, WORDY, escapes
from analyses.tests.test_machine_faults import FULL, Failing
from detector import credentials, provenance, tags
from detector.codes import FAILURE_SENTENCES, REASON_SENTENCES, Reason
from truthlens_site.tests.services import missing

ROOT = site_settings.BASE_DIR
TEMPLATES = sorted((ROOT / "templates").rglob("*.*"))
SCRIPTS = sorted((ROOT / "static" / "js").glob("*.js"))

NEED_NONE = re.compile(r"TruthLens|SHA-256|CSV|&rsaquo;|\b(?:kB|MB|GB|kbit/s|Mbit/s|min|ms|UTC)\b")
"""Names, abbreviations and units, the same in every language."""
SAID = re.compile(
    r"\{%\s*comment\b.*?endcomment\s*%\}|\{%\s*blocktranslate\b.*?endblocktranslate\s*%\}|\{[%{#].*?[%}#]\}",
    re.S,
)
ENGLISH_IN_A_TAG = re.compile(r"""(?:\|default:|\bfirstof\b[^%]*\s|\bcaption=)"[^"]*[a-z]""")


ATTRIBUTES = {"_sending.html", "_sending_words.html"}
"""Templates that stand within a tag."""


class Text(HTMLParser):
    """The words of a template that stand in no tag of Django's."""

    def __init__(self) -> None:
        super().__init__()
        self.found: list[str] = []
        self._raw = ""

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self._raw = tag if tag in ("script", "style", "kbd") else ""
        values = dict(attrs)
        for name, value in attrs:
            if name in WORDY or (name.startswith("data-") and values.get("id") == "words"):
                self._look(value or "")

    def handle_endtag(self, tag: str) -> None:
        self._raw = ""

    def handle_data(self, data: str) -> None:
        if not self._raw:
            self._look(data)

    def _look(self, text: str) -> None:
        if WORD.search(NEED_NONE.sub(" ", text)):
            self.found.append(" ".join(text.split()))


@pytest.mark.parametrize("path", TEMPLATES, ids=lambda path: str(path.relative_to(ROOT / "templates")))
def test_a_template_holds_no_text_that_nobody_can_translate(path: Path) -> None:
    template = path.read_text(encoding="utf-8")
    parser = Text()
    words = SAID.sub("", template)
    parser.feed(f"<p {words}>" if path.name in ATTRIBUTES else words)
    parser.close()
    assert parser.found + ENGLISH_IN_A_TAG.findall(template) == []


def test_the_parser_of_templates_finds_what_it_is_for() -> None:
    parser = Text()
    parser.feed(SAID.sub("", '<p title="A title">{% translate "Said" %} left <b>{{ out }}</b></p>'))
    assert parser.found == ["A title", "left"]


LITERALS = re.compile(r'"(?:[^"\\\n]|\\.)*"|`(?:[^`\\]|\\.)*`')
SENTENCE = re.compile(r"[A-Za-z’]{2,}[,.:]? [a-z’]{2,}")
PUT_ON_THE_PAGE = re.compile(
    r'(?:textContent|innerHTML|innerText|"aria-label"|"aria-valuetext"),? ?=? ?["`][^"`$]*[A-Za-z]'
)
FOR_MACHINES = {'"(prefers-reduced-motion: reduce)"', '"logged out"'}
"""A media query, and an error that is caught."""


@pytest.mark.parametrize("path", SCRIPTS, ids=lambda path: path.name)
def test_a_script_says_nothing_of_its_own(path: Path) -> None:
    script = re.sub(r"^\s*//.*$", "", path.read_text(encoding="utf-8"), flags=re.M)
    literals = [re.sub(r"\$\{.*?\}", "", text) for text in LITERALS.findall(script)]
    assert [text for text in literals if SENTENCE.search(text) and text not in FOR_MACHINES] == []
    assert PUT_ON_THE_PAGE.findall(script) == []


def test_every_word_of_a_script_is_in_a_template() -> None:
    told = " ".join(path.read_text(encoding="utf-8") for path in TEMPLATES)
    for path in SCRIPTS:
        for name in re.findall(r'\b(?:words|problemOf)\("(\w+)"', path.read_text(encoding="utf-8")):
            attribute = "data-" + re.sub("([A-Z])", r"-\1", name).lower()
            assert f"{attribute}=" in told, f"{path.name} says {name}"


def test_the_detectors_sentences_are_all_known_to_the_translators() -> None:
    assert set(sentences.REASONS) == set(REASON_SENTENCES.values())
    assert set(sentences.FAILURES) == set(FAILURE_SENTENCES.values())
    fixed = {credentials.TRUSTED, credentials.UNLISTED, credentials.NO_LIST, credentials.DAMAGED}
    fixed |= {credentials.ELSEWHERE, provenance.ABSENT, provenance.UNREAD.reason}
    assert set(sentences.PROGRAMS) == {
        name for name in tags.TOOLS.values() if re.search(r", | or | such ", name)
    }
    assert set(sentences.CREDENTIALS) == fixed | set(credentials.PROBLEMS.values())


def test_several_sentences_of_the_detector_are_translated_one_by_one(pseudo_locale: str) -> None:
    both = f"{sentences.CREDENTIALS[5]} {sentences.CREDENTIALS[7]}"
    assert sentences.in_words(both) == both
    with translation.override(pseudo_locale):
        assert sentences.in_words(both).count(OPEN) == 2
        assert sentences.in_words("Something new.") == "Something new."


# Gathering


@pytest.fixture(scope="module")
def gathered(tmp_path_factory: pytest.TempPathFactory) -> str:
    """What ``make messages`` finds now."""
    if not shutil.which("xgettext"):
        missing("xgettext")
    folder = tmp_path_factory.mktemp("gathered")
    for name in ("accounts", "analyses", "truthlens_site", "templates"):
        (folder / name).symlink_to(ROOT / name)
    (folder / "locale").mkdir()
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(folder)
        options = {"ignore_patterns": ["*/tests/*"], "symlinks": True, "verbosity": 0}
        call_command("makemessages", locale=["en"], **options)
    return (folder / "locale/en/LC_MESSAGES/django.po").read_text(encoding="utf-8")


def msgids(catalogue: str) -> set[str]:
    found = re.findall(r'^msgid(?:_plural)? ((?:".*"\n)+)', catalogue, flags=re.M)
    return {"".join(re.findall(r'"(.*)"\n', text)) for text in found}


def test_the_committed_catalogue_has_every_sentence(gathered: str) -> None:
    committed = (ROOT / "locale/en/LC_MESSAGES/django.po").read_text(encoding="utf-8")
    assert len(msgids(gathered)) > 900
    assert msgids(committed) == msgids(gathered), "Run make messages."


def test_the_catalogue_has_sentences_of_all_kinds(gathered: str) -> None:
    found = msgids(gathered)
    assert {"Choose a video file first.", "Can’t tell", REASON_SENTENCES[Reason.NO_FACE]} <= found
    assert "{count} analyses deleted." in found
    assert "%(counted)s analyses found." in found


# Pages


@pytest.fixture
def administrator(db: None) -> User:
    return User.objects.create_superuser("ada@example.org", display_name="Ada")


KNOWN = re.compile(
    "|".join(
        (
            NEED_NONE.pattern,
            r"\b[\w.-]+@example\.org\b|\b(?:Alice|Bob|Mo|Ada)\b",
            rf"{LONG_NAME}|\bfilm\.mp4\b|\bclip\.mp4\b",
            r"\b(?:efficientnet|resnext50|tiny)_lstm\b|\btest\b|\ba{64}\b|\bb{63,64}\b",
            r"temperature, on 120 clips that no training saw|none \(a test model\)",
            r"truthlens 0\.1\.0, torch 2\.14\.1",
            r"It is me\.|(?:That is me\. ?)+|I know it\.|A court asked for it\.|The reason\.|Spam\.",
            r"https://(?:hooks\.example\.org)?[/x]*|\bx{20,}|\b(?:analysis|webhook)\.[a-z]+\b",
        )
    )
)
"""What stands on the test's pages as it is: units, people, files, models, addresses, what people wrote."""
OWN_NAMES = re.compile(r'<select name="(?:time_zone|language)".*?</select>', re.S)
"""Those of the time zone database, and those of languages in themselves."""
ADMINISTRATORS = ("moderation", "audit_log", "invitations")
GUESTS = ("home", "account_", "shared", "invitation_follow", "models", "model_card")


def answers(alice: User, administrator: User, addresses: dict[str, str]) -> Iterator[tuple[str, Any]]:
    """The pages of the site, each as somebody sees it who is meant to."""
    for who, names in ((alice, ("",)), (administrator, ADMINISTRATORS), (None, GUESTS)):
        client = Client(raise_request_exception=False, headers={"accept-language": "de, en;q=0.5"})
        if who is not None:
            client.force_login(who)
        for name, address in addresses.items():
            if name.startswith(names):
                yield f"{name} for {who}", client.get(address)


def is_page(answer: Any) -> bool:
    return bool(answer.headers.get("Content-Type", "").startswith("text/html") and answer.status_code != 302)


def test_no_page_says_anything_that_nobody_can_translate(
    alice: User, administrator: User, installed_weights: Path, pseudo_locale: str
) -> None:
    addresses = addresses_of(make_pages(alice, MP4_BYTES))
    make_cases(administrator)
    faults, seen = [], 0
    for name, answer in filter(lambda entry: is_page(entry[1]), answers(alice, administrator, addresses)):
        seen += 1
        page = OWN_NAMES.sub("", answer.content.decode())
        assert f'<html lang="{pseudo_locale}"' in page or "<html" not in page, name
        faults += [f"{name}: {words}" for words in escapes(page, KNOWN)]
    assert seen > 60
    assert not faults, "\n".join(dict.fromkeys(faults))


def test_letters_are_translated_too(pseudo_locale: str) -> None:
    names = [path for path in TEMPLATES if path.suffix == ".txt"]
    assert len(names) >= 7
    with translation.override(pseudo_locale):
        for path in names:
            context = {"name": "clip.mp4", "reason": "1", "can_log_in": True}
            text = render_to_string(str(path.relative_to(ROOT / "templates")), context)
            assert escapes(text, KNOWN) == [], path.name
            assert CLOSE in text


# The language of an answer


def test_a_page_says_its_language_and_that_it_depends_on_the_visitor(
    alice_client: Client, pseudo_locale: str
) -> None:
    for asked, given in (("de", "de"), ("fr, de;q=0.1", "de"), ("fr", "en"), ("", "en")):
        page = alice_client.get(reverse("analyses"), headers={"accept-language": asked})
        assert page.headers["Content-Language"] == given
        assert "Accept-Language" in page.headers["Vary"]
        assert f'<html lang="{given}"' in page.content.decode()
        assert (OPEN in page.content.decode()) == (given == "de")


def test_only_english_is_offered_before_somebody_translates(client: Client, db: None) -> None:
    assert dict(site_settings.LANGUAGES)["en"] == "English"
    page = client.get("/", headers={"accept-language": "xx"})
    assert page.headers["Content-Language"] == "en"
    assert "Was a face in this video manipulated?" in page.content.decode()


def test_downloads_and_media_say_nothing_of_language(
    alice_client: Client, done: Analysis, pseudo_locale: str
) -> None:
    for name in ("analysis_json", "analysis_csv", "analysis_pdf", "analysis_video"):
        answer = alice_client.get(reverse(name, args=[done.uuid]), headers={"accept-language": "de"})
        assert answer.status_code == 200
        assert "Content-Language" not in answer.headers
        assert "Accept-Language" not in answer.headers.get("Vary", "")


def test_programs_are_told_in_english(api: Client, done: Analysis, pseudo_locale: str) -> None:
    for address in (
        f"/api/v1/analyses/{done.uuid}/",
        "/api/v1/usage/",
        "/api/v1/nothing/",
        "/api/v1/models/",
    ):
        answer = api.get(address, headers={"accept-language": "de"})
        assert OPEN not in answer.content.decode()
        assert "Accept-Language" not in answer.headers.get("Vary", "")
    refused = api.post("/api/v1/analyses/", {}, headers={"accept-language": "de"})
    assert refused.status_code == 400
    assert OPEN not in refused.content.decode()


def test_documents_stay_english_whoever_fetches_them(
    alice_client: Client, done: Analysis, pseudo_locale: str
) -> None:
    english = report_pdf(done)
    with translation.override(pseudo_locale):
        assert report_pdf(done) == english
        assert translation.get_language() == pseudo_locale
    result = alice_client.get(reverse("analysis_json", args=[done.uuid]), headers={"accept-language": "de"})
    assert OPEN not in result.content.decode()


def test_a_full_disk_and_too_many_uploads_are_told_in_the_language_of_the_page(
    alice_client: Client,
    api: Client,
    installed_weights: Path,
    pseudo_locale: str,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    sent = {"Tus-Resumable": "1.0.0", "Upload-Length": "1000", "accept-language": "de"}
    for error in (TooManyOpen(), FULL):
        monkeypatch.setattr("analyses.tus.begin_upload", Failing(error, begin_upload))
        told = alice_client.post(reverse("uploads"), headers=sent).json()
        assert all(told[name].startswith(OPEN) for name in ("message", "hint"))
        assert OPEN not in api.post(reverse("api_uploads"), headers=sent).content.decode()


def test_what_became_of_a_discarded_upload_is_said_in_the_language_of_the_page(
    alice: User, alice_client: Client, pseudo_locale: str
) -> None:
    address = reverse("upload_discard", args=[make_upload(alice, name="{holiday}.mp4").uuid])
    page = alice_client.post(address, follow=True, headers={"accept-language": "de"}).content.decode()
    (said,) = re.findall(r".*{holiday}.*", page)
    assert OPEN in said.partition("{holiday}")[0]


def test_scripts_are_answered_in_the_language_of_their_page(
    alice_client: Client, pseudo_locale: str, settings: Settings
) -> None:
    settings.DETECTOR = settings.DETECTOR.__class__(device="cpu")
    address, wanted = reverse("analysis_new"), {"accept": "application/json", "accept-language": "de"}
    refused = alice_client.post(address, {}, headers=wanted)
    assert refused.status_code == 400
    assert refused.json()["message"].startswith(OPEN)
