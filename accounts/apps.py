from django.apps import AppConfig
from django.contrib.admin import apps as admin_apps


class AccountsApp(AppConfig):
    name = "accounts"
    default_auto_field = "django.db.models.BigAutoField"


class AdministrationApp(admin_apps.AdminConfig):
    """Django's administration with this site's audit log behind it."""

    default_site = "accounts.administration.AdministrationSite"
    default = False
