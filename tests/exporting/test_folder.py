"""The folder of an export: safe names, complete files, one writer at a time."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from tenantry.exporting.folder import INDEX, ExportFolder, ExportRefused, app_path, as_csv, safe_name

DANGEROUS_NAMES = (
    "../../etc/passwd",
    "a/b\\c",
    "CON",
    "nul.txt",
    ".hidden",
    "\x00\x1b[31m",
    "\u202egpj.exe",
    "  ",
    "é" * 300,
)


@pytest.mark.parametrize("name", DANGEROUS_NAMES)
def test_a_dangerous_name_becomes_a_safe_file_name(name: str) -> None:
    safe = safe_name(name, "0123-abcd")
    assert safe.endswith("0123-abcd")
    assert not set(safe) & set('/\\.:*?"<>|\x00\x1b\u202e ')
    assert len(f"{safe}.qvf.abcdefgh.part".encode()) < 255


def test_file_names_are_unique() -> None:
    names = [
        safe_name(name, id) for name in ("Sales", "sales", "Sales!") for id in ("a1", "b2", "../x", "..\\x")
    ]
    by_id = {id: safe_name("Sales", id).casefold() for id in ("a1", "b2", "../x", "..\\x")}
    assert len(set(by_id.values())) == 4
    assert all("/" not in name and ".." not in name for name in names)


def test_the_folder_of_a_personal_app_names_its_owner() -> None:
    item = {"resourceId": "app1", "name": "Mine", "ownerId": "ada1"}
    assert app_path(item, {}) == "apps/personal-ada1/Mine-app1.qvf"
    assert (
        app_path(item | {"spaceId": "s1"}, {"s1": {"name": "Sales/EU"}}) == "apps/Sales-EU-s1/Mine-app1.qvf"
    )


@pytest.mark.parametrize("stack", ["..", ".", "", "a/b", "/tmp/x"])
def test_a_stack_name_that_leaves_the_root_is_refused(tmp_path: Path, stack: str) -> None:
    with pytest.raises(ExportRefused, match="is not a name"), ExportFolder.opened(tmp_path / "to", stack):
        pass
    assert list(tmp_path.iterdir()) == []


def test_only_one_export_writes_a_folder_at_a_time(tmp_path: Path) -> None:
    with ExportFolder.opened(tmp_path, "acme"):
        with pytest.raises(ExportRefused, match="Another export"), ExportFolder.opened(tmp_path, "acme"):
            pass
        with ExportFolder.opened(tmp_path, "globex"):
            pass


def test_the_folder_is_private_and_ignored_by_git(tmp_path: Path) -> None:
    root = tmp_path / "exports"
    with ExportFolder.opened(root, "acme") as folder:
        assert folder.path.stat().st_mode & 0o077 == 0
    assert (root / ".gitignore").read_text() == "*\n"


def test_leftovers_of_a_killed_export_are_deleted(tmp_path: Path) -> None:
    with ExportFolder.opened(tmp_path, "acme") as folder:
        part = folder.file("apps/s/x.qvf.abc.part")
        part.write_text("half")
    with ExportFolder.opened(tmp_path, "acme"):
        assert not part.exists()


def test_a_changed_file_does_not_count_as_saved(tmp_path: Path) -> None:
    with ExportFolder.opened(tmp_path, "acme") as folder:
        entry = folder.write("users.json", "[]\n")
        assert folder.holds(entry)
        (folder.path / "users.json").write_text("[ ]")
        assert not folder.holds(entry)


def test_a_manipulated_index_cannot_delete_files_outside_the_folder(tmp_path: Path) -> None:
    other = tmp_path / "precious"
    other.write_text("x")
    with ExportFolder.opened(tmp_path / "to", "acme") as folder:
        for path in ("../../precious", str(other)):
            folder.remove({"path": path})
            assert folder.inside({"path": path}) is None
    assert other.exists()


@pytest.mark.parametrize(
    "text", ["", "{", "[]", '{"format": 1, "files": {}}', '{"format": 2, "files": [{}]}']
)
def test_an_unreadable_index_is_ignored(tmp_path: Path, text: str) -> None:
    (tmp_path / "acme").mkdir()
    (tmp_path / "acme" / INDEX).write_text(text)
    with ExportFolder.opened(tmp_path, "acme") as folder:
        assert folder.earlier == []


def test_a_text_has_no_effect_in_a_spreadsheet() -> None:
    rows = [{"name": "=1+1", "roles": [{"name": "TenantAdmin", "id": "r"}, {"id": "x"}], "email": None}]
    assert as_csv(("name", "roles", "email"), rows) == "name,roles,email\n'=1+1,TenantAdmin;x,\n"


def test_a_folder_that_cannot_be_created_is_an_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    expect_error = pytest.raises(ExportRefused, match="cannot be written")
    with expect_error, ExportFolder.opened(tmp_path / "file" / "to", "acme"):
        pass


def test_the_index_names_its_format(tmp_path: Path) -> None:
    with ExportFolder.opened(tmp_path, "acme") as folder:
        folder.write_index({"files": [{"path": "x"}]})
    assert json.loads((tmp_path / "acme" / INDEX).read_text()) == {"format": 1, "files": [{"path": "x"}]}
