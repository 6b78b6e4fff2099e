"""The forms of the pages."""

from typing import Any

from django import forms
from django.utils.translation import gettext, ngettext
from django.utils.translation import gettext_lazy as _

from accounts.models import User
from analyses.detection import InstalledModel, installed_models
from analyses.models import COMMENT_LENGTH, Dispute
from analyses.sharing import LIFETIMES

EXTENSIONS = (".mp4", ".m4v", ".mov", ".avi", ".webm", ".mkv")
ACCEPT = ",".join(("video/*", *EXTENSIONS))


class OptionsForm(forms.Form):
    """What an analysis is asked for. Where one model is installed there is nothing to choose."""

    backbone = forms.ChoiceField(
        label=_("Model"), required=False, error_messages={"invalid_choice": _("This model is not installed.")}
    )
    stability = forms.BooleanField(
        label=_("Also check whether the verdict holds for compressed copies"),
        required=False,
        widget=forms.CheckboxInput(attrs={"aria-describedby": "stability-help"}),
    )

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        models = installed_models()
        field = self.fields["backbone"]
        assert isinstance(field, forms.ChoiceField)
        field.choices = [(model.backbone, _label(model)) for model in models]
        self.has_choice = len(models) > 1
        if not self.has_choice:
            field.widget = forms.HiddenInput()


class UploadForm(OptionsForm):
    """One video. What it holds is checked by ``analyses.services``, not here."""

    video = forms.FileField(
        label=_("Video file"),
        allow_empty_file=True,  # the service has a sentence for it
        error_messages={"required": _("Choose a video file first.")},
        widget=forms.FileInput(attrs={"accept": ACCEPT, "aria-describedby": "limits"}),
    )


class ShareForm(forms.Form):
    days = forms.TypedChoiceField(
        label=_("The link works for"),
        coerce=int,
        choices=lambda: [(days, _lifetime(days)) for days in LIFETIMES],
        initial=7,
    )
    shows_name = forms.BooleanField(label=_("Show the file’s name"), required=False)


class DisputeForm(forms.Form):
    opinion = forms.ChoiceField(
        label=_("What do you think it is?"),
        choices=Dispute.Opinion.choices,
        widget=forms.RadioSelect,
        error_messages={"required": _("Choose one of the three.")},
    )
    comment = forms.CharField(
        label=_("Why? (optional)"),
        required=False,
        max_length=COMMENT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text=_("Up to 2,000 characters. The moderators of this site read it."),
    )


class DataForm(forms.Form):
    videos = forms.BooleanField(label=_("Also the videos"), required=False)


class DeleteAccountForm(forms.Form):
    password = forms.CharField(
        label=_("Your password"),
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self._user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not self._user.check_password(password):
            raise forms.ValidationError(_("This is not your password."))
        return password


def _lifetime(days: int) -> str:
    return ngettext("{count} day", "{count} days", days).format(count=days)


def _label(model: InstalledModel) -> str:
    words = gettext("{name}, version {version}")
    label = words.format(name=model.weights.name, version=model.weights.version)
    return label if model.backbone else gettext("Standard: {model}").format(model=label)
