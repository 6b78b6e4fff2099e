"""Users in the administration pages. There, as everywhere, a password can be set but never read.

Roles and suspension aren't fields of the form: actions of the list change them, which ask for a reason.
"""

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

from allauth.account.admin import EmailAddressAdmin
from allauth.account.models import EmailAddress
from allauth.mfa.admin import AuthenticatorAdmin as LibraryAuthenticatorAdmin
from allauth.mfa.models import Authenticator
from allauth.usersessions.admin import UserSession
from django import forms
from django.contrib import admin, messages
from django.contrib.admin.helpers import ACTION_CHECKBOX_NAME
from django.contrib.auth.admin import UserAdmin as DjangoUserAdmin
from django.contrib.auth.models import Group
from django.db import transaction
from django.db.models import QuerySet
from django.http import HttpRequest, HttpResponse
from django.shortcuts import render
from django.utils.translation import gettext_lazy as _
from django.utils.translation import ngettext

from accounts import roles
from accounts.administration import NOT_KEPT, begin_change, record_change
from accounts.models import AuditEntry, Role, User
from accounts.requests import UserRequest
from accounts.services import remove_factor

if TYPE_CHECKING:
    UserAdminOfUser = DjangoUserAdmin[User]  # generic for the type checker alone
else:
    UserAdminOfUser = DjangoUserAdmin

admin.site.unregister(Group)  # rights go by role


class ReasonForm(forms.Form):
    reason = forms.CharField(
        max_length=500,
        widget=forms.Textarea(attrs={"rows": 3}),
        help_text=_(
            "It goes into the audit log, which is never changed, and to whoever is suspended or "
            "reinstated. Name nobody there."
        ),
    )


class RoleForm(ReasonForm):
    role = forms.ChoiceField(choices=Role.choices)
    field_order = ("role", "reason")


@admin.register(User)
class UserAdmin(UserAdminOfUser):
    ordering = ("email",)
    list_display = ("email", "display_name", "role", "is_active", "date_joined")
    list_filter = ("is_staff", "is_superuser", "is_active")
    search_fields = ("email", "display_name")
    readonly_fields = ("role", "is_active", "uuid", "last_login", "date_joined")
    filter_horizontal = ()
    fieldsets = (
        (None, {"fields": ("email", "display_name", "password")}),
        (
            _("Rights"),
            {
                "fields": ("role", "is_active"),
                "description": _("To suspend, reinstate or change the role, select users in the list."),
            },
        ),
        (_("Record"), {"fields": ("uuid", "last_login", "date_joined")}),
    )
    add_fieldsets = (
        (None, {"classes": ("wide",), "fields": ("email", "display_name", "password1", "password2")}),
    )
    actions = ("suspend", "reinstate", "change_role")

    def has_delete_permission(self, request: HttpRequest, obj: User | None = None) -> bool:
        """Nobody deletes themselves here: an administrator always stays."""
        return obj != request.user and super().has_delete_permission(request, obj)

    def user_change_password(self, request: HttpRequest, id: str, form_url: str = "") -> HttpResponse:
        """A stored change ends in a redirect. It ends the user's sessions too, as Django sees to."""
        with transaction.atomic():
            user = self.get_object(request, id)
            begin_change(request, *[user] if user else [])
            response = super().user_change_password(request, id, form_url)
            if user is not None and not User.objects.filter(pk=user.pk, password=user.password).exists():
                after = {"password": NOT_KEPT}
                record_change(request=request, action="change_password", row=user, after=after)
        return response

    @admin.action(description=_("Suspend selected users"), permissions=["change"])
    def suspend(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        return self._act(request, queryset, "suspend", roles.suspend_user, ReasonForm)

    @admin.action(description=_("Reinstate selected users"), permissions=["change"])
    def reinstate(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        return self._act(request, queryset, "reinstate", roles.reinstate_user, ReasonForm)

    @admin.action(description=_("Change role of selected users"), permissions=["change"])
    def change_role(self, request: HttpRequest, queryset: QuerySet[User]) -> HttpResponse | None:
        return self._act(request, queryset, "change_role", roles.set_role, RoleForm)

    def _act(
        self,
        request: HttpRequest,
        users: QuerySet[User],
        name: str,
        act: Callable[..., None],
        form_class: type[ReasonForm],
    ) -> HttpResponse | None:
        """Ask for the reason, then act on each. None brings the list back."""
        form = form_class(request.POST if "confirmed" in request.POST else None)
        if not form.is_bound or not form.is_valid():
            return self._ask(request, users, name, form)
        done = 0
        for user in users:
            try:
                act(user=user, actor=request.user, **form.cleaned_data)
                done += 1
            except roles.NotAllowed as refusal:
                self.message_user(request, f"{user.email}: {refusal}", messages.ERROR)
        if done:
            words = ngettext("Done for {count} user.", "Done for {count} users.", done)
            self.message_user(request, words.format(count=done), messages.SUCCESS)
        return None

    def _ask(self, request: HttpRequest, users: QuerySet[User], name: str, form: ReasonForm) -> HttpResponse:
        context = {
            **self.admin_site.each_context(request),
            "title": getattr(self, name).short_description,
            "opts": self.opts,
            "users": users,
            "form": form,
            "action": name,
            "action_checkbox_name": ACTION_CHECKBOX_NAME,
        }
        return render(request, "admin/accounts/user/act.html", context)


@admin.register(AuditEntry)
class AuditEntryAdmin(admin.ModelAdmin):  # type: ignore[type-arg]
    """Read by administrators alone, changed by nobody."""

    list_display = ("id", "at", "actor", "action", "target_kind", "target", "reason")
    list_filter = ("action", "target_kind")
    search_fields = ("actor", "target", "reason", "hash")
    ordering = ("-pk",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def has_delete_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False


admin.site.unregister(EmailAddress)


@admin.register(EmailAddress)
class AddressAdmin(EmailAddressAdmin):  # type: ignore[misc]
    """The library's, whose action tells the audit log nothing."""

    @admin.action(description="Mark selected addresses as confirmed", permissions=["change"])
    def make_verified(self, request: HttpRequest, queryset: QuerySet[EmailAddress]) -> None:
        with transaction.atomic():
            begin_change(request, *queryset)
            waiting = list(queryset.filter(verified=False))
            super().make_verified(request, queryset)
            for address in EmailAddress.objects.filter(pk__in=[row.pk for row in waiting], verified=True):
                record_change(
                    request=request,
                    action="change",
                    row=address,
                    before={"verified": False},
                    after={"verified": True},
                )


# The library's page of sessions can't be searched where users have no names; of factors it shows the secrets.
admin.site.unregister(UserSession)
admin.site.unregister(Authenticator)


@admin.register(Authenticator)
class FactorAdmin(LibraryAuthenticatorAdmin):  # type: ignore[misc]
    """Removed for people who lost theirs; never made or changed here, and the secrets aren't shown."""

    fields = ("user", "type", "created_at", "last_used_at")
    search_fields = ("user__email",)

    def has_add_permission(self, request: HttpRequest) -> bool:
        return False

    def has_change_permission(self, request: HttpRequest, obj: object = None) -> bool:
        return False

    def delete_model(self, request: UserRequest, obj: Authenticator) -> None:
        remove_factor(factor=obj, actor=request.user)

    def delete_queryset(self, request: UserRequest, queryset: Iterable[Authenticator]) -> None:
        for factor in list(queryset):
            remove_factor(factor=factor, actor=request.user)
