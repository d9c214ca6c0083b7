"""Tests of the requirement with which pip installs Tenantry from the same source again."""

from __future__ import annotations

import json
from typing import Any

import pytest

from tenantry.starting import requirement

COMMIT = "0123456789abcdef0123456789abcdef01234567"


class Installed:
    """An installed distribution with a recorded source."""

    version = "1.2.3"

    def __init__(self, origin: dict[str, Any] | None) -> None:
        self.origin = origin

    def read_text(self, name: str) -> str | None:
        assert name == "direct_url.json"
        return None if self.origin is None else json.dumps(self.origin)


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (None, "tenantry[cli,emulator]==1.2.3"),
        (
            {"url": "file:///w/tenantry-1.2.3-py3-none-any.whl", "archive_info": {}},
            "tenantry[cli,emulator] @ file:///w/tenantry-1.2.3-py3-none-any.whl",
        ),
        (
            {
                "url": "https://git.example/t.git",
                "vcs_info": {"vcs": "git", "commit_id": COMMIT, "requested_revision": "v1.2.3"},
            },
            "tenantry[cli,emulator] @ git+https://git.example/t.git@v1.2.3",
        ),
        (
            {"url": "https://git.example/t.git", "vcs_info": {"vcs": "git", "commit_id": COMMIT}},
            f"tenantry[cli,emulator] @ git+https://git.example/t.git@{COMMIT}",
        ),
    ],
)
def test_the_requirement_names_the_source_of_the_installation(
    monkeypatch: pytest.MonkeyPatch, origin: dict[str, Any] | None, expected: str
) -> None:
    monkeypatch.setattr(requirement, "distribution", lambda name: Installed(origin))
    assert requirement.requirement(("cli", "emulator")) == expected
