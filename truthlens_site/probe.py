"""Asks the web server of this machine whether it lives, for the container's health check.

    python -m truthlens_site.probe

Standard library alone. The request carries a name that the site answers to, as a proxy's would.
"""

import os
import sys
from http.client import HTTPConnection, HTTPException

PORT = 8000


def lives(host: str, port: int, name: str) -> bool:
    connection = HTTPConnection(host, port, timeout=5)
    try:
        connection.request("GET", "/healthz", headers={"Host": name})
        return connection.getresponse().status == 200
    except (OSError, HTTPException):
        return False
    finally:
        connection.close()


if __name__ == "__main__":
    names = os.environ.get("ALLOWED_HOSTS", "") or "localhost"
    sys.exit(not lives("127.0.0.1", PORT, names.split(",")[0].strip().lstrip(".")))
