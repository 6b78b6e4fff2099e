"""The forms of the account pages."""

from datetime import timedelta
from typing import Any

from allauth.account.forms import SignupForm as LibrarySignupForm
from allauth.core import context
from allauth.mfa.webauthn.forms import AddWebAuthnForm, EditWebAuthnForm
from django import forms
from django.conf import settings
from django.contrib.auth.hashers import make_password
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext_lazy as _

from accounts.adapter import invitation_of
from accounts.addresses import is_taken
from accounts.models import TOKEN_NAME_LENGTH, Scope, User
from accounts.preferences import time_zones

LIFETIMES = (
    ("7", _("7 days")),
    ("30", _("30 days")),
    ("90", _("90 days")),
    ("365", _("1 year")),
    ("", _("No end")),
)


class SignupForm(LibrarySignupForm):  # type: ignore[misc]
    """Whoever was invited signs up with the address that the invitation went to."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        invitation = invitation_of(context.request)
        if invitation is not None:
            self.initial["email"] = invitation.email
            self.fields["email"].disabled = True
            self.fields["email"].help_text = _("You were invited with this address.")

    def try_save(self, request: HttpRequest) -> tuple[User | None, HttpResponse | None]:
        """Hashing takes most of the time; without it the answer for an address in use would come sooner."""
        if self.account_already_exists:
            make_password(self.cleaned_data["password1"])
        saved: tuple[User | None, HttpResponse | None] = super().try_save(request)
        return saved

    def validate_unique_email(self, value: str) -> str:
        """An address that somebody wants to change to, and never confirmed, is free."""
        return str(super().validate_unique_email(value)) if is_taken(value) else value


class PasskeyForm(AddWebAuthnForm):  # type: ignore[misc]
    name = forms.CharField(label=_("Name"), required=False)
    passwordless = forms.BooleanField(
        label=_("Log in with it alone, without the password"), required=False, initial=True
    )


class PasskeyNameForm(EditWebAuthnForm):  # type: ignore[misc]
    name = forms.CharField(label=_("Name"))


class InvitationForm(forms.Form):
    email = forms.EmailField(
        label=_("E-mail address"), widget=forms.EmailInput(attrs={"autocomplete": "off"})
    )


class AddressForm(forms.Form):
    email = forms.EmailField(label=_("New address"), widget=forms.EmailInput(attrs={"autocomplete": "email"}))

    def __init__(self, *args: Any, user: User, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.user = user

    def clean_email(self) -> str:
        email = str(self.cleaned_data["email"]).lower()
        if email == self.user.email:
            raise forms.ValidationError(_("This is your address already."))
        return email


class ProfileForm(forms.Form):
    display_name = forms.CharField(
        label=_("Name"),
        required=False,
        max_length=80,
        widget=forms.TextInput(attrs={"autocomplete": "name"}),
        help_text=_("Shown in place of your address. Leave it empty to show the address."),
    )
    time_zone = forms.ChoiceField(
        label=_("Time zone"),
        required=False,
        help_text=_("Of the times on pages. Downloads and the API keep to UTC."),
    )
    language = forms.ChoiceField(label=_("Language"), required=False)

    def __init__(self, data: Any = None, *, user: User) -> None:
        names = ("display_name", "time_zone", "language")
        super().__init__(data, initial={name: getattr(user, name) for name in names})
        sites = _("As the site: %(zone)s") % {"zone": settings.TIME_ZONE}
        self._offer("time_zone", [("", sites), *time_zones()])
        self._offer("language", [("", _("As the browser asks for")), *settings.LANGUAGES])
        if len(settings.LANGUAGES) < 2:
            self.fields["language"].widget = forms.HiddenInput()

    def _offer(self, name: str, choices: list[Any]) -> None:
        field = self.fields[name]
        assert isinstance(field, forms.ChoiceField)
        field.choices = choices


class TokenForm(forms.Form):
    """What a new token is asked for."""

    name = forms.CharField(
        label=_("Name"),
        max_length=TOKEN_NAME_LENGTH,
        help_text=_("What will use it, so that you know later which one to revoke."),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scope = forms.ChoiceField(
        label=_("May"),
        choices=((Scope.READ, _("Read")), (Scope.WRITE, _("Read, submit, cancel and delete"))),
        initial=Scope.READ,
    )
    lifetime = forms.ChoiceField(label=_("Good for"), choices=LIFETIMES, initial="90", required=False)

    def clean_scope(self) -> Scope:
        return Scope(self.cleaned_data["scope"])

    def clean_lifetime(self) -> timedelta | None:
        days: str = self.cleaned_data["lifetime"]
        return timedelta(days=int(days)) if days else None
