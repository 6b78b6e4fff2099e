"""What lies in ``deploy`` and the lock belong to this code: names, commands, options and pins."""

import os
import re
import shlex
import shutil
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml
from django.core.management import get_commands

from truthlens_site import parts
from truthlens_site.environment import FILE_SUFFIX
from truthlens_site.tests.test_settings import asked_settings, read

ROOT = Path(__file__).resolve().parents[2]
DEPLOY = ROOT / "deploy"
UNITS = sorted((DEPLOY / "systemd").glob("*.service"))
FOREIGN = {
    "TRUTHLENS_ENV_FILE", "OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "PATH", "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE", "PIP_DISABLE_PIP_VERSION_CHECK", "PIP_NO_CACHE_DIR",
}  # fmt: skip
"""Names that others read."""
WEB_PORT = 8000


def compose() -> dict[str, Any]:
    return dict(yaml.safe_load((DEPLOY / "compose.yaml").read_text(encoding="utf-8")))


def our_services() -> dict[str, dict[str, Any]]:
    """Those that run this code."""
    services: dict[str, dict[str, Any]] = compose()["services"]
    return {name: entry for name, entry in services.items() if entry["image"].startswith("truthlens:")}


def variables() -> Iterator[tuple[str, str]]:
    """Each name that our own processes are given, with where it stands."""
    for name, entry in our_services().items():
        yield from ((variable, f"compose: {name}") for variable in entry["environment"])
    for unit in UNITS:
        text = unit.read_text(encoding="utf-8")
        yield from ((found, unit.name) for found in re.findall(r"^Environment=(\w+)=", text, re.MULTILINE))
    for block in re.findall(r"^ENV (.*)", dockerfile(), re.MULTILINE):
        yield from ((found, "Dockerfile") for found in re.findall(r"(\w+)=", block))


def dockerfile() -> str:
    return joined(DEPLOY / "Dockerfile")


def joined(path: Path) -> str:
    """The file with lines that go on as one."""
    return path.read_text(encoding="utf-8").replace("\\\n", " ")


def unit_command(unit: Path) -> list[str]:
    match = re.search(r"^ExecStart=(.*)", joined(unit), re.MULTILINE)
    assert match is not None
    return shlex.split(match[1])


def test_every_name_in_the_environment_is_a_setting() -> None:
    settings = asked_settings()
    known = settings | {f"{name}{FILE_SUFFIX}" for name in settings} | FOREIGN
    found = list(variables())
    assert {place for _, place in found} >= {"compose: web", "Dockerfile", UNITS[0].name}
    assert [pair for pair in found if pair[0] not in known] == []


