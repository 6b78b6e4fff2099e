"""The forms of the account pages."""

from datetime import timedelta

from django import forms

from accounts.models import TOKEN_NAME_LENGTH, Scope

LIFETIMES = (("7", "7 days"), ("30", "30 days"), ("90", "90 days"), ("365", "1 year"), ("", "No end"))


class TokenForm(forms.Form):
    """What a new token is asked for."""

    name = forms.CharField(
        label="Name",
        max_length=TOKEN_NAME_LENGTH,
        help_text="What will use it, so that you know later which one to revoke.",
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    scope = forms.ChoiceField(
        label="May",
        choices=((Scope.READ, "Read"), (Scope.WRITE, "Read, submit, cancel and delete")),
        initial=Scope.READ,
    )
    lifetime = forms.ChoiceField(label="Good for", choices=LIFETIMES, initial="90", required=False)

    def clean_scope(self) -> Scope:
        return Scope(self.cleaned_data["scope"])

    def clean_lifetime(self) -> timedelta | None:
        days: str = self.cleaned_data["lifetime"]
        return timedelta(days=int(days)) if days else None
