"""The addresses of the account pages that are our own; the others are allauth's."""

from django.urls import path

from accounts import views

urlpatterns = [
    path("tokens/", views.api_tokens, name="api_tokens"),
    path("tokens/<uuid:uuid>/revoke/", views.api_token_revoke, name="api_token_revoke"),
]
