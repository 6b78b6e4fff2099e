"""Typed readers of settings from the environment and ``.env``.

Each reader takes a name and a default, and raises ``ImproperlyConfigured`` with one sentence that a person
can act on. An empty value counts as unset.
"""

import re
from pathlib import Path
from typing import Any

import environ
from django.core.exceptions import ImproperlyConfigured

TRUE_WORDS = frozenset({"true", "yes", "on", "1"})
FALSE_WORDS = frozenset({"false", "no", "off", "0"})
DATABASE_SCHEMES = ("sqlite:///", "postgres://", "postgresql://")
SECONDS = {"second": 1, "minute": 60, "hour": 3600, "day": 86_400}
BROKER_SCHEMES = ("redis://", "rediss://", "unix://")
WEB_SCHEMES = ("https://", "http://")
FILE_SUFFIX = "_FILE"
_LIMIT = re.compile(r"[1-9][0-9]{0,8}|unlimited", re.ASCII)


class Environment:
    """Reads the process environment, completed by ``env_file`` where that exists."""

    def __init__(self, env_file: Path) -> None:
        self._env = environ.Env()
        if env_file.is_file():
            self._env.read_env(env_file)

    def text(self, name: str, default: str = "") -> str:
        """The variable, or what stands in the file that ``NAME_FILE`` names: a way to hand over secrets."""
        # Taken as written: django-environ's own readers would expand a secret key that begins with "$".
        word = str(self._env.ENVIRON.get(name, "")).strip()
        path = str(self._env.ENVIRON.get(f"{name}{FILE_SUFFIX}", "")).strip()
        if word and path:
            raise ImproperlyConfigured(f"{name} and {name}{FILE_SUFFIX} are both set; keep one of them.")
        return word or (_content(f"{name}{FILE_SUFFIX}", path) if path else "") or default

    def switch(self, name: str, default: bool) -> bool:
        word = self.text(name, str(default)).lower()
        if word not in TRUE_WORDS | FALSE_WORDS:
            raise ImproperlyConfigured(f"{name} must be true or false, not {word!r}.")
        return word in TRUE_WORDS

    def integer(self, name: str, default: int, *, low: int, high: int) -> int:
        word = self.text(name, str(default))
        try:
            number = int(word)
        except ValueError:
            raise ImproperlyConfigured(f"{name} must be a whole number, not {word!r}.") from None
        if not low <= number <= high:
            raise ImproperlyConfigured(f"{name} must be from {low} to {high}, not {number}.")
        return number

    def decimal(self, name: str, default: float) -> float:
        word = self.text(name, str(default))
        try:
            return float(word)
        except ValueError:
            raise ImproperlyConfigured(f"{name} must be a number, not {word!r}.") from None

    def rate(self, name: str, default: str) -> tuple[int, int]:
        """So many in so many seconds."""
        word = self.text(name, default)
        number, _, unit = word.partition("/")
        if not number.isdecimal() or int(number) < 1 or unit not in SECONDS:
            raise ImproperlyConfigured(f"{name} must be a rate such as 60/minute, not {word!r}.")
        return int(number), SECONDS[unit]

    def choice(self, name: str, default: str, choices: tuple[str, ...]) -> str:
        word = self.text(name, default)
        if word not in choices:
            raise ImproperlyConfigured(f"{name} must be one of {', '.join(choices)}, not {word!r}.")
        return word

    def names(self, name: str, default: list[str]) -> list[str]:
        """Names parted by commas."""
        words = [word.strip() for word in self.text(name).split(",")]
        return [word for word in words if word] or default

    def choices(self, name: str, default: list[str], allowed: tuple[str, ...]) -> list[str]:
        """Some of the names that are allowed, in the order given."""
        words = self.names(name, default)
        for word in words:
            if word not in allowed:
                raise ImproperlyConfigured(f"{name} must be out of {', '.join(allowed)}, not {word!r}.")
        return words

    def web_address(self, name: str) -> str:
        """An http(s) address, or nothing."""
        word = self.text(name)
        if word and not word.startswith(WEB_SCHEMES):
            raise ImproperlyConfigured(f"{name} must begin with one of {', '.join(WEB_SCHEMES)}.")
        return word.rstrip("/")

    def limits(self, name: str, /, **defaults: int | None) -> dict[str, int | None]:
        """Numbers by name, like ``analyses=200,running=unlimited``; what isn't named keeps its default."""
        limits = dict(defaults)
        for pair in self.names(name, []):
            key, _, word = (part.strip() for part in pair.partition("="))
            if key not in limits or not _LIMIT.fullmatch(word):
                example = ",".join(f"{known}=100" for known in defaults)
                raise ImproperlyConfigured(f"{name} must be like {example}, not {pair!r}.")
            limits[key] = None if word == "unlimited" else int(word)
        return limits

    def folder(self, name: str, default: Path, *, base: Path) -> Path:
        """A folder, made for its owner alone where it is missing; a relative one is taken from ``base``."""
        path = base / Path(self.text(name, str(default))).expanduser()
        try:
            path.mkdir(mode=0o700, parents=True, exist_ok=True)
        except OSError as error:
            raise ImproperlyConfigured(
                f"{name}: the folder {path} can't be made ({error.strerror})."
            ) from None
        return path

    def file(self, name: str, *, base: Path) -> Path | None:
        """A file that must exist, or None where the setting is unset."""
        word = self.text(name)
        if not word:
            return None
        path = base / Path(word).expanduser()
        if not path.is_file():
            raise ImproperlyConfigured(f"{name}: there is no file {path}.")
        return path

    def database(self, name: str, default: str) -> dict[str, Any]:
        """Django's settings of the database behind a URL."""
        url = self.text(name, default)
        if not url.startswith(DATABASE_SCHEMES):
            raise ImproperlyConfigured(f"{name} must begin with one of {', '.join(DATABASE_SCHEMES)}.")
        try:
            return dict(self._env.db_url_config(url))
        except ValueError:
            raise ImproperlyConfigured(f"{name} is not a database URL that can be read.") from None

    def broker_url(self, name: str, default: str) -> str:
        url = self.text(name, default)
        if not url.startswith(BROKER_SCHEMES):
            raise ImproperlyConfigured(f"{name} must begin with one of {', '.join(BROKER_SCHEMES)}.")
        return url

    def mail(self, name: str, default: str) -> dict[str, Any]:
        """Django's settings of the mail server behind a URL."""
        try:
            return dict(self._env.email_url_config(self.text(name, default)))
        except (ValueError, KeyError, ImproperlyConfigured):
            raise ImproperlyConfigured(
                f"{name} must be a mail URL such as smtp+tls://user@host:587."
            ) from None


def _content(name: str, path: str) -> str:
    try:
        return Path(path).expanduser().read_text(encoding="utf-8").strip()
    except (OSError, UnicodeDecodeError) as error:
        reason = error.strerror if isinstance(error, OSError) else "it is not text"
        raise ImproperlyConfigured(f"{name}: the file {path} can't be read ({reason}).") from None
