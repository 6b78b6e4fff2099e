"""A column that another value fills in, so that nobody who makes a row can forget it."""

from operator import attrgetter
from typing import Any
from unicodedata import normalize

from django.db import models


def folded(text: str) -> str:
    """How names are compared: without regard to case, width or ligatures."""
    return normalize("NFKC", normalize("NFKC", text).casefold())


class FoldedField(models.CharField):  # type: ignore[type-arg]
    """``source`` (dotted, from the row) folded for search and order, written whenever the row is saved."""

    def __init__(self, *args: Any, source: str = "", **options: Any) -> None:
        self.source = source
        super().__init__(*args, **options)

    def deconstruct(self) -> Any:
        name, path, args, options = super().deconstruct()
        return name, path, args, {**options, "source": self.source}

    def pre_save(self, model_instance: models.Model, add: bool) -> str:
        value = folded(attrgetter(self.source)(model_instance))[: self.max_length]
        setattr(model_instance, self.attname, value)
        return value
