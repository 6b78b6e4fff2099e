"""The addresses of the account pages that aren't the library's."""

from django.urls import path

from accounts import token_views, views

urlpatterns = [
    path("", views.profile, name="profile"),
    path("security/", views.security, name="security"),
    path("tokens/", token_views.api_tokens, name="api_tokens"),
    path("tokens/<uuid:uuid>/revoke/", token_views.api_token_revoke, name="api_token_revoke"),
    path("invitations/", views.invitations, name="invitations"),
    path("invitations/<uuid:uuid>/revoke/", views.invitation_revoke, name="invitation_revoke"),
    path("join/<str:token>/", views.invitation_follow, name="invitation_follow"),
]
