"""Tests of the checks before the release of a tag."""

from __future__ import annotations

from pathlib import Path

import pytest

from tools.release import NotReady, check, section

CHANGELOG = """# Changelog

## Unreleased

- Something new.

## 1.2.0 - 2030-01-31

- Better.

## 1.1.0

- Good.
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    """Return a checkout in which version 1.2.0 can be released."""
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "tenantry"\nversion = "1.2.0"\n')
    (tmp_path / "CHANGELOG.md").write_text(CHANGELOG)
    states = tmp_path / "tests" / "upgrades" / "1.2.0"
    states.mkdir(parents=True)
    (states / "cloud.json").touch()
    return tmp_path


def test_a_complete_version_can_be_released(root: Path) -> None:
    assert check("v1.2.0", root) == "- Better."


@pytest.mark.parametrize("tag", ["1.2.0", "v1.2", "v1.2.1", "main"])
def test_the_tag_must_be_the_version(root: Path, tag: str) -> None:
    with pytest.raises(NotReady, match=r"Use the tag v1\.2\.0"):
        check(tag, root)


def test_the_changelog_must_have_a_section_for_the_version(root: Path) -> None:
    (root / "CHANGELOG.md").write_text(CHANGELOG.replace("## 1.2.0 - 2030-01-31\n", ""))
    with pytest.raises(NotReady, match=r"CHANGELOG\.md has no section for 1\.2\.0"):
        check("v1.2.0", root)


def test_a_released_version_must_have_sample_states(root: Path) -> None:
    (root / "tests" / "upgrades" / "1.2.0" / "cloud.json").unlink()
    with pytest.raises(NotReady, match=r"tests\.upgrades\.make"):
        check("v1.2.0", root)


@pytest.mark.parametrize(("version", "text"), [("1.1.0", "- Good."), ("1.1", ""), ("2.0.0", "")])
def test_a_section_of_the_changelog_is_extracted(version: str, text: str) -> None:
    assert section(CHANGELOG, version) == text
