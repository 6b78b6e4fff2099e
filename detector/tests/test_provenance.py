"""What a file says of where it comes from: its tags, and its Content Credentials in all their states."""

import http.server
import json
import threading
from collections.abc import Iterator
from pathlib import Path

import av
import pytest

from detector import child
from detector.codes import Failure
from detector.config import DetectorConfig, Limits
from detector.errors import AnalysisError
from detector.provenance import ABSENT, UNREAD, credentials_of, provenance_of, reading_credentials
from detector.reading import open_clip
from detector.result import Credentials, CredentialStatus, Provenance
from detector.tags import LONGEST_VALUE, TAGS_ROOM, plain, tools_of
from detector.tests.clips import face_clip
from detector.tests.signing import Authority, authority, sign_clip, tamper

CONFIG = DetectorConfig(device="cpu")


def provenance(path: Path, config: DetectorConfig = CONFIG) -> Provenance:
    with (
        open_clip(path, windows=1, window_length=20, limits=config.limits) as clip,
        reading_credentials(clip.file, clip.facts, config) as credentials,
    ):
        return provenance_of(clip.facts, credentials.collect())


def tagged(
    source: Path, target: Path, tags: dict[str, str], stream_tags: dict[str, str] | None = None
) -> Path:
    """The same pictures in a container with these tags."""
    with (
        av.open(str(source)) as before,
        av.open(str(target), "w", options={"movflags": "use_metadata_tags"}) as after,
    ):
        stream = after.add_stream_from_template(before.streams.video[0])
        after.metadata.update(tags)
        stream.metadata.update(stream_tags or {})
        for packet in before.demux(before.streams.video[0]):
            if packet.size:
                packet.stream = stream
                after.mux(packet)
    return target


@pytest.fixture(scope="module")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return face_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", seconds=1, size=(320, 180), sound=True)


