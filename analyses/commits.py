"""What is done once a transaction is written, and can't undo it any more."""

from collections.abc import Callable
from typing import ParamSpec

from django.db import transaction

P = ParamSpec("P")


def after_commit(work: Callable[P, object], *args: P.args, **kwargs: P.kwargs) -> None:
    """Where it fails, that is logged and goes no further: the reconciler and the sweep make up for it.

    Django looks up the name of what failed, and a ``partial`` has none.
    """
    transaction.on_commit(lambda: work(*args, **kwargs), robust=True)
