"""Where the site keeps its state: the secret key, the broker's socket, the object store."""

import hashlib
import os
import tempfile
from pathlib import Path
from urllib.parse import urlsplit

from django.core.exceptions import ImproperlyConfigured
from django.core.management.utils import get_random_secret_key

# sun_path holds 108 bytes with its closing zero; Valkey appends a few while it binds.
SOCKET_PATH_BYTES = 100


def secret_key(path: Path) -> str:
    """The key stored at ``path``; made on first use, readable by its owner alone."""
    try:
        if not path.exists():
            _write_once(path, get_random_secret_key())
        key = path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise ImproperlyConfigured(f"The secret key {path} can't be used ({error.strerror}).") from None
    if len(key) < 20:
        raise ImproperlyConfigured(f"The secret key in {path} is too short; delete the file for a new one.")
    return key


def _write_once(path: Path, key: str) -> None:
    """Two processes that start together end with one key: the link succeeds once."""
    descriptor, draft = tempfile.mkstemp(dir=path.parent)  # made with mode 0600
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(key)
    try:
        os.link(draft, path)
    except FileExistsError:
        pass
    finally:
        Path(draft).unlink()


def broker_socket(state: Path) -> Path:
    """The embedded broker's socket: in the state folder, or in a short one where that path is too long."""
    path = state / "valkey" / "valkey.sock"
    if len(os.fsencode(path)) <= SOCKET_PATH_BYTES:
        return path
    digest = hashlib.sha256(os.fsencode(state)).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"truthlens-{os.getuid()}-{digest}" / "valkey.sock"


def store_origin(url: str, bucket: str, region: str, addressing: str) -> str:
    """Scheme and host at which browsers find the objects of a bucket."""
    address = urlsplit(url or f"https://s3.{region}.amazonaws.com")
    host = f"{bucket}.{address.netloc}" if addressing == "virtual" else address.netloc
    return f"{address.scheme}://{host}"
