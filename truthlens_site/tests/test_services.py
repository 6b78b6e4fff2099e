"""A service that a test needs and the machine lacks."""

import pytest

from truthlens_site.tests.services import missing


def test_it_is_skipped_with_a_word_on_a_developer_s_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("TRUTHLENS_CI", raising=False)
    with pytest.raises(pytest.skip.Exception, match="chromium is not installed"):
        missing("chromium")


def test_it_fails_on_the_build_machine(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TRUTHLENS_CI", "1")
    with pytest.raises(pytest.fail.Exception, match="chromium is not installed"):
        missing("chromium")
