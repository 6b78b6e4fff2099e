"""The arrows between the rooms, as the imports draw them.

    truthlens_site  ->  analyses  ->  accounts       (the site also knows accounts)
                           |
                           +------>  detector        (knows nobody)

    truthlens_client                                  (knows nobody: it speaks to the site's API)

Tests follow the same arrows, and may use any room's test equipment.
"""

import ast
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ROOMS = ("truthlens_site", "accounts", "analyses", "detector", "truthlens_client")
ARROWS = {
    "truthlens_site": {"accounts", "analyses"},
    "analyses": {"accounts", "detector"},
    "accounts": set[str](),
    "detector": set[str](),
    "truthlens_client": set[str](),
}
DOORS = {
    # The only modules that know the detector: one for its work, one for its settings.
    "analyses": {"analyses.detection"},
    "truthlens_site": {"truthlens_site.settings"},
}
WORKSHOPS = ("detector.training", "detector.evaluation")
LIBRARIES = {
    "detector": {
        "numpy", "torch", "torchvision", "safetensors", "facenet_pytorch", "cv2", "av", "c2pa",
        "pytorch_grad_cam",
    },
    "truthlens_client": {"httpx", "tqdm"},
}  # fmt: skip
"""All that these rooms may use beside the standard library."""
API_FRAMEWORKS = ("rest_framework", "drf_spectacular")
API = ("analyses.api",)


def modules(root: Path) -> Iterator[tuple[str, ast.Module]]:
    """Every module of the rooms, by its dotted name."""
    for room in ROOMS:
        for path in sorted((root / room).rglob("*.py")):
            parts = path.relative_to(root).with_suffix("").parts
            name = ".".join(parts[:-1] if parts[-1] == "__init__" else parts)
            yield name, ast.parse(path.read_text(encoding="utf-8"), filename=str(path))


def imports(module: str, tree: ast.Module) -> Iterator[str]:
    """The dotted names that a module imports, anywhere in it, for types alone too."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = node.module or ""
            if node.level:
                base = ".".join([*module.split(".")[: -node.level], base]).rstrip(".")
            yield from (f"{base}.{alias.name}" for alias in node.names)


def is_under(name: str, packages: tuple[str, ...]) -> bool:
    return any(name == package or name.startswith(f"{package}.") for package in packages)


def is_test(module: str) -> bool:
    return "tests" in module.split(".")


def fault(module: str, imported: str) -> str | None:
    """What is wrong with an import, or None."""
    room, target = module.split(".")[0], imported.split(".")[0]
    if is_test(module) and is_test(imported):
        return None
    if is_under(imported, WORKSHOPS) and not is_under(module, WORKSHOPS) and not is_test(module):
        return "serving never imports training or evaluation"
    if target in ROOMS:
        return _wrong_arrow(module, room, target)
    return _wrong_library(module, room, target)


def _wrong_arrow(module: str, room: str, target: str) -> str | None:
    if target == room:
        return None
    if target == "detector" and room in DOORS:
        knows = module in DOORS[room] or is_test(module)
        return None if knows else f"only {', '.join(DOORS[room])} knows the detector"
    return None if target in ARROWS[room] else f"{room} does not know {target}"


def _wrong_library(module: str, room: str, target: str) -> str | None:
    if is_test(module) or target in sys.stdlib_module_names:
        return None
    if room == "analyses" and target in API_FRAMEWORKS:
        return None if is_under(module, API) else "the pages and services do not know the API's framework"
    if room not in LIBRARIES:
        return None
    if room == "detector" and target == "django":
        return None if module == "detector.apps" else "the detector does not know Django"
    allowed = is_under(module, WORKSHOPS) or target in LIBRARIES[room]
    return None if allowed else f"{target} is not one of the {room}'s libraries"


def faults(root: Path) -> list[str]:
    return [
        f"{module} imports {imported}: {wrong}"
        for module, tree in modules(root)
        for imported in imports(module, tree)
        if (wrong := fault(module, imported))
    ]


def faults_of_a_line(root: Path, file: str, line: str) -> list[str]:
    """What is wrong with a room of one file that holds this line."""
    path = root / file
    path.parent.mkdir(parents=True)
    path.write_text(line, encoding="utf-8")
    return faults(root)


def test_every_import_follows_an_arrow() -> None:
    assert faults(ROOT) == []


def test_all_rooms_are_walked() -> None:
    walked = {name for name, _ in modules(ROOT)}
    one_each = {"detector.apps", "analyses.detection", "accounts.models", "truthlens_site.settings"}
    assert one_each | {"truthlens_client.client", "analyses.api.urls"} <= walked


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("accounts/x.py", "from analyses.models import Analysis"),
        ("accounts/x.py", "import detector"),
        ("accounts/tests/x.py", "from truthlens_site import settings"),
        ("analyses/x.py", "from truthlens_site.broker import valkey_command"),
        ("analyses/x.py", "def f():\n    from detector import analyze"),
        ("analyses/views/x.py", "from detector.codes import Failure"),
        ("truthlens_site/x.py", "import detector.pipeline"),
        ("detector/x.py", "from accounts.models import User"),
        ("detector/x.py", "from django.conf import settings"),
        ("detector/x.py", "import redis"),
        ("detector/x.py", "from detector.training.train import run"),
        ("detector/x.py", "from .evaluation import measures"),
        ("detector/tests/x.py", "from analyses import services"),
        ("truthlens_client/x.py", "from analyses.models import Analysis"),
        ("truthlens_client/x.py", "from django.conf import settings"),
        ("truthlens_client/x.py", "import requests"),
        ("truthlens_client/tests/x.py", "from accounts.models import User"),
        ("analyses/x.py", "import truthlens_client"),
        ("analyses/services.py", "from rest_framework.response import Response"),
        ("analyses/views/x.py", "from drf_spectacular.utils import extend_schema"),
        ("analyses/api/x.py", "from detector import analyze"),
    ],
)
def test_a_wrong_arrow_is_found(tmp_path: Path, file: str, line: str) -> None:
    assert len(faults_of_a_line(tmp_path, file, line)) == 1


@pytest.mark.parametrize(
    ("file", "line"),
    [
        ("analyses/detection.py", "from detector import analyze"),
        ("analyses/tests/x.py", "from detector.result import STAGES"),
        ("analyses/tests/x.py", "from truthlens_site.tests.services import running"),
        ("truthlens_site/x.py", "from accounts.models import User"),
        ("detector/apps.py", "from django.apps import AppConfig"),
        ("detector/training/x.py", "import sklearn, detector.training.cache"),
        ("detector/tests/x.py", "from detector.training import samples"),
        ("truthlens_client/x.py", "import httpx, json"),
        ("truthlens_client/tests/x.py", "from analyses.tests.workers import worker"),
        ("analyses/api/x.py", "from rest_framework.views import APIView"),
        ("accounts/x.py", "from rest_framework.exceptions import AuthenticationFailed"),
    ],
)
def test_a_right_arrow_is_not(tmp_path: Path, file: str, line: str) -> None:
    assert faults_of_a_line(tmp_path, file, line) == []
