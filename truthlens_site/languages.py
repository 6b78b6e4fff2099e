"""The languages of the pages: English, and those that somebody translated (``locale``)."""

from pathlib import Path

from django.conf.locale import LANG_INFO

ENGLISH = ("en", "English")


def languages_in(folder: Path) -> list[tuple[str, str]]:
    """Codes and names. One whose sentences were not compiled doesn't count."""
    folders = (file.parent.parent.name for file in folder.glob("*/LC_MESSAGES/django.mo"))
    codes = [name.replace("_", "-").lower() for name in folders]
    names = {code: LANG_INFO.get(code, {}).get("name_local", code) for code in codes}
    return [ENGLISH, *sorted((code, name) for code, name in names.items() if code != "en")]
