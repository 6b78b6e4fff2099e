from uuid import uuid4

import pytest
from django.contrib.auth.models import AnonymousUser
from django.http import Http404

from accounts.models import User
from analyses.access import get_analysis
from analyses.models import Analysis


def test_alice_gets_her_own(queued: Analysis, alice: User) -> None:
    assert get_analysis(alice, queued.uuid) == queued


def test_bob_gets_404_for_what_is_alice_s(queued: Analysis, bob: User) -> None:
    with pytest.raises(Http404):
        get_analysis(bob, queued.uuid)


def test_mo_gets_everybody_s(queued: Analysis, mo: User) -> None:
    assert get_analysis(mo, queued.uuid) == queued


def test_nobody_gets_404(queued: Analysis) -> None:
    with pytest.raises(Http404):
        get_analysis(AnonymousUser(), queued.uuid)


def test_a_suspended_owner_gets_404(queued: Analysis, alice: User) -> None:
    alice.is_active = False
    with pytest.raises(Http404):
        get_analysis(alice, queued.uuid)


def test_what_does_not_exist_looks_the_same_as_what_is_somebody_else_s(alice: User) -> None:
    with pytest.raises(Http404):
        get_analysis(alice, uuid4())
