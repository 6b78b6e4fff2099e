"""``up`` with its real parts: broker, worker and web server in processes of their own."""

import http.client
import json
import os
import re
import signal
import socket
import sqlite3
import urllib.request
from collections.abc import Iterator
from contextlib import closing
from http.client import HTTPResponse
from pathlib import Path
from typing import Any
from urllib.error import HTTPError

import psycopg
import pytest

from detector.tests.clips import face_clip
from detector.tests.tiny import write_tiny_weights
from truthlens_site.tests.services import free_port, wait_until
from truthlens_site.tests.site import RunningSite, fresh_site, manage, put_database, running_site

pytestmark = [pytest.mark.slow, pytest.mark.timeout(180)]
PARTS = ("broker", "worker", "web")
LIGHT = {"FACE_FINDER": "haar"}
"""Loads in a fraction of the time; for sites that judge nothing."""


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningSite]:
    with fresh_site(tmp_path_factory.mktemp("site")) as site:
        yield site


def health(site: RunningSite) -> dict[str, Any]:
    """What /readyz says; empty while the web server is away."""
    address = f"http://127.0.0.1:{site.port}/readyz"
    try:
        with urllib.request.urlopen(address, timeout=20) as response:
            return dict(json.load(response))
    except HTTPError as error:
        return dict(json.load(error))
    except OSError:
        return {}


def works(site: RunningSite) -> bool:
    answers = health(site)
    return all(answers.get(name) for name in ("database", "broker", "worker"))


def test_it_says_in_one_line_each_what_it_started_and_where_to_click(site: RunningSite) -> None:
    for part in PARTS:
        assert site.output.count(f"Started {part} (process ") >= 1
    assert f"TruthLens is ready: http://127.0.0.1:{site.port}/" in site.output


def test_the_first_administrator_can_log_in_with_the_password_that_was_printed(site: RunningSite) -> None:
    (line,) = [line for line in site.output.splitlines() if "first administrator" in line]
    password = line.split("password ")[1].split(" ")[0]
    script = (
        "from django.contrib.auth import authenticate;"
        f"print(authenticate(None, email='admin@localhost', password={password!r}).is_superuser)"
    )
    assert manage(site.state, "shell", "--no-imports", "-c", script).stdout.strip() == "True"


def test_pages_and_their_style_sheets_are_served(site: RunningSite) -> None:
    for path in ("/accounts/login/", "/static/admin/css/base.css"):
        with urllib.request.urlopen(f"http://127.0.0.1:{site.port}{path}", timeout=10) as response:
            assert response.status == 200


def test_an_address_that_does_not_exist_gets_our_own_page(site: RunningSite) -> None:
    with pytest.raises(HTTPError) as answer:
        urllib.request.urlopen(f"http://127.0.0.1:{site.port}/nowhere", timeout=10)
    page = answer.value.read().decode()
    assert answer.value.code == 404
    assert "There is nothing at this address" in page
    assert "urlpatterns" not in page
    assert "DEBUG" not in page


def test_a_second_start_on_the_same_state_is_refused_with_one_sentence(site: RunningSite) -> None:
    second = manage(site.state, "up", "--port", str(free_port()))
    assert second.returncode == 1
    assert second.stdout == ""
    assert second.stderr.strip() == (
        f"CommandError: TruthLens already runs on {site.state} (process {site.process.pid})."
    )


@pytest.mark.parametrize("part", PARTS)
def test_a_part_that_is_killed_is_started_again(site: RunningSite, part: str) -> None:
    wait_until(lambda: works(site), seconds=60, what="the site's work")
    victim = site.pid(part)
    os.kill(victim, signal.SIGKILL)
    wait_until(lambda: site.pid(part) != victim, seconds=30, what=f"another {part}")
    wait_until(lambda: works(site), seconds=60, what="the site's work")
    assert f"The {part} ended (signal 9)" in site.output


def test_the_web_server_never_imports_torch(site: RunningSite) -> None:
    wait_until(lambda: works(site), seconds=60, what="the site's work")
    web = [pid for pid in site.processes() if os.getpgid(pid) == site.pid("web")]
    assert len(web) == 2  # gunicorn and its worker
    for pid in web:
        assert "libtorch" not in Path(f"/proc/{pid}/maps").read_text(encoding="utf-8")


