"""What every page knows about the analyses of whoever looks at it."""

from collections.abc import Callable

from django.http import HttpRequest

from analyses.moderation.models import Notice


def notices(request: HttpRequest) -> dict[str, Callable[[], int]]:
    """How many notices are unread, counted by the pages that show it."""

    def unread() -> int:
        if not request.user.is_authenticated:
            return 0
        return Notice.objects.unread().filter(user=request.user).count()

    return {"unread_notices": unread}
