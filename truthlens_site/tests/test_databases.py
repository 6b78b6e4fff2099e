"""The migrations, on both databases that the site supports."""

from io import StringIO
from pathlib import Path

import pytest
from django.core.management import call_command

from truthlens_site.tests.site import manage


@pytest.mark.django_db
def test_no_model_has_changed_without_a_migration() -> None:
    call_command("makemigrations", "--check", "--dry-run", stdout=StringIO())


@pytest.mark.service
def test_migrations_and_a_first_user_work_on_postgresql(postgres_url: str, tmp_path: Path) -> None:
    migrated = manage(tmp_path, "migrate", "--verbosity=0", DATABASE_URL=postgres_url)
    assert migrated.returncode == 0, migrated.stderr
    script = (
        "from accounts.services import create_first_administrator as make;"
        "print(make(email='Root@example.org') is not None, make(email='root@example.org'))"
    )
    made = manage(tmp_path, "shell", "--no-imports", "-c", script, DATABASE_URL=postgres_url)
    assert made.stdout.strip() == "True None", made.stderr
    checked = manage(tmp_path, "check", "--database", "default", DATABASE_URL=postgres_url)
    assert checked.returncode == 0, checked.stderr