def test_no_analysis_is_lost_when_every_part_is_killed(tmp_path: Path) -> None:
    """Two waiting clips: the worker dies in one of them, the broker and the web server die too."""
    clip = face_clip(tmp_path / "clip.mp4", seconds=1)
    weights = write_tiny_weights(tmp_path / "weights")
    with running_site(tmp_path, MODEL_PATH=str(weights), **LIGHT) as site:
        queued = manage(
            site.state, "shell", "-c", SUBMIT.format(clip=str(clip), count=2), MODEL_PATH=str(weights)
        )
        assert queued.returncode == 0, queued.stderr
        wait_until(lambda: states(site).get("running"), seconds=60, what="the first analysis")
        for part in PARTS:
            os.kill(site.pid(part), signal.SIGKILL)
        wait_until(lambda: states(site) == {"done": 2}, seconds=90, what="the end of all analyses")


SUBMIT = """
from django.core.files.uploadedfile import SimpleUploadedFile
from analyses.services import submit_analysis
content = open({clip!r}, "rb").read()
for number in range({count}):
    upload = SimpleUploadedFile(f"{{number}}.mp4", content + bytes([number]), "video/mp4")
    submit_analysis(owner=User.objects.get(), upload=upload)
"""


def states(site: RunningSite) -> dict[str, int]:
    """How many analyses are in which state, read from the database itself."""
    with closing(sqlite3.connect(site.state / "db.sqlite3", timeout=10)) as database:
        return dict(
            database.execute("SELECT state, COUNT(*) FROM analyses_analysis GROUP BY state").fetchall()
        )


@pytest.mark.service
def test_it_works_on_postgresql_and_a_redis_of_ones_own(
    tmp_path: Path, postgres_url: str, redis_server: str
) -> None:
    variables = {
        "DATABASE_URL": postgres_url,
        "REDIS_URL": redis_server,
        "MODEL_PATH": str(write_tiny_weights(tmp_path / "weights")),
        **LIGHT,
    }
    clip = face_clip(tmp_path / "clip.mp4", seconds=1)
    with running_site(tmp_path, **variables) as site:
        assert "Started broker" not in site.output
        queued = manage(site.state, "shell", "-c", SUBMIT.format(clip=str(clip), count=1), **variables)
        assert queued.returncode == 0, queued.stderr
        with psycopg.connect(postgres_url, autocommit=True, connect_timeout=5) as database:
            wait_until(
                lambda: database.execute("SELECT state FROM analyses_analysis").fetchone() == ("done",),
                seconds=60,
                what="the analysis",
            )
        wait_until(lambda: health(site).get("ready"), seconds=10, what="the word that the model is loaded")
        assert not (site.state / "db.sqlite3").exists()


def behind_a_proxy(address: str) -> HTTPResponse:
    """Opens a page as a proxy does that speaks https to the visitor."""
    request = urllib.request.Request(address, headers={"X-Forwarded-Proto": "https"})
    response = urllib.request.urlopen(request, timeout=10)
    assert isinstance(response, HTTPResponse)
    return response


def test_production_serves_hashed_files_and_asks_for_https(tmp_path: Path) -> None:
    production = {
        "DEBUG": "false",
        "SECRET_KEY": "x" * 50,
        "ALLOWED_HOSTS": "127.0.0.1",
        "TRUSTED_PROXIES": "1",
        **LIGHT,
    }
    with running_site(tmp_path, **production) as site:
        assert health(site)["database"], "a monitor without https gets its answer"
        page = f"http://127.0.0.1:{site.port}/accounts/login/"
        plain = http.client.HTTPConnection("127.0.0.1", site.port, timeout=10)
        plain.request("GET", "/accounts/login/")
        assert plain.getresponse().getheader("Location") == page.replace("http:", "https:")
        with behind_a_proxy(page) as response:
            assert "max-age" in response.headers["Strict-Transport-Security"]
            styles = re.findall(r'href="(/static/[^"]+\.[0-9a-f]{12}\.css)"', response.read().decode())
        assert styles
        with behind_a_proxy(f"http://127.0.0.1:{site.port}{styles[0]}") as response:
            assert "immutable" in response.headers["Cache-Control"]


