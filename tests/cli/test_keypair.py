"""Tests of `tenantry keypair`: its two files, and the lines that it prints for a stack file."""

from __future__ import annotations

import stat
import sys
from pathlib import Path
from typing import Any

import pytest
import yaml
from cryptography.hazmat.primitives.serialization import load_pem_private_key, load_pem_public_key
from typer.testing import CliRunner

import tenantry.cli
from tenantry.cli import keys
from tenantry.cli.app import app
from tests.cli.test_cli import block_imports


@pytest.fixture(autouse=True)
def quick_keys(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(keys, "BITS", 2048)


@pytest.fixture
def project(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Create a project in the current folder."""
    (tmp_path / "stacks").mkdir()
    (tmp_path / "Pulumi.yaml").write_text("{name: tenantry, runtime: python, stackConfigDir: stacks}")
    monkeypatch.chdir(tmp_path)
    return tmp_path


def keypair(*arguments: str, code: int = 0) -> str:
    """Run the command and return its output. `code` is the expected exit code."""
    result = CliRunner().invoke(app, ["keypair", *arguments])
    assert result.exit_code == code, result.output
    return result.output


def lines_to_paste(output: str) -> dict[str, Any]:
    """Return the printed lines for the stack file, parsed as YAML."""
    block = output.partition("jwt_identity_providers:")[2].partition("Your portal")[0]
    return yaml.safe_load(block)  # type: ignore[no-any-return]


def test_the_files_are_a_pair_and_only_the_owner_can_read_the_private_key(project: Path) -> None:
    keypair("keys/portal")
    private, public = (project / "keys" / "portal" / f"{name}.pem" for name in ("private", "public"))
    assert stat.S_IMODE(private.stat().st_mode) == 0o600
    key = load_pem_private_key(private.read_bytes(), None)
    assert key.public_key() == load_pem_public_key(public.read_bytes())
    assert keys.is_public_half(public.read_text(), keys.read_private(private))


def test_the_printed_lines_have_issuer_kid_and_file_but_no_private_key(project: Path) -> None:
    output = keypair("keys", "--issuer", "it's: us")
    ((name, block),) = lines_to_paste(output).items()
    assert block == {"issuer": "it's: us", "kid": name, "pem_file": "../keys/public.pem"}
    public = load_pem_public_key((project / "stacks" / block["pem_file"]).read_bytes())
    assert keys.key_id(public) == name  # type: ignore[arg-type]
    secret = (project / "keys" / "private.pem").read_text().splitlines()[1]
    assert secret not in output


def test_outside_a_project_the_path_is_absolute(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    ((_, block),) = lines_to_paste(keypair("keys")).items()
    assert block["pem_file"] == str(tmp_path / "keys" / "public.pem")
    assert block["issuer"] == "portal"


def test_two_pairs_have_two_key_ids(project: Path) -> None:
    assert lines_to_paste(keypair("one")).keys() != lines_to_paste(keypair("two")).keys()


@pytest.mark.parametrize("name", ["private.pem", "public.pem"])
def test_existing_files_are_not_overwritten(project: Path, name: str) -> None:
    (project / "keys").mkdir()
    (project / "keys" / name).write_text("existing")
    output = keypair("keys", code=1)
    assert f"keys/{name} already exists" in output
    assert [file.name for file in (project / "keys").iterdir()] == [name]
    assert (project / "keys" / name).read_text() == "existing"


@pytest.mark.parametrize("name", ["private.pem", "public.pem"])
def test_a_broken_link_is_not_followed(project: Path, name: str) -> None:
    (project / "keys").mkdir()
    (project / "keys" / name).symlink_to(project / "target")
    assert "already exists, and is not overwritten" in keypair("keys", code=1)
    assert [file.name for file in (project / "keys").iterdir()] == [name]
    assert not (project / "target").exists()


def test_a_folder_that_cannot_be_created_is_named(project: Path) -> None:
    (project / "keys").write_text("a file")
    assert "cannot be written" in keypair("keys/inside", code=1)


def test_without_its_libraries_keypair_says_what_to_install(
    project: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    block_imports(monkeypatch, "cryptography", "jwt")
    monkeypatch.delitem(sys.modules, "tenantry.cli.keys")
    monkeypatch.delattr(tenantry.cli, "keys")
    output = keypair("keys", code=1)
    assert "needs cryptography" in output or "needs jwt" in output
    assert 'pip install "tenantry[cli] @ file://' in output
    assert not (project / "keys").exists()
