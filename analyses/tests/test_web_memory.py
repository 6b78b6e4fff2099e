"""The web process: no torch, no decoder, little memory, whatever page it serves."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from truthlens_site.tests.services import missing
from truthlens_site.tests.site import put_database

LIMIT_MB = 200
HEAVY = ("torch", "torchvision", "av", "cv2", "numpy", "facenet_pytorch", "boto3", "sentry_sdk")

SERVE = """
import json, re, sys
from pathlib import Path
from truthlens_site.wsgi import application
from django.conf import settings
from django.core.management import call_command
from django.test import Client

settings.ALLOWED_HOSTS = ["testserver"]
call_command("collectstatic", interactive=False, verbosity=0)
from accounts.models import User
from analyses.tests.factories import MP4_BYTES, make_done, make_failed
from django.core.files.uploadedfile import SimpleUploadedFile

alice = User.objects.create_user("alice@example.org", "correct horse battery")
done, failed = make_done(alice), make_failed(alice)
client = Client(raise_request_exception=True)
client.force_login(alice)
page = f"/analyses/{done.uuid}/"
media = ("state/", "fragment/", "result.json", "frames.csv", "video", "evidence/1-0-crop.jpg")
media += ("report.pdf", "evidence.zip")
paths = ["/analyses/", "/analyses/new/", "/analyses/new/webcam/", page, f"/analyses/{failed.uuid}/"]
paths.append(f"{page}compare/{make_done(alice, video=done.video).uuid}/")
paths += [page + piece for piece in media]
api = f"/api/v1/analyses/{done.uuid}/"
results = ("", "result/", "frames/", "result.json", "frames.csv", "evidence/1-0-crop.jpg")
paths += [api + piece for piece in results]
paths += ["/api/v1/analyses/", "/api/v1/models/", "/api/v1/usage/"]
paths += ["/api/schema/", "/api/docs/", "/account/tokens/"]
statuses = {}
for path in paths:
    response = client.get(path)
    b"".join(response) if response.streaming else response.content
    statuses[path] = response.status_code
upload = SimpleUploadedFile("clip.mp4", MP4_BYTES)
again = SimpleUploadedFile("clip.mp4", MP4_BYTES)
detected = client.post("/api/detect", {"video": again}, headers={"Prefer": "wait=0"})
statuses["detect"] = detected.status_code
statuses["upload"] = client.post("/analyses/new/", {"video": upload}).status_code
tus = {"Tus-Resumable": "1.0.0"}
begun = client.post("/uploads/", headers={"Upload-Length": str(len(MP4_BYTES)), **tus})
sent = client.patch(
    begun["Location"], MP4_BYTES, "application/offset+octet-stream", headers={"Upload-Offset": "0", **tus}
)
statuses["pieces"] = sent.status_code
for path in ("/", "/accounts/login/", "/accounts/signup/"):
    statuses[path] = Client().get(path).status_code
status = Path("/proc/self/status")
memory = re.search(r"VmRSS:\\s+(\\d+) kB", status.read_text()) if status.exists() else None
print(json.dumps({"statuses": statuses, "modules": sorted(sys.modules), "kb": memory and int(memory[1])}))
"""


@pytest.fixture(scope="module")
def served(tmp_path_factory: pytest.TempPathFactory, tiny_weights: Path) -> dict[str, object]:
    """Every page served by a fresh process, and what that process looked like afterwards."""
    folder = tmp_path_factory.mktemp("site")
    environment = {
        **os.environ,
        "TRUTHLENS_STATE": str(folder / "state"),
        "TRUTHLENS_ENV_FILE": str(folder / "none"),
        "DJANGO_SETTINGS_MODULE": "truthlens_site.settings",
        "MODEL_PATH": str(tiny_weights),
        "DATABASE_URL": f"sqlite:///{folder / 'state' / 'db.sqlite3'}",
    }
    put_database(folder / "state")
    script = folder / "serve.py"
    script.write_text(SERVE)
    finished = subprocess.run(
        [sys.executable, str(script)],
        env={**environment, "PYTHONPATH": str(Path.cwd())},
        capture_output=True,
        text=True,
        timeout=90,
    )
    assert finished.returncode == 0, finished.stderr
    report: dict[str, object] = json.loads(finished.stdout.splitlines()[-1])
    return report


@pytest.mark.slow
def test_every_page_answers(served: dict[str, object]) -> None:
    statuses = served["statuses"]
    assert isinstance(statuses, dict)
    assert statuses.pop("upload") == 302
    assert statuses.pop("pieces") == 204
    assert statuses.pop("detect") == 202
    assert set(statuses.values()) == {200}


@pytest.mark.slow
def test_no_page_loads_torch_or_a_decoder(served: dict[str, object]) -> None:
    modules = served["modules"]
    assert isinstance(modules, list)
    assert set(HEAVY) & set(modules) == set()


@pytest.mark.slow
def test_the_process_stays_small(served: dict[str, object]) -> None:
    kilobytes = served["kb"]
    if kilobytes is None:
        missing("/proc")
    assert isinstance(kilobytes, int)
    assert kilobytes / 1024 < LIMIT_MB
