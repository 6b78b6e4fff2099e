"""What gunicorn serves. A setting that can't be used ends it with one sentence."""

import os
import sys

from django.core.exceptions import ImproperlyConfigured
from django.core.handlers.wsgi import WSGIHandler
from django.core.wsgi import get_wsgi_application

from analyses.log_context import be_part

BOOT_ERROR = 3
"""The exit status by which gunicorn knows that another try would be in vain."""

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "truthlens_site.settings")


def make_application() -> WSGIHandler:
    try:
        return get_wsgi_application()
    except ImproperlyConfigured as error:
        sys.stderr.write(f"TruthLens can't start: {error}\n")
        sys.exit(BOOT_ERROR)


be_part("web")
application = make_application()
