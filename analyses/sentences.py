"""The detector's sentences, for the translators: it is plain Python and knows nothing of languages.

Documents, downloads and the API keep them in English; pages pass them through ``in_words``.
"""

from django.utils.translation import gettext
from django.utils.translation import gettext_noop as _

REASONS = (
    _("No face was found in the frames that were looked at."),
    _("The faces are too small in the picture to be judged."),
    _("The faces are too blurred to be judged."),
    _("A face was seen in too few frames to be judged."),
    _("Compression this strong can hide traces of manipulation and leave similar ones."),
    _("The faces are turned too far away to be judged."),
    _("The score lies between the limits for real and fake."),
    _("The verdict changes when the video is compressed or scaled, so it can't be relied on."),
    _("The faces differ: at least one looks manipulated while another looks real."),
    _("The file ends before it should; only the part that could be read was judged."),
    _("The face is unlike those that the model knows: drawn, animated, or no face at all."),
)
FAILURES = (
    _("The file is empty."),
    _("The file is not a video, or holds no picture."),
    _("The file is damaged: no frame of it could be read."),
    _("This kind of video is not supported. Use MP4, MOV, AVI, WebM or MKV."),
    _("The file is larger than the limit."),
    _("The video is longer than the limit."),
    _("The picture is larger than the limit."),
    _("The analysis took longer than the limit and was stopped."),
    _("The analysis broke down on this file."),
    _("The machine that analysed this file was lost too many times."),
    _("The analysis was cancelled."),
    _("No usable model weights are installed, so nothing can be analysed."),
)
CREDENTIALS = (
    _("The signer is on this site’s trust list, and the file was not changed since."),
    _("The file was not changed since it was signed, but the signer is not on this site’s trust list."),
    _(
        "The file was not changed since it was signed, but this site has no trust list, so nobody "
        "vouches for "
        "the signer."
    ),
    _("The Content Credentials are damaged."),
    _("The file points to Content Credentials that lie elsewhere, and nothing is fetched."),
    _("The file was changed after it was signed."),
    _("What the signer claimed was changed afterwards."),
    _("The signature doesn’t fit what was signed."),
    _("It was signed when the signer’s certificate was not valid."),
    _("The signer’s certificate has expired."),
    _("The signer’s certificate was revoked."),
    _("The signer’s certificate is not one for signing."),
    _(
        "The file holds no Content Credentials. Their absence proves nothing: most cameras and "
        "programs write "
        "none."
    ),
    _("The Content Credentials could not be read, so nothing is known of them."),
)
PROGRAMS = (
    _("FFmpeg or a program that uses it"),
    _("a Google service such as YouTube"),
    _("FaceFusion, which swaps faces"),
    _("DeepFaceLive, which swaps faces"),
    _("DeepFaceLab, which swaps faces"),
    _("roop, which swaps faces"),
    _("Runway, which generates video"),
    _("Sora, which generates video"),
)
"""Those of the programs that leave marks whose description is more than a name."""
STREAMS = (_("video"), _("audio"), _("subtitle"), _("data"))
"""The kinds of streams in a container."""
ALL = frozenset((*REASONS, *FAILURES, *CREDENTIALS, *PROGRAMS))


def in_words(text: str) -> str:
    """What the detector said, which may be several of its sentences, in the language of the page."""
    if text in ALL:
        return gettext(text)
    for sentence in ALL:
        text = text.replace(sentence, gettext(sentence))
    return text
