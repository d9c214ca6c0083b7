"""Folders for caches and state, for a user without a home folder."""

from __future__ import annotations

import pwd
from collections.abc import Callable
from pathlib import Path

import pytest

from tenantry.providers.qlik import ConfigurationError, folders


@pytest.mark.parametrize(
    ("folder", "variable"), [(folders.cache, "TENANTRY_CACHE"), (folders.state, "TENANTRY_STATE")]
)
def test_without_a_home_folder_the_error_names_the_variable(
    monkeypatch: pytest.MonkeyPatch, folder: Callable[[], Path], variable: str
) -> None:
    def raise_key_error(_: int) -> None:
        raise KeyError

    monkeypatch.setattr(pwd, "getpwuid", raise_key_error)
    for name in ("HOME", "XDG_CACHE_HOME", "XDG_STATE_HOME", variable):
        monkeypatch.delenv(name, raising=False)
    with pytest.raises(ConfigurationError, match=f"^{variable} is not set, and this user has no home folder"):
        folder()
    monkeypatch.setenv(variable, "/srv/tenantry")
    assert folder() == Path("/srv/tenantry")
