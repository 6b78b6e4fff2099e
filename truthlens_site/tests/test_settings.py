"""Settings: a fresh clone needs none, and a value that can't be used is told in one sentence."""

import ast
import os
import re
import runpy
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.hashers import make_password
from django.core.exceptions import ImproperlyConfigured
from pytest_django import Settings

from accounts.models import Role
from detector import DetectorConfig
from truthlens_site.tests.site import ROOT, manage, site_environment

SETTINGS = Path(__file__).resolve().parents[1] / "settings.py"
PRODUCTION = {"DEBUG": "false", "SECRET_KEY": "x" * 50, "ALLOWED_HOSTS": "lens.example.org"}

QUOTA_EXAMPLE = "analyses=100,minutes=100,storage=100,running=100"


@pytest.fixture
def state(tmp_path: Path) -> Path:
    return tmp_path / "state"


def read(monkeypatch: pytest.MonkeyPatch, state: Path, **variables: str) -> dict[str, Any]:
    """The settings module as a new process with these variables would see it."""
    for name in list(os.environ):
        monkeypatch.delenv(name)
    for name, value in site_environment(state, **variables).items():
        monkeypatch.setenv(name, value)
    return runpy.run_path(str(SETTINGS))


def test_a_fresh_clone_needs_no_setting(monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    settings = read(monkeypatch, state)
    assert settings["DEBUG"] is False, "errors are shown as pages, not as tracebacks"
    assert settings["SECURE_SSL_REDIRECT"] is False
    assert "localhost" in settings["ALLOWED_HOSTS"]
    assert settings["DETECTOR"] == DetectorConfig()
    assert settings["DATABASES"]["default"]["NAME"] == str(state / "db.sqlite3")
    assert settings["EMBEDDED_BROKER"] is True
    assert settings["REDIS_URL"] == f"unix://{state}/valkey/valkey.sock"


def test_the_secret_key_is_made_once_and_nobody_else_can_read_it(
    monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    first = read(monkeypatch, state)["SECRET_KEY"]
    assert len(first) >= 50
    assert read(monkeypatch, state)["SECRET_KEY"] == first
    assert stat.S_IMODE((state / "secret_key").stat().st_mode) == 0o600
    assert stat.S_IMODE(state.stat().st_mode) == 0o700
    assert [path.name for path in state.iterdir() if path.is_file()] == ["secret_key"]


def test_whoever_likes_signs_up_without_a_letter_unless_settings_say_otherwise(
    monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    settings = read(monkeypatch, state)
    assert (settings["SIGNUP"], settings["ACCOUNT_EMAIL_VERIFICATION"]) == ("open", "none")
    settings = read(monkeypatch, state, SIGNUP="invited", EMAIL_VERIFICATION="true")
    assert (settings["SIGNUP"], settings["ACCOUNT_EMAIL_VERIFICATION"]) == ("invited", "mandatory")
    with pytest.raises(ImproperlyConfigured, match="SIGNUP must be one of open, invited, closed"):
        read(monkeypatch, state, SIGNUP="friends")


def test_letters_are_printed_or_go_to_the_mail_server(monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    assert read(monkeypatch, state)["EMAIL_BACKEND"].endswith("console.EmailBackend")
    settings = read(monkeypatch, state, EMAIL_URL="smtp+tls://user:secret@mail.example.org:587")
    assert settings["EMAIL_BACKEND"].endswith("smtp.EmailBackend")
    assert (settings["EMAIL_HOST"], settings["EMAIL_USE_TLS"]) == ("mail.example.org", True)


def test_passwords_are_hashed_with_argon2(monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    assert read(monkeypatch, state)["PASSWORD_HASHERS"][0].endswith("Argon2PasswordHasher")


def test_the_detector_gets_its_settings(monkeypatch: pytest.MonkeyPatch, state: Path, tmp_path: Path) -> None:
    weights = tmp_path / "own.safetensors"
    weights.touch()
    settings = read(
        monkeypatch, state, BACKBONE="resnet50", MODEL_PATH=str(weights), SEQUENCE_LENGTH="20", DEVICE="cpu",
        CONFIDENCE_THRESHOLD="0.8", BATCH_SIZE="4", FACE_FINDER="haar",
        MAX_VIDEO_SIZE="7", MAX_VIDEO_DURATION="60",
    )  # fmt: skip
    detector: DetectorConfig = settings["DETECTOR"]
    assert (detector.backbone, detector.model_path, detector.sequence_length) == ("resnext50", weights, 20)
    assert (detector.threshold, detector.batch_size, detector.device) == (0.8, 4, "cpu")
    assert detector.face_finder == "haar"
    assert detector.limits.max_bytes == settings["MAX_VIDEO_SIZE_BYTES"] == 7 * 1024 * 1024
    assert detector.limits.max_duration_s == 60


def test_quotas_go_by_role_and_what_is_not_named_keeps_its_default(
    monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    fresh = read(monkeypatch, state)["QUOTAS"]
    assert set(fresh) == set(Role.values)
    assert set(fresh["administrator"].values()) == {None}
    changes = {"QUOTA_USER": "analyses=5, running=unlimited", "QUOTA_ADMINISTRATOR": "minutes=9"}
    given = read(monkeypatch, state, **changes)["QUOTAS"]
    assert given["user"] == {**fresh["user"], "analyses": 5, "running": None}
    assert given["moderator"] == fresh["moderator"]
    assert given["administrator"] == {**fresh["administrator"], "minutes": 9}


def test_an_env_file_is_read_and_the_environment_wins(
    monkeypatch: pytest.MonkeyPatch, state: Path, tmp_path: Path
) -> None:
    env_file = tmp_path / "env"
    env_file.write_text("BATCH_SIZE=3\nDEVICE=cpu\n", encoding="utf-8")
    settings = read(monkeypatch, state, TRUTHLENS_ENV_FILE=str(env_file), BATCH_SIZE="5")
    assert (settings["DETECTOR"].batch_size, settings["DETECTOR"].device) == (5, "cpu")


def test_development_shows_tracebacks_and_needs_nothing_more(
    monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    settings = read(monkeypatch, state, DEBUG="true")
    assert (settings["DEBUG"], settings["SECURE_SSL_REDIRECT"]) == (True, False)
    assert (state / "secret_key").exists()


def test_production_is_strict(monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    settings = read(monkeypatch, state, **PRODUCTION)
    assert settings["SECRET_KEY"] == PRODUCTION["SECRET_KEY"]
    assert settings["ALLOWED_HOSTS"] == ["lens.example.org"]
    for name in ("SECURE_SSL_REDIRECT", "SESSION_COOKIE_SECURE", "CSRF_COOKIE_SECURE"):
        assert settings[name] is True, name
    assert settings["SECURE_HSTS_SECONDS"] > 0
    assert not (state / "secret_key").exists()


def test_passwords_are_stored_with_argon2(
    monkeypatch: pytest.MonkeyPatch, state: Path, settings: Settings
) -> None:
    settings.PASSWORD_HASHERS = read(monkeypatch, state)["PASSWORD_HASHERS"]
    assert make_password("correct horse battery").startswith("argon2$argon2id$")


def test_a_secret_key_is_taken_as_written(monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    key = "$ecret#" + "x" * 43
    assert read(monkeypatch, state, **PRODUCTION | {"SECRET_KEY": key})["SECRET_KEY"] == key


def test_a_long_path_gets_a_short_socket_of_its_own(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    sockets = set()
    for name in ("a" * 120, "b" * 120):
        settings = read(monkeypatch, tmp_path / name)
        sockets.add(settings["REDIS_URL"])
        assert len(str(settings["BROKER_SOCKET"])) <= 100
    assert len(sockets) == 2


def test_another_broker_and_database_are_taken_by_url(monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    settings = read(
        monkeypatch, state, REDIS_URL="redis://broker:6379/1", DATABASE_URL="postgres://me:pw@db:5433/lens"
    )
    assert settings["EMBEDDED_BROKER"] is False
    assert settings["RQ_QUEUES"]["default"]["URL"] == "redis://broker:6379/1"
    database = settings["DATABASES"]["default"]
    assert (database["HOST"], database["PORT"], database["NAME"]) == ("db", 5433, "lens")
    assert "OPTIONS" not in database


def test_the_api_gets_its_rates(monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    settings = read(monkeypatch, state, API_RATE_UPLOAD="5/hour", REDIS_URL="redis://broker:6379/1")
    assert settings["API_RATES"]["upload"] == (5, 3600)
    assert settings["API_RATES"]["read"] == (600, 60)
    assert settings["CACHES"]["default"]["LOCATION"] == "redis://broker:6379/1"


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        ({"DEBUG": "maybe"}, "DEBUG must be true or false, not 'maybe'."),
        ({"BATCH_SIZE": "many"}, "BATCH_SIZE must be a whole number, not 'many'."),
        ({"BATCH_SIZE": "0"}, "BATCH_SIZE must be from 1 to 1024, not 0."),
        ({"SEQUENCE_LENGTH": "41"}, "SEQUENCE_LENGTH must be from 20 to 40, not 41."),
        ({"CONFIDENCE_THRESHOLD": "high"}, "CONFIDENCE_THRESHOLD must be a number, not 'high'."),
        ({"CONFIDENCE_THRESHOLD": "0.5"}, "CONFIDENCE_THRESHOLD must lie between 0.5 and 1, not 0.5."),
        ({"CONFIDENCE_THRESHOLD": "nan"}, "CONFIDENCE_THRESHOLD must lie between 0.5 and 1, not nan."),
        ({"BACKBONE": "vgg"}, "BACKBONE must be one of efficientnet, resnext50, not 'vgg'."),
        ({"DEVICE": "tpu"}, "DEVICE must be one of auto, cpu, cuda, not 'tpu'."),
        ({"C2PA_TRUST_LIST": __file__}, f"C2PA_TRUST_LIST: {__file__} holds no certificates in PEM."),
        ({"FACE_FINDER": "eyes"}, "FACE_FINDER must be one of mtcnn, haar, not 'eyes'."),
        ({"MODEL_PATH": "/nowhere.safetensors"}, "MODEL_PATH: there is no file /nowhere.safetensors."),
        ({"MEDIA_ROOT": "/dev/null"}, "MEDIA_ROOT: the folder /dev/null can't be made (File exists)."),
        ({"MAX_VIDEO_SIZE": "-1"}, "MAX_VIDEO_SIZE must be from 1 to 1000000, not -1."),
        ({"DATABASE_URL": "mysql://x"}, "DATABASE_URL must begin with one of sqlite:///, postgres://, postgresql://."),
        ({"REDIS_URL": "http://x"}, "REDIS_URL must begin with one of redis://, rediss://, unix://."),
        ({"LOG_LEVEL": "LOUD"}, "LOG_LEVEL must be one of DEBUG, INFO, WARNING, ERROR, not 'LOUD'."),
        ({"API_RATE_READ": "fast"}, "API_RATE_READ must be a rate such as 60/minute, not 'fast'."),
        ({"API_RATE_WRITE": "0/day"}, "API_RATE_WRITE must be a rate such as 60/minute, not '0/day'."),
        ({"API_RATE_DETECT": "9/week"}, "API_RATE_DETECT must be a rate such as 60/minute, not '9/week'."),
        ({"DETECT_WAITERS": "-1"}, "DETECT_WAITERS must be from 0 to 1000, not -1."),
        ({"EMAIL_URL": "pigeon://x"}, "EMAIL_URL must be a mail URL such as smtp+tls://user@host:587."),
        ({"QUOTA_USER": "analyses=none"}, f"QUOTA_USER must be like {QUOTA_EXAMPLE}, not 'analyses=none'."),
        ({"QUOTA_USER": "analyses=0"}, f"QUOTA_USER must be like {QUOTA_EXAMPLE}, not 'analyses=0'."),
        ({"QUOTA_MODERATOR": "disk=5"}, f"QUOTA_MODERATOR must be like {QUOTA_EXAMPLE}, not 'disk=5'."),
        ({"DEBUG": "false"}, "SECRET_KEY must be set when DEBUG is false."),
        (PRODUCTION | {"ALLOWED_HOSTS": ","}, "ALLOWED_HOSTS must name the hosts when DEBUG is false."),
    ],
)  # fmt: skip
def test_a_bad_value_is_told_in_one_sentence(
    monkeypatch: pytest.MonkeyPatch, state: Path, variables: dict[str, str], sentence: str
) -> None:
    with pytest.raises(ImproperlyConfigured) as refusal:
        read(monkeypatch, state, **variables)
    assert str(refusal.value) == sentence


@pytest.mark.parametrize("command", ["check", "up", "worker"])
def test_a_bad_value_ends_the_start_without_a_traceback(state: Path, command: str) -> None:
    refused = manage(state, command, CONFIDENCE_THRESHOLD="2")
    assert refused.returncode == 1
    assert refused.stdout == ""
    assert refused.stderr == (
        "TruthLens can't start: CONFIDENCE_THRESHOLD must lie between 0.5 and 1, not 2.0.\n"
    )


def test_a_bad_value_ends_gunicorn_without_a_traceback(state: Path) -> None:
    command = [sys.executable, "-m", "gunicorn", "--bind", "127.0.0.1:0", "--no-control-socket"]
    refused = subprocess.run(
        [*command, "truthlens_site.wsgi"],
        cwd=ROOT,
        env=site_environment(state, CONFIDENCE_THRESHOLD="2"),
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert refused.returncode == 3  # its word for a start that is not worth another try
    assert "TruthLens can't start: CONFIDENCE_THRESHOLD must lie between" in refused.stderr
    assert "Traceback" not in refused.stderr


@pytest.mark.slow
def test_production_passes_djangos_deployment_check(state: Path) -> None:
    secret = "".join(chr(33 + 7 * i % 90) for i in range(60))
    checked = manage(
        state, "check", "--deploy", "--fail-level", "WARNING", **PRODUCTION | {"SECRET_KEY": secret}
    )
    assert checked.returncode == 0, checked.stderr


def test_letters_lead_to_the_first_host_unless_told_otherwise(
    monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    hosts = PRODUCTION | {"ALLOWED_HOSTS": "lens.example.org,other.example.org"}
    assert read(monkeypatch, state, **hosts)["SITE_URL"] == "https://lens.example.org"
    assert read(monkeypatch, state, **hosts, HTTPS="false")["SITE_URL"] == "http://lens.example.org"
    told = read(monkeypatch, state, **hosts, SITE_URL="https://www.example.org/")
    assert told["SITE_URL"] == "https://www.example.org"
    assert read(monkeypatch, state)["SITE_URL"] == "", "there `up` says where it listens"


def asked_settings() -> set[str]:
    """The variables that the settings ask for."""
    calls = (
        node
        for node in ast.walk(ast.parse(SETTINGS.read_text(encoding="utf-8")))
        if isinstance(node, ast.Call)
    )
    return {
        str(call.args[0].value)
        for call in calls
        if isinstance(call.func, ast.Attribute)
        and isinstance(call.func.value, ast.Name)
        and call.func.value.id == "env"
        and isinstance(call.args[0], ast.Constant)
    }


def shown_settings() -> list[str]:
    """The variables that the example file shows."""
    text = (SETTINGS.parents[1] / ".env.example").read_text(encoding="utf-8")
    return re.findall(r"^#?([A-Z0-9_]+)=", text, re.MULTILINE)


def test_the_example_file_shows_every_setting_once_and_no_other() -> None:
    shown = shown_settings()
    assert sorted(shown) == sorted(set(shown))
    assert set(shown) == asked_settings()


def test_the_example_file_sets_nothing(monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    example = SETTINGS.parents[1] / ".env.example"
    lines = example.read_text(encoding="utf-8").splitlines()
    assert all(not line or line.startswith("#") for line in lines)


def test_a_secret_may_come_in_a_file(monkeypatch: pytest.MonkeyPatch, state: Path, tmp_path: Path) -> None:
    key = "$ecret#" + "y" * 43
    secret = tmp_path / "key"
    secret.write_text(f"{key}\n", encoding="utf-8")
    variables = {**PRODUCTION, "SECRET_KEY_FILE": str(secret)}
    del variables["SECRET_KEY"]
    assert read(monkeypatch, state, **variables)["SECRET_KEY"] == key


@pytest.mark.parametrize(
    ("variables", "sentence"),
    [
        (
            PRODUCTION | {"SECRET_KEY_FILE": "x"},
            "SECRET_KEY and SECRET_KEY_FILE are both set; keep one of them.",
        ),
        (
            {"DATABASE_URL_FILE": "/nowhere"},
            "DATABASE_URL_FILE: the file /nowhere can't be read (No such file",
        ),
        (
            {"REDIS_URL_FILE": sys.executable},
            "REDIS_URL_FILE: the file .* can't be read \\(it is not text\\)",
        ),
        (
            PRODUCTION | {"SECRET_KEY": "k" * 49},
            "SECRET_KEY must be random, secret and at least 50 characters",
        ),
        (PRODUCTION | {"SECRET_KEY": "Django-insecure-" + "k" * 40}, "SECRET_KEY must be random"),
        (PRODUCTION | {"SECRET_KEY": "fifty-random-characters" + "k" * 40}, "SECRET_KEY must be random"),
        (PRODUCTION | {"ALLOWED_HOSTS": "lens.example.org,*"}, "ALLOWED_HOSTS must name hosts; \\* would"),
        (PRODUCTION | {"ALLOWED_HOSTS": "."}, "ALLOWED_HOSTS must name hosts"),
        ({"DEBUG": "true", "ALLOWED_HOSTS": "lens.example.org"}, "DEBUG is true, which shows tracebacks"),
        ({"DEBUG": "true", "ALLOWED_HOSTS": "*"}, "DEBUG is true, which shows tracebacks"),
        ({"LOG_FORMAT": "xml"}, "LOG_FORMAT must be one of text, json, not 'xml'."),
        ({"WORKER_QUEUES": "gpu,fast"}, "WORKER_QUEUES must be out of chores, gpu, default, not 'fast'."),
        (
            {"GPU_ANALYSES": "vgg"},
            "GPU_ANALYSES must be out of all, stability, efficientnet, resnext50, not 'vgg'.",
        ),
    ],
)
def test_what_would_be_unsafe_or_unclear_ends_the_start(
    monkeypatch: pytest.MonkeyPatch, state: Path, variables: dict[str, str], sentence: str
) -> None:
    sentence = sentence if "\\" in sentence or ".*" in sentence else re.escape(sentence)
    with pytest.raises(ImproperlyConfigured, match=sentence):
        read(monkeypatch, state, **variables)


def test_development_on_this_machine_is_left_alone(monkeypatch: pytest.MonkeyPatch, state: Path) -> None:
    assert read(monkeypatch, state, DEBUG="true", ALLOWED_HOSTS="localhost,127.0.0.1")["DEBUG"] is True


def test_without_its_setting_no_error_is_reported_anywhere(
    monkeypatch: pytest.MonkeyPatch, state: Path
) -> None:
    started: list[str] = []
    monkeypatch.setattr("truthlens_site.reporting.start_reporting", lambda dsn, **_: started.append(dsn))
    read(monkeypatch, state)
    assert started == []
    read(monkeypatch, state, SENTRY_DSN="https://key@sentry.example.org/1")
    assert started == ["https://key@sentry.example.org/1"]


@pytest.mark.parametrize(
    ("variables", "origin"),
    [
        ({"S3_ENDPOINT_URL": "http://minio:9000/"}, "http://minio:9000"),
        ({"S3_ENDPOINT_URL": "http://minio:9000", "S3_PUBLIC_URL": "https://files.example.org"}, "https://files.example.org"),
        ({"S3_REGION": "eu-central-1"}, "https://clips.s3.eu-central-1.amazonaws.com"),
        ({"S3_ENDPOINT_URL": "https://store.example.org", "S3_ADDRESSING": "virtual"}, "https://clips.store.example.org"),
    ],
)  # fmt: skip
def test_a_bucket_moves_the_files_there_and_lets_pages_show_them(
    monkeypatch: pytest.MonkeyPatch, state: Path, variables: dict[str, str], origin: str
) -> None:
    assert read(monkeypatch, state)["STORAGES"]["default"]["BACKEND"].endswith("FileSystemStorage")
    settings = read(monkeypatch, state, S3_BUCKET="clips", **variables)
    assert settings["STORAGES"]["default"]["BACKEND"] == "analyses.object_storage.ObjectStorage"
    policy = settings["CONTENT_SECURITY_POLICY"]["DIRECTIVES"]
    assert origin in policy["media-src"]
    assert origin in policy["img-src"]
    assert origin not in policy["default-src"]