def test_production_starts_with_what_compose_and_the_script_of_secrets_give_it(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    shutil.copy(DEPLOY / "make_secrets.sh", tmp_path)
    command = ["sh", str(tmp_path / "make_secrets.sh")]
    subprocess.run(command, check=True, timeout=30)
    secrets = tmp_path / "secrets"
    first = {path.name: path.read_text(encoding="utf-8") for path in secrets.iterdir()}
    subprocess.run(command, check=True, timeout=30)
    assert {path.name: path.read_text(encoding="utf-8") for path in secrets.iterdir()} == first
    assert secrets.stat().st_mode & 0o077 == 0
    assert {entry["file"].rpartition("/")[2] for entry in compose()["secrets"].values()} == set(first)
    given = {
        name: re.sub(r"\$\{(\w+)[^}]*\}", r"\1.example.org", value).replace("/run/secrets", str(secrets))
        for name, value in our_services()["worker"]["environment"].items()
    }
    settings = read(monkeypatch, tmp_path / "state", **given)
    assert settings["PRODUCTION"] is True
    assert len(settings["SECRET_KEY"]) >= 50
    assert settings["DATABASES"]["default"]["PASSWORD"] == first["postgres_password"]
    assert settings["METRICS_TOKEN"] == first["metrics_token"]
    assert settings["S3_OPTIONS"]["secret_key"] == first["store_key"]
    assert first["store_key"] in first["store_config"]


def test_every_command_that_is_started_is_there() -> None:
    commands = [" ".join(entry.get("command", [])) for entry in our_services().values()]
    commands += [" ".join(unit_command(unit)) for unit in UNITS]
    started = {found for command in commands for found in re.findall(r"manage\.py (\w+)", command)}
    assert started >= {"worker", "housekeeping", "migrate", "make_bucket"}
    assert started <= set(get_commands())


def test_the_web_server_is_started_alike_everywhere() -> None:
    def options(words: list[str]) -> set[tuple[str, ...]]:
        pairs = re.findall(r"(--[\w-]+)(?: (?!--)(\S+))?", " ".join(words))
        return {pair for pair in pairs if pair[0] not in ("--bind", "--graceful-timeout")}

    match = re.search(r"^CMD (\[.*\])", dockerfile(), re.MULTILINE)
    assert match is not None
    image = yaml.safe_load(match[1])
    (unit,) = [unit_command(unit) for unit in UNITS if "web" in unit.name]
    ours = options(parts.web("127.0.0.1", WEB_PORT).command[3:])
    assert options(image) == options(unit[3:]) == ours


def test_the_image_runs_as_nobody_in_particular() -> None:
    users = [line for line in dockerfile().splitlines() if line.startswith("USER ")]
    assert users == ["USER 10001:10001"]
    for entry in our_services().values():
        assert (entry["read_only"], entry["cap_drop"]) == (True, ["ALL"])


def test_the_proxy_keeps_the_inside_to_itself() -> None:
    text = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    assert "@inside path /metrics /readyz" in text
    assert "respond @inside 404" in text


def test_nothing_is_installed_outside_of_a_virtual_environment(tmp_path: Path) -> None:
    (tmp_path / "python").symlink_to(os.path.realpath(sys.executable))
    env = {"PATH": f"{tmp_path}{os.pathsep}{os.environ['PATH']}"}
    command = ["sh", str(DEPLOY / "install.sh"), "neither"]  # were it not refused, it would say so
    done = subprocess.run(command, env=env, capture_output=True, text=True, timeout=30)
    assert (done.returncode, done.stderr.split(",")[0]) == (2, "Make a virtual environment first")


# The lock


def locked() -> dict[str, str]:
    """Versions by name."""
    lines = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    return dict(re.findall(r"^([a-z0-9._-]+)==([^ ;\\]+)", "\n".join(lines), re.MULTILINE))


def test_the_lock_has_every_pin_with_hashes_and_names_no_index() -> None:
    text = (ROOT / "requirements.txt").read_text(encoding="utf-8")
    pins = re.findall(r"^([\w.-]+)(?:\[\w+\])?==(\S+)", text, re.MULTILINE)
    assert len(pins) == len([line for line in text.splitlines() if line and not line.startswith("#")])
    lock = locked()
    assert {name: lock.get(name) for name, _ in pins} == dict(pins)
    content = (ROOT / "requirements.lock").read_text(encoding="utf-8")
    entries = re.split(r"\n(?=[a-z])", content)
    assert all("--hash=sha256:" in entry for entry in entries)
    assert not re.search(r"https?://|file:|index", content)


def test_without_cuda_everything_else_is_installed_by_its_hash() -> None:
    script = joined(DEPLOY / "install.sh")
    assert all("--no-deps" in command for command in re.findall("pip install.*", script))
    match = re.search(r"awk '(.+)' requirements\.lock", script)
    assert match is not None
    run = ["awk", match[1], str(ROOT / "requirements.lock")]
    left = subprocess.run(run, capture_output=True, text=True, check=True, timeout=30).stdout
    kept = set(re.findall(r"^([a-z0-9._-]+)==", left, re.MULTILINE))
    dropped = set(locked()) - kept
    assert {"torch", "torchvision", "triton"} <= dropped
    assert all(name.startswith(("torch", "triton", "nvidia-", "cuda-")) for name in dropped)
    assert {"django", "numpy", "av", "facenet-pytorch"} <= kept


def test_every_test_that_the_threat_model_names_is_there() -> None:
    text = (ROOT / "docs" / "threat-model.md").read_text(encoding="utf-8")
    named = re.findall(r"`([\w/]+\.py)::(test_\w+)`", text)
    assert len(named) > 20
    for file, name in named:
        assert f"def {name}(" in (ROOT / file).read_text(encoding="utf-8"), f"{file}::{name}"
