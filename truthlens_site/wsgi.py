"""What gunicorn serves."""

import os

from django.core.wsgi import get_wsgi_application

from analyses.log_context import be_part

os.environ.setdefault("DJANGO_SETTINGS_MODULE", "truthlens_site.settings")

be_part("web")
application = get_wsgi_application()
