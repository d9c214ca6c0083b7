"""Tests of the message about a missing extra. Nothing may recommend an index for Tenantry."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tenantry.cli import installing

ROOT = Path(__file__).resolve().parents[2]
ASKED = re.compile(r"""pip install [^\n]*?["' ]tenantry(\[[a-z,]*\])?(?! @ )["'`=\s]""")


@pytest.mark.parametrize(
    ("origin", "expected"),
    [
        (
            "tenantry[cli] @ git+https://git.example/tenantry@v1.0.0",
            'Install it with: pip install "tenantry[cli] @ git+https://git.example/tenantry@v1.0.0"',
        ),
        (
            "tenantry[cli]==1.0.0",
            'Install Tenantry 1.0.0 again from the same source, with its extra "cli".',
        ),
    ],
)
def test_an_extra_is_installed_from_the_source_of_tenantry(
    monkeypatch: pytest.MonkeyPatch, origin: str, expected: str
) -> None:
    monkeypatch.setattr(installing, "requirement", lambda extras: origin)
    assert installing.how_to_install("cli") == expected


def test_nothing_asks_an_index_for_tenantry() -> None:
    """There is no release on an index yet. Somebody else could publish a package with this name."""
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = [
        f"{name}: {match[0]}"
        for name in listed.stdout.split("\0")
        if name.endswith((".md", ".py", ".in", ".yml", ".html")) and not name.startswith("tests/")
        if (ROOT / name).is_file()  # and not a link, or removed by a commit to come
        for match in ASKED.finditer((ROOT / name).read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "line", ["pip install 'tenantry[cli]'", 'pip install "tenantry"', "pip install -U tenantry==1.0.0"]
)
def test_an_index_install_would_be_detected(line: str) -> None:
    assert ASKED.search(f"{line}\n")
    assert not ASKED.search('pip install "tenantry[cli] @ git+https://git.example/tenantry@v1.0.0"\n')
