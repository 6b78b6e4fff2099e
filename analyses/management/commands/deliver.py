"""``manage.py deliver``: send the webhooks that are due, once or every few seconds. ``up`` does so itself."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections

from analyses.webhooks.couriers import deliver_next


class Command(BaseCommand):
    help = "Send the webhooks that are due; with --every, keep doing so."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--every", type=float, metavar="SECONDS", help="repeat until stopped")

    def handle(self, *args: Any, **options: Any) -> None:
        self.stdout.write(f"{self.deliver_all()} sent.")
        while options["every"]:
            time.sleep(options["every"])
            close_old_connections()
            self.deliver_all()

    def deliver_all(self) -> int:
        sent = 0
        while deliver_next():
            sent += 1
        return sent
