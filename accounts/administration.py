"""The administration pages, each of whose changes is told to the audit log.

The site mixes :class:`Audited` into whatever is registered with it, a library's models too, so that none can
be forgotten. The log is never changed, so it keeps no text that somebody typed, which may be personal or
secret: of such a field it says that it was changed.
"""

from collections.abc import Iterable, Mapping
from copy import copy
from datetime import date, datetime
from typing import Any
from uuid import UUID

from django.contrib import admin
from django.core.exceptions import PermissionDenied
from django.db import transaction
from django.db.models import Model, QuerySet
from django.forms import BaseForm, BaseFormSet, ChoiceField
from django.http import HttpRequest

from accounts import audit
from accounts.audit import Target
from accounts.locks import take_turn
from accounts.models import User

NOT_KEPT = "(not kept)"


def begin_change(request: HttpRequest, *rows: Model) -> None:
    """Lock whom the rows are about, the request's user and the other administrators (``accounts.locks``).

    Whoever acts stays, so that an administrator does. Raises PermissionDenied where they were dismissed since
    the request began.
    """
    assert isinstance(request.user, User)
    named = [row.pk if isinstance(row, User) else getattr(row, "user_id", None) for row in rows]
    others = [key for key in named if key is not None]
    if not take_turn(user=request.user, others=others, administrators=True).is_superuser:
        raise PermissionDenied


def record_change(
    *,
    request: HttpRequest,
    action: str,
    row: Model,
    before: Mapping[str, Any] | None = None,
    after: Mapping[str, Any] | None = None,
) -> None:
    """Tell the audit log what the request's user does to a row."""
    assert isinstance(request.user, User)
    target = Target(str(row._meta.model_name), getattr(row, "uuid", None) or str(row.pk))
    audit.record(actor=request.user, action=action, target=target, before=before, after=after)


def kept(value: Any) -> Any:
    """A value as the log keeps it: plain ones as they are, rows by their UUID or key, and no text."""
    if value is None or isinstance(value, bool | int | float):
        return value
    if isinstance(value, date | datetime):
        return value.isoformat()
    if isinstance(value, UUID):
        return str(value)
    if isinstance(value, Model):
        return str(getattr(value, "uuid", value.pk))
    if isinstance(value, list | tuple | set | QuerySet):
        return [kept(entry) for entry in value]
    return NOT_KEPT if value else ""


class Audited(admin.ModelAdmin):  # type: ignore[type-arg]
    """What is added, changed or deleted is recorded at the end of the transaction that does it."""

    def save_model(self, request: HttpRequest, obj: Model, form: BaseForm, change: bool) -> None:
        begin_change(request, obj)
        super().save_model(request, obj, form, change)

    def save_related(
        self, request: HttpRequest, form: BaseForm, formsets: "Iterable[BaseFormSet[Any]]", change: bool
    ) -> None:
        super().save_related(request, form, formsets, change)
        forms = [form, *(entry for formset in formsets for entry in formset.forms)]
        for changed in forms:
            if changed.has_changed() or (changed is form and not change):
                _record_form(request, changed, "change" if change else "add")

    def delete_model(self, request: HttpRequest, obj: Model) -> None:
        with transaction.atomic():
            begin_change(request, obj)
            deleted = copy(obj)  # which keeps its key
            super().delete_model(request, obj)
            record_change(request=request, action="delete", row=deleted)

    def delete_queryset(self, request: HttpRequest, queryset: QuerySet[Any]) -> None:
        with transaction.atomic():
            begin_change(request, *queryset)
            deleted = list(queryset.all())  # as they are now
            super().delete_queryset(request, queryset)
            for row in deleted:
                record_change(request=request, action="delete", row=row)


def _record_form(request: HttpRequest, form: Any, action: str) -> None:
    """What a form of a row changed. One of an inline may have added or deleted its row."""
    names = [name for name in form.changed_data if name in form.cleaned_data]
    record_change(
        request=request,
        action="delete" if form.cleaned_data.get("DELETE") else action,
        row=form.instance,
        before={name: _kept(form, name, form.initial) for name in names} if action == "change" else {},
        after={name: _kept(form, name, form.cleaned_data) for name in names},
    )


def _kept(form: BaseForm, name: str, values: Mapping[str, Any]) -> Any:
    """One that was picked from a list is no text that somebody typed."""
    value = values.get(name)
    is_picked = isinstance(form.fields.get(name), ChoiceField)
    return value if is_picked and isinstance(value, str) else kept(value)


class AdministrationSite(admin.AdminSite):
    def register(self, model_or_iterable: Any, admin_class: Any = None, **options: Any) -> None:
        base = admin_class or admin.ModelAdmin
        audited = type(f"Audited{base.__name__}", (Audited, base), {"__module__": base.__module__})
        super().register(model_or_iterable, audited, **options)
