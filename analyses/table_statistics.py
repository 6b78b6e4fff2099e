"""What the database knows of its tables, by which it chooses an index."""

from django.db import connection

SAMPLED = 1000


def refresh_table_statistics() -> None:
    """PostgreSQL sees to it by itself. SQLite, never asked, takes every index to be about as good as another.

    A sample of each index is enough, so that this takes moments with millions of rows too.
    """
    if connection.vendor != "sqlite":
        return
    with connection.cursor() as cursor:
        cursor.execute(f"PRAGMA analysis_limit = {SAMPLED}")
        cursor.execute("ANALYZE")
