#!/bin/sh
# Runs manage.py as the units do: as their user, with their settings. For root.
#
#     sh deploy/manage.sh doctor
set -eu
cd "$(dirname "$0")/.."
exec runuser -u truthlens -- env TRUTHLENS_ENV_FILE=/etc/truthlens/env .venv/bin/python manage.py "$@"
