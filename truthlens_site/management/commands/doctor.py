"""``manage.py doctor``: says of a deployment what is well and what to do about the rest."""

import json
import sys
from argparse import ArgumentParser
from typing import Any

from django.core.management.base import BaseCommand

from truthlens_site.examination import Finding, examine


class Command(BaseCommand):
    help = "Check this deployment. Exit status 0: all is well; 1: something isn't."
    requires_system_checks = ()
    requires_migrations_checks = False

    def add_arguments(self, parser: ArgumentParser) -> None:
        parser.add_argument("--json", action="store_true", help="one JSON document for programs")

    def handle(self, *, json: bool, **options: Any) -> None:
        findings = list(examine())
        well = all(finding.well for finding in findings)
        self.stdout.write(document_of(findings, well) if json else "\n".join(map(lines_of, findings)))
        if not well:
            sys.exit(1)


def document_of(findings: list[Finding], well: bool) -> str:
    return json.dumps({"well": well, "findings": [finding.as_dict() for finding in findings]}, indent=2)


def lines_of(finding: Finding) -> str:
    word = "well" if finding.well else "SICK"
    line = f"{word}  {finding.name}: {finding.said}"
    return line if finding.well else f"{line}\n      {finding.advice}"
