"""``manage.py reconcile``: bring rows, queue and files back in line, once or every few seconds."""

import time
from typing import Any

from django.core.management.base import BaseCommand, CommandParser
from django.db import close_old_connections

from analyses.reconciler import reconcile
from analyses.strays import remove_strays
from analyses.table_statistics import refresh_table_statistics


class Command(BaseCommand):
    help = "Queue again what lost workers left behind; with --every, keep doing so."

    def add_arguments(self, parser: CommandParser) -> None:
        parser.add_argument("--every", type=float, metavar="SECONDS", help="repeat until stopped")

    def handle(self, *args: Any, **options: Any) -> None:
        refresh_table_statistics()
        strays = remove_strays()
        found = reconcile()
        self.stdout.write(
            f"{found.requeued} taken back, {found.enqueued} enqueued, {strays} stray files removed."
        )
        while options["every"]:
            time.sleep(options["every"])
            close_old_connections()
            reconcile()
