"""What the tests of this app share: an installed tiny model, and analyses in every state."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.utils import translation
from pytest_django import Settings

from accounts.models import Scope, User
from accounts.tokens import create_token
from analyses.inference import supervisor
from analyses.models import Analysis
from analyses.supervision import Supervisor
from analyses.tests import pseudo
from analyses.tests.factories import MP4_BYTES, make_analysis, make_done, make_running
from analyses.tests.receivers import Receiver, answer_with, receiving
from detector import DetectorConfig


@pytest.fixture(scope="session")
def tiny_weights(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A model that loads in milliseconds; its scores mean nothing."""
    from detector.tests.tiny import write_tiny_weights

    return write_tiny_weights(tmp_path_factory.mktemp("weights"))


@pytest.fixture
def installed_weights(tiny_weights: Path, settings: Settings) -> Path:
    settings.DETECTOR = DetectorConfig(model_path=tiny_weights, device="cpu")
    return tiny_weights


@pytest.fixture
def shipped_models(tmp_path: Path, settings: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    """Tiny models as ``efficientnet``, which is the settings' own, and ``resnext50``."""
    from detector.tests.tiny import write_tiny_weights

    for seed, name in enumerate(("efficientnet", "resnext50")):
        tiny = write_tiny_weights(tmp_path / "shipped", seed=seed)
        for path in (tiny, tiny.with_suffix(".json")):
            path.rename(path.with_name(f"{name}_lstm{path.suffix}"))
    monkeypatch.setattr("detector.weights.WEIGHTS_FOLDER", tmp_path / "shipped")
    settings.DETECTOR = DetectorConfig(device="cpu")


@pytest.fixture
def upload() -> SimpleUploadedFile:
    return SimpleUploadedFile("clip.mp4", MP4_BYTES, content_type="video/mp4")


@pytest.fixture
def queued(alice: User) -> Analysis:
    return make_analysis(alice)


@pytest.fixture
def running(alice: User) -> Analysis:
    return make_running(alice)


@pytest.fixture
def done(alice: User) -> Analysis:
    return make_done(alice)


@pytest.fixture(scope="session")
def clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Two seconds of one person."""
    from detector.tests.clips import face_clip

    return face_clip(tmp_path_factory.mktemp("clips") / "clip.mp4", seconds=2, size=(320, 240))


@pytest.fixture(scope="session")
def long_clip(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Long enough to be stopped on the way, when all of its frames are looked at."""
    from detector.tests.clips import face_clip

    return face_clip(tmp_path_factory.mktemp("clips") / "long.mp4", seconds=24, size=(320, 180))


@pytest.fixture(scope="session")
def shared_child() -> Iterator[None]:
    """This process's inference child, which is killed when the test run ends."""
    yield
    supervisor().close()
    supervisor.cache_clear()


@pytest.fixture
def child(shared_child: None, installed_weights: Path) -> Supervisor:
    """The supervised inference child with the tiny model."""
    return supervisor()


@pytest.fixture
def as_api() -> Callable[..., Client]:
    """A client with a new token of a user; without the scope it may write."""

    def of(user: User, scope: Scope = Scope.WRITE) -> Client:
        _, text = create_token(owner=user, name="test", scope=scope)
        return Client(headers={"Authorization": f"Token {text}"})

    return of


@pytest.fixture
def api(alice: User, as_api: Callable[..., Client]) -> Client:
    """Alice at the API."""
    return as_api(alice)


@pytest.fixture
def token(alice: User) -> str:
    """A token of Alice that may write."""
    return create_token(owner=alice, name="script", scope=Scope.WRITE)[1]


@pytest.fixture(scope="session")
def receiving_server() -> Iterator[Receiver]:
    """One for all tests; they want ``receiver``."""
    with receiving() as receiver:
        yield receiver


@pytest.fixture
def receiver(receiving_server: Receiver, settings: Settings) -> Receiver:
    """A program that may be called, was told nothing yet and takes what comes."""
    settings.WEBHOOKS_PRIVATE = True
    receiving_server.messages.clear()
    receiving_server.answer = answer_with(204, b"")
    return receiving_server


@pytest.fixture
def pseudo_locale(settings: Settings, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """Visitors who ask for it get it. Yields its code."""
    settings.LANGUAGES = [("en", "English"), (pseudo.CODE, "Pseudo")]
    catalogues = {pseudo.CODE: pseudo.PseudoTranslations()}
    monkeypatch.setattr("django.utils.translation.trans_real._translations", catalogues)
    yield pseudo.CODE
    translation.activate("en")
