"""The forms of the pages."""

from typing import Any

from django import forms

from accounts.models import User
from analyses.detection import InstalledModel, installed_models
from analyses.models import COMMENT_LENGTH, Dispute
from analyses.sharing import LIFETIMES

EXTENSIONS = (".mp4", ".m4v", ".mov", ".avi", ".webm", ".mkv")
ACCEPT = ",".join(("video/*", *EXTENSIONS))


class OptionsForm(forms.Form):
    """What an analysis is asked for. Where one model is installed there is nothing to choose."""

    backbone = forms.ChoiceField(
        label="Model", required=False, error_messages={"invalid_choice": "This model is not installed."}
    )
    stability = forms.BooleanField(
        label="Also check whether the verdict holds for compressed copies",
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
        label="Video file",
        allow_empty_file=True,  # the service has a sentence for it
        error_messages={"required": "Choose a video file first."},
        widget=forms.FileInput(attrs={"accept": ACCEPT, "aria-describedby": "limits"}),
    )


class ShareForm(forms.Form):
    days = forms.TypedChoiceField(
        label="The link works for",
        coerce=int,
        choices=[(days, f"{days} day{'s' if days > 1 else ''}") for days in LIFETIMES],
        initial=7,
    )
    shows_name = forms.BooleanField(label="Show the file’s name", required=False)


class DisputeForm(forms.Form):
    opinion = forms.ChoiceField(
        label="What do you think it is?",
        choices=Dispute.Opinion.choices,
        widget=forms.RadioSelect,
        error_messages={"required": "Choose one of the three."},
    )
    comment = forms.CharField(
        label="Why? (optional)",
        required=False,
        max_length=COMMENT_LENGTH,
        widget=forms.Textarea(attrs={"rows": 4}),
        help_text="Up to 2,000 characters. The moderators of this site read it.",
    )


class DataForm(forms.Form):
    videos = forms.BooleanField(label="Also the videos", required=False)


class DeleteAccountForm(forms.Form):
    password = forms.CharField(
        label="Your password",
        strip=False,
        widget=forms.PasswordInput(attrs={"autocomplete": "current-password"}),
    )

    def __init__(self, *args: Any, user: User, **options: Any) -> None:
        super().__init__(*args, **options)
        self._user = user

    def clean_password(self) -> str:
        password: str = self.cleaned_data["password"]
        if not self._user.check_password(password):
            raise forms.ValidationError("This is not your password.")
        return password


def _label(model: InstalledModel) -> str:
    label = f"{model.weights.name}, version {model.weights.version}"
    return label if model.backbone else f"Standard: {label}"
