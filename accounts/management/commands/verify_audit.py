"""``manage.py verify_audit``: says whether the audit log is as it was written."""

from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from accounts import audit


class Command(BaseCommand):
    help = (
        "Follow the audit log's chain of hashes. With --noted, also check that an entry whose hash was "
        "written down earlier is still part of it. Exit status 0: whole; 1: not."
    )

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument(
            "--noted", default="", metavar="HASH", help="a hash that this command printed once"
        )

    def handle(self, *, noted: str, **options: Any) -> None:
        chain = audit.verify(noted)
        if chain.broken is not None:
            raise CommandError(
                f"The chain breaks after {chain.entries} entries, at number {chain.broken.pk} of "
                f"{chain.broken.at:%Y-%m-%d %H:%M:%S} UTC: it was changed, or one before it is missing."
            )
        if not chain.holds_noted:
            raise CommandError(f"No entry has the hash {noted}: the log was cut or written anew.")
        self.stdout.write(f"Whole: {chain.entries} entries. Note the newest hash, to find cuts: {chain.head}")
