"""Themes beside stack files and plans: their problems are reported before any request."""

from __future__ import annotations

import json
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from tenantry.providers.values import archives
from tenantry.settings import SettingsError, check_plan
from tests.archives import write
from tests.settings.conftest import Folder


def two_in_one(path: Path) -> None:
    write(path, "One")
    (path / "other.qext").write_text("{}")


def many(path: Path) -> None:
    write(path, "One")
    for number in range(500):
        (path / f"{number}.css").touch()


def large(path: Path) -> None:
    write(path, "One")
    with (path / "large.css").open("wb") as file:
        file.truncate(archives.MAX_BYTES)


def bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.css", bytes(archives.MAX_UNPACKED + 1))


def nameless(path: Path) -> None:
    write(path, "")


def extension(path: Path) -> None:
    write(path, "One", type="visualization")


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda path: None, "cannot be read: No such file or directory"),
        (lambda path: path.write_text("not a zip"), "is not a zip, or is damaged"),
        (lambda path: path.mkdir(), "has no .qext file"),
        (two_in_one, "has look.qext, other.qext; a theme"),
        (many, "it has more than 500 files"),
        (large, "more than 30,000,000 bytes"),
        (bomb, "more than 100,000,000 bytes when it is unpacked"),
        (nameless, "has a look.qext without a name"),
        (extension, "is not a theme: the type in"),
    ],
)
def test_what_is_no_theme(folder: Folder, make: Callable[[Path], object], message: str) -> None:
    """The problem is one line, with the place in the file and the path of the theme."""
    make(folder.path / "theme")
    [problem] = folder.write("themes: {Corporate: {path: theme}}").problems()
    assert problem.startswith("stacks/Pulumi.globex.yaml:6: customer.themes.Corporate.path: ")
    assert str(folder.path / "theme") in problem
    assert message in problem


def test_two_of_one_name(folder: Folder) -> None:
    write(folder.path / "one", "Same")
    write(folder.path / "two", "Same")
    [problem] = folder.write("themes: {B: {path: two}, A: {path: one}}").problems()
    assert problem.endswith('B.path: name "Same", in the .qext, is taken by "A"; names must differ')


def test_a_path_is_from_the_folder_of_the_file_that_says_it(folder: Folder) -> None:
    theme = write(folder.path / "corporate", "Corporate")
    entry = folder.write("themes: {Look: {path: corporate}}").customer().themes["Look"]
    assert entry.resource_properties() == {
        "path": str(theme.absolute()),
        "name": "Corporate",
        "md5": archives.read(theme, theme=True).md5,
    }


def test_a_path_of_a_plan_is_from_the_folder_of_plans(folder: Folder) -> None:
    theme = write(folder.path / "plans" / "corporate", "Corporate")
    folder.write("plan: standard", standard="themes: {Look: {path: corporate}}")
    located = folder.customer().themes["Look"].located["path"]
    assert located.path == theme.absolute()
    check_plan(folder.path / "plans" / "standard.yaml")
    (theme / "look.qext").unlink()
    with pytest.raises(SettingsError, match=r"plans/standard.yaml:1: themes.Look.path: .*no .qext file"):
        check_plan(folder.path / "plans" / "standard.yaml")


def test_a_folder_makes_the_same_zip_everywhere(tmp_path: Path) -> None:
    """The order, the time and hidden files make no difference. A different content does."""
    one = write(tmp_path / "one", "Same")
    two = tmp_path / "two"
    two.mkdir()
    (two / ".git").mkdir()
    (two / ".git" / "a.css").touch()
    for name in ("README", ".hidden.css"):
        (two / name).touch()
    for file in sorted(one.iterdir(), reverse=True):
        (two / file.name).write_bytes(file.read_bytes())
    found = archives.read(two, theme=True)
    assert found == archives.read(one, theme=True)
    assert found.md5 == "fc08f0ad2ae5bfe04c717842a8ded9ca"
    (two / "look.css").write_text("")
    assert archives.read(two, theme=True).md5 != found.md5
    assert json.loads((two / "look.qext").read_text())["name"] == found.name