@pytest.fixture(scope="module")
def signed(clip: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return sign_clip(clip, tmp_path_factory.mktemp("signed") / "signed.mp4", authority())


@pytest.fixture
def trusting(tmp_path: Path) -> DetectorConfig:
    return trusting_list(tmp_path, authority())


def trusting_list(folder: Path, *authorities: Authority) -> DetectorConfig:
    path = folder / "trust.pem"
    path.write_text("".join(entry.root for entry in authorities), encoding="ascii")
    return DetectorConfig(device="cpu", trust_list=path)


def test_the_container_tells_its_brand_streams_and_tools(clip: Path) -> None:
    found = provenance(clip)
    assert found.container_read
    assert found.brand == "isom"
    assert [(entry.kind, entry.codec) for entry in found.streams] == [("video", "h264"), ("audio", "aac")]
    assert "16000 Hz, 2 channels" in found.streams[1].details
    assert found.tools == ("FFmpeg or a program that uses it",)
    assert ("video 1", "handler_name", "VideoHandler") in {(t.where, t.name, t.value) for t in found.tags}


def test_dates_and_editing_tools_are_told(clip: Path, tmp_path: Path) -> None:
    tags = {"creation_time": "2024-05-06T07:08:09.000000Z", "software": "Adobe Premiere Pro 2024.1"}
    found = provenance(tagged(clip, tmp_path / "edited.mp4", tags, {"handler_name": "Blackmagic Handler"}))
    assert found.created == "2024-05-06T07:08:09.000000Z"
    assert {"Adobe Premiere", "DaVinci Resolve"} <= set(found.tools)


def test_a_title_is_no_mark_of_a_tool() -> None:
    assert tools_of(
        [("container", "title", "Sora in Las Vegas"), ("container", "encoder", "HandBrake 1.7.2")]
    ) == ["HandBrake"]


def test_what_a_stranger_wrote_is_short_plain_text(clip: Path, tmp_path: Path) -> None:
    tags = {f"note{number}": "𝕏\u202e\n<script>" + "漢" * 5000 for number in range(60)}
    found = provenance(tagged(clip, tmp_path / "noisy.mp4", tags))
    assert found.container_read
    assert 0 < len(found.tags) <= 32
    assert len(json.dumps([tag.value for tag in found.tags])) <= TAGS_ROOM
    for tag in found.tags:
        assert len(tag.value) <= LONGEST_VALUE
        assert tag.value.isprintable()


def test_tags_in_another_encoding_do_not_stop_the_analysis(clip: Path, tmp_path: Path) -> None:
    path = tagged(clip, tmp_path / "latin.mp4", {"title": "Koeln Rede"})
    content = path.read_bytes()
    assert b"Koeln Rede" in content
    path.write_bytes(content.replace(b"Koeln Rede", b"K\xf6\xe4n Rede!"))
    assert any("n Rede!" in tag.value for tag in provenance(path).tags)


def test_without_content_credentials_the_absence_proves_nothing(clip: Path) -> None:
    assert provenance(clip).credentials == Credentials(CredentialStatus.NONE, ABSENT)
    assert "proves nothing" in ABSENT


def test_credentials_of_a_listed_signer_are_trusted(signed: Path, trusting: DetectorConfig) -> None:
    found = provenance(signed, trusting).credentials
    assert found.status == CredentialStatus.TRUSTED
    assert (found.signer, found.title) == ("Test News Agency", "Press conference")
    assert found.generator == "Test Camera 1.0"
    assert found.actions == ("c2pa.created (digitalCapture)",)


def test_credentials_of_an_unlisted_signer_are_untrusted(signed: Path, tmp_path: Path) -> None:
    found = provenance(signed, trusting_list(tmp_path, authority("Somebody Else"))).credentials
    assert found.status == CredentialStatus.UNTRUSTED
    assert "not on this site’s trust list" in found.reason


def test_without_a_trust_list_nobody_is_trusted(signed: Path) -> None:
    found = provenance(signed).credentials
    assert found.status == CredentialStatus.UNTRUSTED
    assert "this site has no trust list" in found.reason


def test_a_file_that_was_changed_after_it_was_signed_is_invalid(
    signed: Path, tmp_path: Path, trusting: DetectorConfig
) -> None:
    found = provenance(tamper(signed, tmp_path / "changed.mp4"), trusting).credentials
    assert found.status == CredentialStatus.INVALID
    assert found.reason == "The file was changed after it was signed."


def test_credentials_that_are_damaged_are_invalid(signed: Path, tmp_path: Path) -> None:
    content = signed.read_bytes()
    at = content.index(b"jumb") + 40
    broken = tmp_path / "broken.mp4"
    broken.write_bytes(content[:at] + bytes(400) + content[at + 400 :])
    assert provenance(broken).credentials.status == CredentialStatus.INVALID


def test_an_avi_can_hold_them_too(tmp_path: Path, trusting: DetectorConfig) -> None:
    clip = face_clip(tmp_path / "a.avi", seconds=1, size=(320, 180), codec="mpeg4")
    assert provenance(clip).credentials.status == CredentialStatus.NONE
    signed = sign_clip(clip, tmp_path / "signed.avi", authority())
    assert provenance(signed, trusting).credentials.status == CredentialStatus.TRUSTED


@pytest.mark.parametrize("code", ["pass", "os.abort()", "time.sleep(60)", r"out.write(b'\xff\xff\xff\xff')"])
def test_a_reader_that_dies_or_hangs_costs_nothing_else(
    code: str, signed: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with open_clip(signed, windows=1, window_length=20, limits=Limits()) as clip:
        monkeypatch.setattr(
            child, "BOOT", f"import os, sys, time; out = sys.stdout.buffer; {code}; out.flush()"
        )
        config = DetectorConfig(device="cpu", limits=Limits(decode_wall_s=0.5))
        with reading_credentials(clip.file, clip.facts, config) as credentials:
            assert credentials.collect() == UNREAD
        assert sum(1 for _ in clip.frames()) == 20


def test_a_caller_that_wants_to_stop_is_heard(signed: Path) -> None:
    with (
        open_clip(signed, windows=1, window_length=20, limits=Limits()) as clip,
        reading_credentials(clip.file, clip.facts, CONFIG, lambda: True) as credentials,
        pytest.raises(AnalysisError) as caught,
    ):
        credentials.collect()
    assert caught.value.code == Failure.CANCELLED


@pytest.mark.parametrize(
    "facts", [{}, {"container_facts": None}, {"container_facts": {"brand": 3}}, {"container_facts": "isom"}]
)
def test_a_decoder_that_says_nothing_or_nonsense_leaves_the_container_unread(
    facts: dict[str, object],
) -> None:
    found = provenance_of(facts, UNREAD)
    assert (found.container_read, found.tags, found.credentials) == (False, (), UNREAD)


@pytest.mark.parametrize("message", [{}, {"status": "perfect"}, {"status": "trusted", "reason": 7}])
def test_nonsense_about_credentials_counts_as_not_read(message: dict[str, object]) -> None:
    assert credentials_of(message) == UNREAD


class Recorder(http.server.BaseHTTPRequestHandler):
    asked: list[str] = []  # noqa: RUF012

    def do_GET(self) -> None:
        self.asked.append(self.path)
        self.send_error(404)


@pytest.fixture
def server() -> Iterator[str]:
    Recorder.asked.clear()
    running = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Recorder)
    threading.Thread(target=running.serve_forever, daemon=True).start()
    yield f"http://127.0.0.1:{running.server_port}/manifest.c2pa"
    running.shutdown()
    running.server_close()


def test_nothing_is_fetched(clip: Path, tmp_path: Path, server: str) -> None:
    target = sign_clip(clip, tmp_path / "remote.mp4", authority(), remote=server)
    status = provenance(target).credentials.status
    assert status in (CredentialStatus.NONE, CredentialStatus.UNREAD)
    assert Recorder.asked == []


def test_text_is_made_plain() -> None:
    assert plain(" a\tb\u200b\x00c  ") == "a b c"
    assert plain("x" * 500) == "x" * (LONGEST_VALUE - 1) + "…"
