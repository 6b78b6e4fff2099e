"""What the result page and the report say of where a file comes from."""

import io
from dataclasses import replace

import pytest
from django.test import Client
from pypdf import PdfReader

from accounts.models import User
from analyses import services
from analyses.models import Analysis
from analyses.pdf.document import report_pdf
from analyses.tests.factories import make_done, make_running
from analyses.tests.results import make_provenance, make_rich_result
from analyses.wording import CREDENTIALS
from detector.result import Credentials, CredentialStatus, Provenance, Tag


def page_of(client: Client, analysis: Analysis) -> str:
    return " ".join(client.get(analysis.get_absolute_url()).content.decode().split())


def make_with(alice: User, provenance: Provenance) -> Analysis:
    analysis = make_running(alice)
    result = replace(make_rich_result(analysis.video), provenance=provenance)
    assert services.record_result(analysis=analysis, result=result)
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
