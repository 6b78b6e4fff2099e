"""Files in an object store: a clip's whole life, what a stranger gets, and a store that is away."""

from collections.abc import Callable, Iterator
from datetime import timedelta
from io import StringIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from django.core.files.storage import default_storage
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.test import Client
from django.urls import reverse
from pytest_django import Settings

from accounts.models import User
from analyses import claims, scratch, services
from analyses.export_services import delete_export
from analyses.models import Analysis, State, Video
from analyses.presence import HOST, WORKER
from analyses.scratch import NoRoom, own_folder, scratch_copy
from analyses.storage import StorageAway, on_disk, stored_evidence_sizes
from analyses.strays import remove_strays
from analyses.tasks import run_analysis, run_copy
from analyses.tests.factories import JPEG, MP4_BYTES, make_analysis, make_done, make_export, make_link
from analyses.tests.object_store import BUCKET, bucket_at, keys, object_store, storage_settings

pytestmark = pytest.mark.django_db
CROP = "1-0-crop.jpg"


@pytest.fixture(scope="module")
def store() -> Iterator[str]:
    with object_store() as address:
        yield address


@pytest.fixture
def use(settings: Settings) -> Callable[..., None]:
    """Have the site keep its files in the store at an address."""

    def at(address: str, **options: object) -> None:
        settings.S3_BUCKET = BUCKET
        settings.STORAGES = {**settings.STORAGES, "default": storage_settings(address, **options)}

    return at


@pytest.fixture
def bucket(store: str, use: Callable[..., None]) -> Any:
    """An empty bucket, where the site keeps its files."""
    bucket = bucket_at(store)
    bucket.objects.all().delete()
    use(store, querystring_expire=60)
    return bucket


@pytest.fixture
def away(use: Callable[..., None]) -> None:
    """Nobody answers where the store should be."""
    use("http://127.0.0.1:1")
    default_storage.client_config.retries = {"max_attempts": 0}  # type: ignore[attr-defined]


def fetched(response: Any, **headers: str) -> httpx.Response:
    """What a browser gets that follows the redirect."""
    assert response.status_code == 302
    return httpx.get(response["Location"], headers=headers, trust_env=False)


@pytest.mark.slow
@pytest.mark.usefixtures("child")
def test_a_clip_lives_in_the_store_from_its_upload_to_its_end(
    alice_client: Client,
    bob_client: Client,
    bucket: Any,
    clip: Path,
    settings: Settings,
    django_capture_on_commit_callbacks: Any,
) -> None:
    content = clip.read_bytes()
    upload = SimpleUploadedFile("clip.mp4", content, content_type="text/html")
    alice_client.post(reverse("analysis_new"), {"video": upload})
    analysis = Analysis.objects.with_video().get()
    assert keys(bucket) == {analysis.video.file.name}
    run_analysis(str(analysis.uuid))
    analysis.refresh_from_db()
    assert (analysis.state, analysis.failure) == (State.DONE, "")
    images = {f"evidence/{analysis.uuid}/{name}" for name in stored_evidence_sizes(analysis.uuid)}
    assert keys(bucket) == {analysis.video.file.name} | images
    assert len(images) >= 3
    assert not list(Path(settings.MEDIA_ROOT).rglob("*.*"))
    assert list(own_folder().iterdir()) == [], "the worker's copy is gone"
    video = reverse("analysis_video", args=[analysis.uuid])
    part = fetched(alice_client.get(video), Range="bytes=10-19")
    assert (part.status_code, part.content) == (206, content[10:20])
    assert part.headers["Content-Type"] == "video/mp4", "not what the uploader said"
    assert bob_client.get(video).status_code == 404
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_analysis(analysis=analysis)
    assert keys(bucket) == set()


def test_deleting_leaves_no_object(alice: User, bucket: Any, django_capture_on_commit_callbacks: Any) -> None:
    done, export = make_done(alice), make_export(alice)
    assert len(keys(bucket)) == 4
    with django_capture_on_commit_callbacks(execute=True):
        services.delete_analysis(analysis=done)
        delete_export(export=export)
    assert keys(bucket) == set()


