"""The forms of the pages."""

from typing import Any

from django import forms

from analyses.detection import InstalledModel, installed_models

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


def _label(model: InstalledModel) -> str:
    label = f"{model.weights.name}, version {model.weights.version}"
    return label if model.backbone else f"Standard: {label}"
