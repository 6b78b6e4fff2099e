"""What all tests share: the cast, settings that touch nothing outside the test, and real services.

Alice owns things, Bob is someone else, Mo moderates.
"""

import gc
import os
import shutil
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from django.core.cache import cache
from django.test import Client
from pytest_django import Settings

from detector.tests.once import SHARED
from truthlens_site.tests import services
from truthlens_site.tests.site import MIGRATED, migrated_cluster, migrated_database

if TYPE_CHECKING:
    from playwright.sync_api import Browser

    from accounts.models import User

# Spinning OpenMP threads starve each other on a busy machine; torch reads this as it loads.
os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
os.environ.setdefault("GOMP_SPINCOUNT", "0")
# Playwright keeps an event loop in the main thread, which Django takes for asynchronous code.
os.environ["DJANGO_ALLOW_ASYNC_UNSAFE"] = "true"

PASSWORD = "correct horse battery"
CHROMIUM_FLAGS = [
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]


def pytest_configure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):  # the process that starts the others, which inherit this
        os.environ[SHARED] = tempfile.mkdtemp(prefix="truthlens-tests-")


def pytest_unconfigure(config: pytest.Config) -> None:
    if not hasattr(config, "workerinput"):
        shutil.rmtree(os.environ.pop(SHARED))


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Files that may take longest come first: none of them is left alone at the end of a parallel run."""
    longest: dict[Path, float] = {}
    for item in items:
        marker = item.get_closest_marker("timeout")
        longest[item.path] = max(longest.get(item.path, 0), marker.args[0] if marker else 0)
    items.sort(key=lambda item: -longest[item.path])


def pytest_collection_finish() -> None:
    """All that was imported stays to the end: let the garbage collector look through it no more."""
    gc.collect()
    gc.freeze()


@pytest.fixture(scope="session")
def django_db_modify_db_settings(tmp_path_factory: pytest.TempPathFactory) -> None:
    """SQLite in a file, as in use: threads of the live server then have connections of their own."""
    from django.db import connections

    database = connections["default"]
    if database.vendor == "sqlite":
        path = tmp_path_factory.mktemp("database") / "test.sqlite3"
        path.write_bytes(migrated_database())
        database.settings_dict["TEST"]["NAME"] = str(path)


@pytest.fixture(scope="session")
def django_db_keepdb() -> bool:
    """Its tables are there already."""
    from django.db import connections

    return connections["default"].vendor == "sqlite"


@pytest.fixture(autouse=True)
def isolation(settings: Settings, tmp_path: Path) -> None:
    """Files in the test's folder, a queue that nobody serves, no rate limits left from other tests."""
    for name in ("media", "uploads", "static"):
        (tmp_path / name).mkdir()
    settings.STATE = tmp_path / "state"
    settings.SCRATCH_FOLDER = tmp_path / "scratch"
    settings.MEDIA_ROOT = tmp_path / "media"
    settings.FILE_UPLOAD_TEMP_DIR = tmp_path / "uploads"
    settings.STATIC_ROOT = tmp_path / "static"
    settings.STORAGES = {
        **settings.STORAGES,
        "staticfiles": {"BACKEND": "django.contrib.staticfiles.storage.StaticFilesStorage"},
    }
    settings.PASSWORD_HASHERS = ["django.contrib.auth.hashers.MD5PasswordHasher"]
    _use_broker(settings, f"unix://{tmp_path}/nobody.sock")
    cache.clear()


def _use_broker(settings: Settings, url: str) -> None:
    settings.REDIS_URL = url
    settings.RQ_QUEUES = {"default": {**settings.RQ_QUEUES["default"], "URL": url}}
    settings.CACHES = {"default": {**settings.CACHES["default"], "LOCATION": url}}


# The cast


def _person(name: str, **fields: Any) -> "User":
    from accounts.models import User

    return User.objects.create_user(f"{name.lower()}@example.org", PASSWORD, display_name=name, **fields)


@pytest.fixture
def alice(db: None) -> "User":
    return _person("Alice")


@pytest.fixture
def bob(db: None) -> "User":
    return _person("Bob")


@pytest.fixture
def mo(db: None) -> "User":
    return _person("Mo", is_staff=True)


def _client_of(user: "User") -> Client:
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def alice_client(alice: "User") -> Client:
    return _client_of(alice)


@pytest.fixture
def bob_client(bob: "User") -> Client:
    return _client_of(bob)


@pytest.fixture
def mo_client(mo: "User") -> Client:
    return _client_of(mo)


# Services


@pytest.fixture(scope="session")
def embedded_broker() -> Iterator[str]:
    """The URL of a real Valkey; most tests want ``broker``."""
    with services.valkey() as url:
        yield url


@pytest.fixture
def broker(embedded_broker: str, settings: Settings, isolation: None) -> str:
    """A real, empty broker that the settings point to. Yields its URL."""
    from redis import Redis

    with Redis.from_url(embedded_broker) as connection:
        connection.flushall()
    _use_broker(settings, embedded_broker)
    return embedded_broker


@pytest.fixture(scope="session")
def redis_server() -> Iterator[str]:
    """The URL of the system's redis-server."""
    with services.redis() as url:
        yield url


@pytest.fixture(scope="session")
def postgres_server() -> Iterator[str]:
    """The URL of a PostgreSQL server; most tests want ``postgres_url``."""
    with services.postgres(migrated_cluster()) as url:
        yield url


@pytest.fixture
def postgres_url(postgres_server: str) -> str:
    """The URL of an empty PostgreSQL database."""
    return services.new_database(postgres_server)


@pytest.fixture
def migrated_postgresql_url(postgres_server: str) -> str:
    """The URL of a PostgreSQL database with all tables and nothing in them."""
    return services.new_database(postgres_server, MIGRATED)


@pytest.fixture
def migrated_sqlite_url(tmp_path: Path) -> str:
    """The URL of an SQLite database with all tables and nothing in them."""
    path = tmp_path / "migrated.sqlite3"
    path.write_bytes(migrated_database())
    return f"sqlite:///{path}"


@pytest.fixture(scope="session", autouse=True)
def no_permissions() -> None:
    """Rights go by role. Rows about them would be written anew after each test that empties the tables."""
    from django.db.models.signals import post_migrate

    assert post_migrate.disconnect(dispatch_uid="django.contrib.auth.management.create_permissions")


@pytest.fixture(scope="session", autouse=True)
def prompt_answers() -> None:
    """The live server sends head and body apart, and by default the second waits 40 ms for an answer."""
    from django.core.servers.basehttp import WSGIRequestHandler

    WSGIRequestHandler.disable_nagle_algorithm = True


@pytest.fixture(scope="session")
def browser_type_launch_args(browser_type_launch_args: dict[str, Any]) -> dict[str, Any]:
    """The system's Chromium for pytest-playwright's ``page``; no browser is ever downloaded.

    Debian's build without the windows around a page, where there is one, takes half the time."""
    path = shutil.which("chromium-headless-shell") or shutil.which("chromium") or services.missing("chromium")
    return {**browser_type_launch_args, "executable_path": path, "args": CHROMIUM_FLAGS}


@pytest.fixture
def chromium(browser: "Browser") -> "Browser":
    from playwright.sync_api import expect

    expect.set_options(timeout=15_000)  # as every other wait
    return browser
