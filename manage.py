#!/usr/bin/env python
"""Django's command line. A setting that can't be used ends it with one sentence."""

import os
import sys


def main() -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "truthlens_site.settings")
    from django.conf import settings
    from django.core.exceptions import ImproperlyConfigured
    from django.core.management import execute_from_command_line

    try:
        settings.INSTALLED_APPS  # noqa: B018  # settings are lazy; this reads them
    except ImproperlyConfigured as error:
        sys.exit(f"TruthLens can't start: {error}")
    execute_from_command_line(sys.argv)


if __name__ == "__main__":
    main()
