"""Numbers in the words of the pages."""

from datetime import datetime

from django import template
from django.utils import timezone
from django.utils.formats import date_format
from django.utils.html import format_html
from django.utils.safestring import SafeString
from django.utils.translation import gettext

from analyses.sentences import in_words

register = template.Library()

NBSP = "\u00a0"
TIME_FORMAT = "j M Y, H:i T"


register.filter(in_words)


@register.filter
def clock(seconds: float) -> str:
    """A position in a video: 0:04.2, 12:30.0, 1:02:03.4."""
    tenths = round(max(0.0, seconds) * 10)
    minutes, rest = divmod(tenths, 600)
    hours, minutes = divmod(minutes, 60)
    tail = f"{rest // 10:02d}.{rest % 10}"
    return f"{hours}:{minutes:02d}:{tail}" if hours else f"{minutes}:{tail}"


@register.filter
def span(seconds: float) -> str:
    """A length of time: 0.4 s, 12 s, 3 min 5 s, 1 h 2 min."""
    if seconds < 10:
        return f"{seconds:.1f}{NBSP}s"
    whole = round(seconds)
    if whole < 60:
        return f"{whole}{NBSP}s"
    minutes, rest = divmod(whole, 60)
    if minutes < 60:
        return f"{minutes}{NBSP}min {rest}{NBSP}s" if rest else f"{minutes}{NBSP}min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours}{NBSP}h {minutes}{NBSP}min" if minutes else f"{hours}{NBSP}h"


@register.filter
def roughly(seconds: float) -> str:
    """A length of time that is only estimated: a few seconds, about 15 s, about 2 min."""
    if seconds < 7.5:
        return gettext("a few seconds")
    if seconds < 57.5:
        length = f"{5 * round(seconds / 5)}{NBSP}s"
    else:
        length = f"{max(1, round(seconds / 60))}{NBSP}min"
    return gettext("about {length}").format(length=length)


@register.filter
def percent(share: float | None, threshold: float | None = None) -> str:
    """A probability in whole percent. With the threshold, never rounded onto the other side of a limit."""
    if share is None:
        return gettext("no score")
    if share > 0.99:
        return gettext("over {share}").replace(" ", NBSP).format(share=f"99{NBSP}%")
    if share < 0.01:
        return gettext("under {share}").replace(" ", NBSP).format(share=f"1{NBSP}%")
    whole = round(100 * share)
    if threshold is not None and _side(whole / 100, threshold) != _side(share, threshold):
        return f"{100 * share:.1f}{NBSP}%"
    return f"{whole}{NBSP}%"


def _side(share: float, threshold: float) -> int:
    """1 for fake, -1 for real, 0 between."""
    if share >= threshold:
        return 1
    return -1 if share <= 1 - threshold + 1e-9 else 0


@register.filter
def hundredths(share: float) -> str:
    """A share as a number for an SVG attribute or a table: 70 or 69.95."""
    return f"{100 * share:.2f}".rstrip("0").rstrip(".")


@register.filter
def bitrate(kilobits: float) -> str:
    """Of a file: 850 kbit/s, 4.2 Mbit/s."""
    if kilobits < 1000:
        return f"{max(1, round(kilobits))}{NBSP}kbit/s"
    return f"{kilobits / 1000:.1f}{NBSP}Mbit/s"


@register.filter
def moment(when: datetime) -> str:
    """A point in time: 26 Nov 2026, 14:05 UTC."""
    return date_format(timezone.localtime(when), f"j{NBSP}M{NBSP}Y, H:i{NBSP}T")


@register.filter
def when(at: datetime | None) -> SafeString:
    """A point in time as a piece of a page, also in the middle of a sentence; nothing for None."""
    if at is None:
        return SafeString()
    local = timezone.localtime(at)
    return format_html('<time datetime="{}">{}</time>', local.isoformat(), date_format(local, TIME_FORMAT))


@register.filter
def room(size: float) -> str:
    """Of a disk: megabytes as below, and from 1,024 of them on gigabytes."""
    gigabytes = size / 1024**3
    if gigabytes < 1:
        return megabytes(int(size)) if size else f"0{NBSP}MB"
    whole = gigabytes == round(gigabytes) or gigabytes >= 100
    return f"{gigabytes:.0f}{NBSP}GB" if whole else f"{gigabytes:.1f}{NBSP}GB"


@register.filter
def megabytes(size: int) -> str:
    """In the units that the limit is set in: 1 MB is 1,048,576 bytes."""
    if size < 1024 * 1024:
        return f"{max(1, round(size / 1024))}{NBSP}kB"
    amount = size / (1024 * 1024)
    return f"{amount:.1f}{NBSP}MB" if amount < 10 and amount != round(amount) else f"{amount:.0f}{NBSP}MB"
