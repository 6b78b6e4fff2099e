"""The forms of the pages."""

from django import forms

ACCEPT = "video/*,.mp4,.m4v,.mov,.avi,.webm,.mkv"


class UploadForm(forms.Form):
    """One video. What it holds is checked by ``analyses.services``, not here."""

    video = forms.FileField(
        label="Video file",
        allow_empty_file=True,  # the service has a sentence for it
        error_messages={"required": "Choose a video file first."},
        widget=forms.FileInput(attrs={"accept": ACCEPT, "aria-describedby": "limits"}),
    )