@pytest.mark.parametrize(
    ("view", "extra", "kind", "disposition"),
    [
        ("analysis_video", (), "video/mp4", "inline"),
        ("analysis_evidence", (CROP,), "image/jpeg", "inline"),
        ("analysis_thumbnail", (), "image/jpeg", "inline"),
    ],
)
def test_media_come_from_the_store_by_an_address_that_expires(
    alice: User, alice_client: Client, bob_client: Client, client: Client, bucket: Any,
    view: str, extra: tuple[str, ...], kind: str, disposition: str,
) -> None:  # fmt: skip
    url = reverse(view, args=[make_done(alice).uuid, *extra])
    answer = alice_client.get(url)
    got = fetched(answer)
    assert got.status_code == 200
    assert got.content == (MP4_BYTES if view == "analysis_video" else JPEG)
    assert got.headers["Content-Type"] == kind
    assert got.headers["Content-Disposition"].startswith(disposition)
    query = httpx.URL(answer["Location"]).params
    assert query["X-Amz-Expires"] == "60"
    assert "private" in answer["Cache-Control"]
    assert bob_client.get(url).status_code == 404
    assert reverse("account_login") in client.get(url)["Location"]


def test_a_head_request_is_signed_as_one(alice: User, alice_client: Client, bucket: Any) -> None:
    url = reverse("analysis_video", args=[make_done(alice).uuid])
    asked = {method: getattr(alice_client, method)(url)["Location"] for method in ("get", "head")}
    assert len({httpx.URL(address).params["X-Amz-Signature"] for address in asked.values()}) == 2
    assert httpx.head(asked["head"], trust_env=False).status_code == 200


def test_the_api_shared_pages_and_exports_do_the_same(
    alice: User, alice_client: Client, client: Client, api: Client, bob_client: Client, bucket: Any
) -> None:
    done = make_done(alice)
    image = f"/api/v1/analyses/{done.uuid}/evidence/{CROP}"
    answer = api.get(image)
    assert fetched(answer).content == JPEG
    assert api.get(image, headers={"If-None-Match": answer["ETag"]}).status_code == 304
    assert bob_client.get(image).status_code == 404
    assert api.get(f"/api/v1/analyses/{done.uuid}/evidence/other.jpg").status_code == 404
    shared = client.get(reverse("shared_video", args=[make_link(done)[1]]))
    assert fetched(shared).content == MP4_BYTES
    assert shared["Cache-Control"] == "private, no-store"
    export = reverse("export_file", args=[make_export(alice, content=b"a,b\r\n").uuid])
    file = fetched(alice_client.get(export))
    assert (file.content, file.headers["Content-Type"]) == (b"a,b\r\n", "text/csv; charset=utf-8")
    assert file.headers["Content-Disposition"].startswith("attachment")
    assert bob_client.get(export).status_code == 404


def test_reports_and_archives_are_made_of_what_the_store_holds(
    alice: User, alice_client: Client, bucket: Any
) -> None:
    archive = alice_client.get(reverse("analysis_zip", args=[make_done(alice).uuid]))
    assert JPEG in b"".join(archive)


def test_browsers_are_sent_to_the_address_that_they_know(
    store: str, bucket: Any, use: Callable[..., None], alice: User, alice_client: Client
) -> None:
    done = make_done(alice)
    use(store, public_url="https://files.example.org")
    address = httpx.URL(alice_client.get(reverse("analysis_video", args=[done.uuid]))["Location"])
    assert (address.host, address.path) == ("files.example.org", f"/{BUCKET}/{done.video.file.name}")