def test_sigterm_ends_everything_and_a_second_start_keeps_the_state(tmp_path: Path) -> None:
    """An upload that was half sent goes on after it."""
    content = face_clip(tmp_path / "clip.mp4", seconds=1).read_bytes()
    half = len(content) // 2
    with running_site(tmp_path, **LIGHT) as site:
        authorization = f"Token {manage(site.state, 'shell', '-c', NEW_TOKEN).stdout.split()[-1]}"
        begun = tus(site, "POST", "/api/v1/uploads/", authorization, upload_length=str(len(content)))
        address = begun.headers["Location"].removeprefix(site.url)
        tus(site, "PATCH", address, authorization, content[:half], upload_offset="0")
        site.process.send_signal(signal.SIGTERM)
        assert site.process.wait(timeout=15) == 0
        assert site.output.rstrip().endswith("Stopped.")
        assert site.processes() == []
    with running_site(tmp_path, TRUTHLENS_STATE=str(site.state), **LIGHT) as again:
        assert "first administrator" not in again.output
        assert tus(again, "HEAD", address, authorization).headers["Upload-Offset"] == str(half)
        sent = tus(again, "PATCH", address, authorization, content[half:], upload_offset=str(half))
        assert sent.headers["Upload-Offset"] == str(len(content))
        assert sum(states(again).values()) == 1
        again.process.send_signal(signal.SIGINT)
        assert again.process.wait(timeout=15) == 0
        assert again.processes() == []


NEW_TOKEN = """
from accounts.models import Scope
from accounts.tokens import create_token
print(create_token(owner=User.objects.get(), name="script", scope=Scope.WRITE)[1])
"""


def tus(
    site: RunningSite, method: str, address: str, authorization: str, content: bytes = b"", **headers: str
) -> HTTPResponse:
    """One step of a resumable upload, done."""
    sent = {name.replace("_", "-").title(): value for name, value in headers.items()}
    sent |= {"Tus-Resumable": "1.0.0", "Authorization": authorization}
    if method == "PATCH":
        sent["Content-Type"] = "application/offset+octet-stream"
    elif method == "POST":
        sent["Upload-Metadata"] = "filename Y2xpcC5tcDQ="
    request = urllib.request.Request(site.url + address, content or None, sent, method=method)
    response = urllib.request.urlopen(request, timeout=20)
    assert isinstance(response, HTTPResponse)
    return response


def test_nothing_survives_when_it_is_killed_itself_even_on_a_long_path(tmp_path: Path) -> None:
    with running_site(tmp_path, TRUTHLENS_STATE=str(tmp_path / ("long" * 40)), **LIGHT) as site:
        assert health(site)["broker"]
        assert len(site.processes()) > len(PARTS)
        site.process.kill()
        wait_until(lambda: not site.processes(), seconds=15, what="the end of all processes")


def test_a_port_in_use_is_told_in_one_sentence(tmp_path: Path) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = other.getsockname()[1]
        refused = manage(tmp_path, "up", "--port", str(port))
    assert refused.returncode == 1
    assert refused.stderr.strip() == (
        f"CommandError: Port {port} on 127.0.0.1 is in use by another program; choose another with --port."
    )


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            {"TRUTHLENS_ADMIN_PASSWORD": "short"},
            "The first administrator can't be made: This password is too",
        ),
        ({"TRUTHLENS_ADMIN_EMAIL": "nobody"}, "The first administrator can't be made: Enter a valid email"),
        ({"DATABASE_URL": "postgres://nobody@127.0.0.1:1/nothing"}, "The database can't be used: "),
    ],
)
def test_what_it_can_not_start_with_is_told_without_a_traceback(
    tmp_path: Path, variables: dict[str, str], sentence: str
) -> None:
    put_database(tmp_path)
    refused = manage(tmp_path, "up", "--port", str(free_port()), **variables)
    assert refused.returncode == 1
    assert sentence in refused.stderr
    assert "Traceback" not in refused.stderr
