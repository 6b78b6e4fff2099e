"""The site's addresses."""

from allauth.account.decorators import secure_admin_login
from django.contrib import admin
from django.urls import include, path

from accounts.views import email_address
from truthlens_site.health import healthz, readyz
from truthlens_site.metrics import metrics

# The administrators' login is the site's own, with its rate limits.
admin.site.login = secure_admin_login(admin.site.login)  # type: ignore[method-assign]
admin.site.site_header = admin.site.site_title = "TruthLens"

handler400 = "truthlens_site.errors.bad_request"
urlpatterns = [
    path("", include("analyses.urls")),
    path("api/", include("analyses.api.urls")),
    path("account/", include("accounts.urls")),
    path("accounts/email/", email_address, name="account_email"),  # before the library's own
    path("accounts/", include("allauth.urls")),
    path("admin/", admin.site.urls),
    path("healthz", healthz, name="healthz"),
    path("readyz", readyz, name="readyz"),
    path("metrics", metrics, name="metrics"),
]