def test_strays_are_removed_from_the_store_too(
    alice: User, bucket: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    done = make_done(alice)
    owned = keys(bucket)
    bucket.put_object(Key="videos/stray.bin", Body=b"x")
    bucket.put_object(Key="evidence/00000000-0000-4000-8000-000000000000/1.png", Body=b"x")
    monkeypatch.setattr("analyses.strays.STRAY_AFTER", timedelta(seconds=-5))
    assert remove_strays() == 2
    assert keys(bucket) == owned
    assert Video.objects.get().file.name == done.video.file.name


def test_a_clip_whose_object_is_gone_fails_with_its_code(bucket: Any, queued: Analysis) -> None:
    bucket.objects.all().delete()
    run_analysis(str(queued.uuid))
    queued.refresh_from_db()
    assert (queued.state, queued.failure) == (State.FAILED, "unreadable")


def test_a_clip_that_is_cancelled_while_it_is_fetched_is_not_analysed(
    bucket: Any, queued: Analysis, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("analyses.heartbeat.WRITE_EVERY_S", 0.0)
    claim = claims.claim

    def claim_and_cancel(**names: Any) -> Analysis | None:
        analysis = claim(**names)
        services.request_cancel(analysis=Analysis.objects.get(uuid=queued.uuid))
        return analysis

    monkeypatch.setattr(claims, "claim", claim_and_cancel)
    run_analysis(str(queued.uuid))
    queued.refresh_from_db()
    assert queued.state == State.CANCELLED


def test_a_store_that_is_away_costs_no_analysis(alice: User, away: None, settings: Settings) -> None:
    settings.STORAGES, kept = {**settings.STORAGES, "default": LOCAL}, settings.STORAGES
    queued = make_analysis(alice)
    settings.STORAGES = kept
    run_analysis(str(queued.uuid))
    queued.refresh_from_db()
    assert (queued.state, queued.losses, queued.attempts) == (State.QUEUED, 0, 0)


LOCAL = {"BACKEND": "django.core.files.storage.FileSystemStorage"}


def test_a_copy_that_can_not_be_made_for_now_is_given_up(alice: User, away: None, settings: Settings) -> None:
    settings.STORAGES, kept = {**settings.STORAGES, "default": LOCAL}, settings.STORAGES
    done = make_done(alice)
    claims.set_proxy_due(video=done.video, due=True)
    settings.STORAGES = kept
    run_copy(str(done.uuid))
    assert not Video.objects.get().proxy_due


@pytest.mark.usefixtures("installed_weights", "away")
def test_an_upload_to_a_store_that_is_away_is_answered_in_words(alice_client: Client, api: Client) -> None:
    page = alice_client.post(reverse("analysis_new"), {"video": SimpleUploadedFile("a.mp4", MP4_BYTES)})
    assert (page.status_code, page["Retry-After"]) == (503, "60")
    assert "Nothing that was stored is lost" in page.content.decode()
    answer = api.post("/api/v1/analyses/", {"video": SimpleUploadedFile("a.mp4", MP4_BYTES)})
    assert (answer.status_code, answer.json()["code"]) == (503, "storage_away")
    assert Analysis.objects.count() == 0


@pytest.mark.usefixtures("bucket")
def test_a_bucket_is_made_once(store: str, use: Callable[..., None], settings: Settings) -> None:
    use(store, bucket_name="another", region_name="eu-central-1")
    settings.S3_BUCKET = "another"
    said = []
    for _ in range(2):
        out = StringIO()
        call_command("make_bucket", stdout=out)
        said.append(out.getvalue().strip())
    assert said == ["The bucket another was made.", "The bucket another is there."]
    settings.S3_BUCKET = ""
    with pytest.raises(CommandError, match="S3_BUCKET names no bucket"):
        call_command("make_bucket")


def test_the_scratch_folder_has_limits(settings: Settings) -> None:
    settings.SCRATCH_LIMIT_BYTES = 10
    with scratch_copy([b"12345", b"67"], 7, lambda: False) as path:
        assert path.read_bytes() == b"1234567"
        assert path.stat().st_mode & 0o777 == 0o600
        with pytest.raises(NoRoom, match="SCRATCH_LIMIT"), scratch_copy([b"1234"], 4, lambda: False):
            pass
    settings.SCRATCH_LIMIT_BYTES, settings.DISK_RESERVE_BYTES = 0, 1 << 60
    with pytest.raises(NoRoom, match="DISK_RESERVE"), scratch_copy([b"1234"], 4, lambda: False):
        pass
    assert list(own_folder().iterdir()) == []
    assert issubclass(NoRoom, StorageAway), "a full disk is not the clip's fault"


def test_what_a_killed_worker_fetched_is_removed(settings: Settings) -> None:
    folders = {name: Path(settings.SCRATCH_FOLDER) / name for name in (f"{HOST}:1:gone", "elsewhere:1:x")}
    for folder in folders.values():
        folder.mkdir(parents=True)
        (folder / "x.bin").write_bytes(b"x")
        lock = Path(settings.STATE) / "workers" / f"{folder.name}.lock"
        lock.parent.mkdir(parents=True, exist_ok=True)
        lock.touch()
    assert scratch.remove_gone_folders() == 1
    assert [folder.exists() for folder in folders.values()] == [False, True]
    assert own_folder().name == WORKER


def test_a_local_file_is_used_where_it_lies(queued: Analysis) -> None:
    with on_disk(queued.video.file, lambda: True) as path:
        assert path == Path(queued.video.file.path)
    assert path.exists()
