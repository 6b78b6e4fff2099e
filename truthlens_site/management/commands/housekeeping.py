"""``manage.py housekeeping``: what ``up`` does beside its parts, for sites whose parts run by themselves."""

import signal
import threading
from typing import Any

from django.core.management.base import BaseCommand

from analyses.log_context import be_part
from truthlens_site.delivering import start_delivering
from truthlens_site.reconciling import reconcile_until


class Command(BaseCommand):
    help = (
        "Bring back lost work, send webhooks, apply the retention policy and remove strays, until SIGTERM or "
        "Ctrl-C."
    )

    def handle(self, *args: Any, **options: Any) -> None:
        be_part("housekeeping")
        stop = threading.Event()
        for number in (signal.SIGINT, signal.SIGTERM):
            signal.signal(number, lambda *_: stop.set())
        start_delivering(stop)
        reconcile_until(stop)
