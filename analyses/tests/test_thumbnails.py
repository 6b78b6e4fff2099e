from dataclasses import replace
from io import BytesIO

from PIL import Image

from accounts.models import User
from analyses import claims
from analyses.evidence import open_thumbnail
from analyses.models import Analysis
from analyses.tests.factories import make_done, make_result, make_running, make_video, without_faces
from analyses.thumbnails import SIDE, THUMBNAIL, shrunk


def noise(width: int = 224, height: int = 224) -> bytes:
    """The worst case for a JPEG."""
    out = BytesIO()
    Image.effect_noise((width, height), 90).save(out, "JPEG", quality=90)
    return out.getvalue()


def test_a_crop_becomes_a_few_kilobytes() -> None:
    small = shrunk(noise())
    assert small is not None
    assert len(small) < 8000 < len(noise())
    assert Image.open(BytesIO(small)).size == (SIDE, SIDE)


def test_a_small_crop_is_not_blown_up() -> None:
    small = shrunk(noise(40, 60))
    assert small is not None
    assert Image.open(BytesIO(small)).size == (40, 60)


def test_what_is_no_jpeg_gives_none() -> None:
    assert shrunk(b"\x89PNG\r\n\x1a\n") is None
    assert shrunk(noise()[:200]) is None


def test_the_worker_stores_the_picture_of_the_deciding_face(alice: User) -> None:
    analysis = make_running(alice)
    result = make_result(analysis.video)
    result = replace(result, evidence=(replace(result.evidence[0], crop_jpeg=noise()),))
    assert claims.record_result(analysis=analysis, result=result)
    analysis.refresh_from_db()
    assert analysis.thumbnail == THUMBNAIL
    with open_thumbnail(analysis) as file:
        assert Image.open(file).size == (SIDE, SIDE)


def test_a_crop_that_cannot_be_read_is_its_own_thumbnail(done: Analysis) -> None:
    assert done.thumbnail == "1-0-crop.jpg"


def test_without_a_face_there_is_none(alice: User) -> None:
    video = make_video(alice)
    assert make_done(alice, video=video, result=without_faces(video)).thumbnail == ""
