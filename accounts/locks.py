"""In which order transactions lock rows, so that no two of them wait for each other.

Users first, by their key. Then videos; then an analysis and what hangs on it, like its case; then webhooks
and their deliveries; the audit log last. A row that names a user locks that user's row too, but only as the
transaction ends: where more is locked by then, :func:`lock_users` comes before all of it.
"""

from collections.abc import Sequence

from django.core.exceptions import PermissionDenied
from django.db.models import Q

from accounts.models import User


def lock_users(*keys: int, administrators: bool = False) -> dict[int, User]:
    """Their rows as they are now, by key, until the transaction ends; whoever is gone is missing.

    ``administrators``: with everybody who looks after the site and can log in.
    """
    which = Q(pk__in=keys)
    if administrators:
        which |= Q(is_superuser=True, is_active=True)
    return {row.pk: row for row in User.objects.select_for_update(no_key=True).filter(which).order_by("pk")}


def take_turn(*, user: User, others: Sequence[int] = (), administrators: bool = False) -> User:
    """The user as the row is now. The same user's others wait for the end of this transaction.

    The rest as in :func:`lock_users`. Raises PermissionDenied where the user was suspended, or deleted, since
    the request began.
    """
    current = lock_users(user.pk, *others, administrators=administrators).get(user.pk)
    if current is None or not current.is_active:
        raise PermissionDenied
    return current
