"""Tests of the message about a missing extra. No text may recommend an install from an index."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

import pytest

from tenantry.cli import installing

ROOT = Path(__file__).resolve().parents[2]
INDEX_INSTALL = re.compile(r"""pip install [^\n]*?["' ]tenantry(\[[a-z,]*\])?(?! @ )["'`=\s]""")


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


def test_no_text_recommends_an_install_from_an_index() -> None:
    """Tenantry is on no index yet, so another person could publish a package with this name."""
    process = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True)
    found = [
        f"{name}: {match[0]}"
        for name in process.stdout.split("\0")
        if name.endswith((".md", ".py", ".in", ".yml", ".html")) and not name.startswith("tests/")
        if (ROOT / name).is_file()  # neither a link nor deleted
        for match in INDEX_INSTALL.finditer((ROOT / name).read_text("utf-8"))
    ]
    assert found == []


@pytest.mark.parametrize(
    "line", ["pip install 'tenantry[cli]'", 'pip install "tenantry"', "pip install -U tenantry==1.0.0"]
)
def test_an_install_from_an_index_is_detected(line: str) -> None:
    assert INDEX_INSTALL.search(f"{line}\n")
    assert not INDEX_INSTALL.search('pip install "tenantry[cli] @ git+https://git.example/tenantry@v1.0.0"\n')
