import hashlib
import io
from zipfile import ZipFile

import pytest

from accounts.models import User
from analyses.archive import MANIFEST, evidence_zip
from analyses.exports import NotFinished, frames_csv, result_bytes
from analyses.models import Analysis
from analyses.pdf.document import NoResult, report_pdf
from analyses.storage import delete_evidence
from analyses.takeaway import about, downloads_of
from analyses.tests.factories import JPEG, make_done, make_failed, make_running


def archive_of(analysis: Analysis) -> ZipFile:
    return ZipFile(io.BytesIO(b"".join(evidence_zip(analysis))))


def test_everything_is_in_it(done: Analysis) -> None:
    archive = archive_of(done)
    assert archive.testzip() is None
    assert archive.read("result.json") == result_bytes(done)
    assert archive.read("frames.csv").decode() == "".join(frames_csv(done))
    assert archive.read("report.pdf") == report_pdf(done)
    assert archive.read("evidence/1-0-crop.jpg") == JPEG


def test_the_manifest_has_the_sum_of_every_other_file(done: Analysis) -> None:
    archive = archive_of(done)
    lines = (line.split("  ") for line in archive.read(MANIFEST).decode().splitlines())
    sums = {name: digest for digest, name in lines}
    assert set(sums) == set(archive.namelist()) - {MANIFEST}
    for name, digest in sums.items():
        assert hashlib.sha256(archive.read(name)).hexdigest() == digest


def test_no_name_leads_out_of_the_folder(alice: User) -> None:
    analysis = make_done(alice, name="../../etc/cron.d/evil.mp4")
    assert {name.split("/")[0] for name in archive_of(analysis).namelist()} == {
        "report.pdf", "result.json", "frames.csv", "evidence", MANIFEST,
    }  # fmt: skip


def test_the_same_analysis_gives_the_same_bytes(done: Analysis) -> None:
    assert b"".join(evidence_zip(done)) == b"".join(evidence_zip(done))


def test_it_comes_in_pieces(done: Analysis) -> None:
    assert sum(1 for piece in evidence_zip(done) if piece) == 6


def test_pictures_that_are_gone_are_left_out(done: Analysis) -> None:
    delete_evidence(done.uuid)
    assert not any(name.startswith("evidence/") for name in archive_of(done).namelist())


def test_it_is_refused_before_the_first_piece(alice: User) -> None:
    with pytest.raises(NotFinished):
        evidence_zip(make_running(alice))
    with pytest.raises(NoResult):
        evidence_zip(make_failed(alice))


def test_the_page_says_what_can_be_taken_and_about_how_large_it_is(done: Analysis) -> None:
    downloads = {download.view: download for download in downloads_of(done)}
    assert list(downloads) == ["analysis_pdf", "analysis_zip", "analysis_json", "analysis_csv"]
    assert "3 rows" in downloads["analysis_csv"].holds
    assert "2 pictures" in downloads["analysis_zip"].holds
    assert downloads["analysis_json"].size == about(len(result_bytes(done)))


@pytest.mark.parametrize(
    ("size", "words"), [(40, "about 1 kB"), (123_456, "about 117 kB"), (3_456_789, "about 3.3 MB")]
)
def test_sizes_are_in_words(size: int, words: str) -> None:
    assert about(size).replace("\u00a0", " ") == words
