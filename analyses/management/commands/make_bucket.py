"""``manage.py make_bucket``: makes the bucket that the settings name, where it is missing."""

from typing import Any

from django.conf import settings
from django.core.files.storage import default_storage
from django.core.management.base import BaseCommand, CommandError


class Command(BaseCommand):
    help = "Make the bucket that S3_BUCKET names; one that is there stays as it is."

    def handle(self, *args: Any, **options: Any) -> None:
        if not settings.S3_BUCKET:
            raise CommandError("S3_BUCKET names no bucket: files are kept in MEDIA_ROOT.")
        made = default_storage.make_bucket()  # type: ignore[attr-defined]
        self.stdout.write(f"The bucket {settings.S3_BUCKET} {'was made' if made else 'is there'}.")
