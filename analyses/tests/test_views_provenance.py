"""What the result page and the report say of where a file comes from."""

import io
from dataclasses import replace
from pathlib import Path

import pytest
from django.test import Client
from pypdf import PdfReader

from accounts.models import User
from analyses import claims
from analyses.models import Analysis
from analyses.pdf.document import report_pdf
from analyses.tests.factories import make_done, make_running
from analyses.tests.results import make_provenance, make_rich_result
from analyses.wording import CREDENTIALS
from detector.config import DetectorConfig
from detector.result import Credentials, CredentialStatus, Provenance, Tag
from detector.tests.clips import face_clip
from detector.tests.signing import authority, sign_clip, tamper
from detector.tests.test_provenance import provenance as provenance_in


def page_of(client: Client, analysis: Analysis) -> str:
    return " ".join(client.get(analysis.get_absolute_url()).content.decode().split())


def make_with(alice: User, provenance: Provenance) -> Analysis:
    analysis = make_running(alice)
    result = replace(make_rich_result(analysis.video), provenance=provenance)
    assert claims.record_result(analysis=analysis, result=result)
    return Analysis.objects.with_video().get(pk=analysis.pk)


def test_every_status_has_words() -> None:
    assert set(CREDENTIALS) == set(CredentialStatus)


@pytest.mark.parametrize("status", list(CredentialStatus))
def test_page_and_report_tell_the_status_and_its_reason(
    status: CredentialStatus, alice: User, alice_client: Client
) -> None:
    analysis = make_with(alice, make_provenance(status))
    page = page_of(alice_client, analysis)
    assert CREDENTIALS[status] in page
    assert "The reason." in page
    assert ("messengers strip them" in page) == (status == CredentialStatus.NONE)
    assert ("Test News Agency" in page) == (status != CredentialStatus.NONE)
    text = " ".join(entry.extract_text() for entry in PdfReader(io.BytesIO(report_pdf(analysis))).pages)
    assert CREDENTIALS[status] in " ".join(text.split())


@pytest.fixture(scope="module")
def signed_clips(tmp_path_factory: pytest.TempPathFactory) -> dict[CredentialStatus, Path]:
    """A clip without credentials, and copies signed by authorities made here; one was changed afterwards."""
    folder = tmp_path_factory.mktemp("signed")
    plain = face_clip(folder / "plain.mp4", seconds=1, size=(320, 180))
    known = sign_clip(plain, folder / "known.mp4", authority())
    return {
        CredentialStatus.NONE: plain,
        CredentialStatus.TRUSTED: known,
        CredentialStatus.UNTRUSTED: sign_clip(plain, folder / "stranger.mp4", authority("Somebody Else")),
        CredentialStatus.INVALID: tamper(known, folder / "changed.mp4"),
    }


def test_clips_signed_here_are_shown_as_what_they_are(
    signed_clips: dict[CredentialStatus, Path], alice: User, alice_client: Client, tmp_path: Path
) -> None:
    (tmp_path / "trust.pem").write_text(authority().root, encoding="ascii")
    config = DetectorConfig(device="cpu", trust_list=tmp_path / "trust.pem")
    for status, clip in signed_clips.items():
        page = page_of(alice_client, make_with(alice, provenance_in(clip, config)))
        assert CREDENTIALS[status] in page
        assert [words for other, words in CREDENTIALS.items() if other != status and words in page] == []
        assert ("Their absence proves nothing" in page) == (status == CredentialStatus.NONE)


def test_the_page_tells_container_streams_and_tags(alice: User, alice_client: Client) -> None:
    page = page_of(alice_client, make_with(alice, make_provenance()))
    for words in ("brand isom", "2026-01-02T03:04:05", "profile LC, 48000 Hz", "FFmpeg or", "Lavf62"):
        assert words in page


def test_a_result_of_before_says_that_nothing_was_read(alice: User, alice_client: Client) -> None:
    assert "before such facts were read" in page_of(alice_client, make_done(alice))


def test_a_container_that_was_not_read_is_said_so(alice: User, alice_client: Client) -> None:
    unread = Provenance(False, "", "", (), (), (), Credentials(CredentialStatus.UNREAD, "The reason."))
    analysis = make_with(alice, unread)
    page = page_of(alice_client, analysis)
    assert "SHA-256 of the file" in page
    assert page.count(analysis.video.sha256) >= 2
    assert "could not be read. The verdict doesn’t depend on them." in page


def test_what_a_file_says_is_text_and_never_markup(alice: User, alice_client: Client) -> None:
    nasty = "<script>alert(1)</script>"
    said = replace(make_provenance(), tags=(Tag("container", nasty, nasty),), tools=(nasty,))
    analysis = make_with(alice, said)
    assert "<script>alert" not in page_of(alice_client, analysis)
    text = " ".join(entry.extract_text() for entry in PdfReader(io.BytesIO(report_pdf(analysis))).pages)
    assert nasty in text
