"""``manage.py verify_report``: says whether a download of a result is whole and belongs to a clip."""

from argparse import ArgumentParser
from pathlib import Path
from typing import Any

from django.core.management.base import BaseCommand, CommandError

from analyses.verification import MOST_BYTES, Finding, NotAReport, check_clip, check_report

MATCHES, DIFFERS = "matches", "DIFFERS"


class Command(BaseCommand):
    help = (
        "Check a file that was downloaded of a result. With --clip, the clip is analysed again with the "
        "installed model. Exit status 0: everything matches; 1: something doesn't, or can't be checked."
    )
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("file", type=Path, metavar="FILE", help="report.pdf, evidence.zip, JSON or CSV")
        parser.add_argument("--clip", type=Path, metavar="CLIP", help="the video that it is of")

    def handle(self, *, file: Path, clip: Path | None, **options: Any) -> None:
        try:
            checked = check_report(read(file))
        except NotAReport as error:
            raise CommandError(str(error)) from None
        findings = [*map(self.say, checked.findings)]
        if clip is None:
            self.stdout.write(
                "Only the file itself was checked. Name the clip with --clip to check that too."
            )
        else:
            read_access(clip)
            findings += map(self.say, check_clip(checked.claims, clip))
        wrong = sum(not finding.matches for finding in findings)
        if wrong:
            raise CommandError(f"{wrong} of {len(findings)} checks failed.")
        count = len(findings)
        told = f"All {count} checks match." if count > 1 else "The one check matches."
        self.stdout.write(f"{told} This shows that they belong together, not who made them.")

    def say(self, finding: Finding) -> Finding:
        self.stdout.write(f"{MATCHES if finding.matches else DIFFERS}: {finding.sentence}")
        return finding


def read(path: Path) -> bytes:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise CommandError(f"{path} is too large to be a report.")
        return path.read_bytes()
    except OSError as error:
        raise CommandError(f"{path} can't be read: {error.strerror}.") from None


def read_access(clip: Path) -> None:
    """Raises CommandError for a clip that can't be opened."""
    try:
        with clip.open("rb"):
            return
    except OSError as error:
        raise CommandError(f"{clip} can't be read: {error.strerror}.") from None
