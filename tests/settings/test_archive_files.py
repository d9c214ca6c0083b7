"""Theme files next to stack files and plans: their problems are reported before any request."""

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


def write_two_themes(path: Path) -> None:
    write(path, "One")
    (path / "other.qext").write_text("{}")


def write_many_files(path: Path) -> None:
    write(path, "One")
    for number in range(500):
        (path / f"{number}.css").touch()


def write_large_file(path: Path) -> None:
    write(path, "One")
    with (path / "large.css").open("wb") as file:
        file.truncate(archives.MAX_BYTES)


def write_zip_bomb(path: Path) -> None:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        archive.writestr("a.css", bytes(archives.MAX_UNPACKED + 1))


def write_without_name(path: Path) -> None:
    write(path, "")


def write_extension(path: Path) -> None:
    write(path, "One", type="visualization")


@pytest.mark.parametrize(
    ("write_theme", "message"),
    [
        (lambda path: None, "cannot be read: No such file or directory"),
        (lambda path: path.write_text("not a zip"), "is not a zip, or is damaged"),
        (lambda path: path.mkdir(), "has no .qext file"),
        (write_two_themes, "has look.qext, other.qext; a theme"),
        (write_many_files, "it has more than 500 files"),
        (write_large_file, "more than 30,000,000 bytes"),
        (write_zip_bomb, "more than 100,000,000 bytes when it is unpacked"),
        (write_without_name, "has a look.qext without a name"),
        (write_extension, "is not a theme: the type in"),
    ],
)
def test_an_invalid_theme_is_refused(
    folder: Folder, write_theme: Callable[[Path], object], message: str
) -> None:
    """The problem is one line, with the place in the stack file and the path of the theme."""
    write_theme(folder.path / "theme")
    [problem] = folder.write("themes: {Corporate: {path: theme}}").problems()
    assert problem.startswith("stacks/Pulumi.globex.yaml:6: customer.themes.Corporate.path: ")
    assert str(folder.path / "theme") in problem
    assert message in problem


def test_two_themes_with_one_name_are_refused(folder: Folder) -> None:
    write(folder.path / "one", "Same")
    write(folder.path / "two", "Same")
    [problem] = folder.write("themes: {B: {path: two}, A: {path: one}}").problems()
    assert problem.endswith('B.path: name "Same", in the .qext, is taken by "A"; names must differ')


def test_a_path_in_a_stack_file_is_relative_to_its_folder(folder: Folder) -> None:
    theme = write(folder.path / "corporate", "Corporate")
    entry = folder.write("themes: {Look: {path: corporate}}").customer().themes["Look"]
    assert entry.resource_properties() == {
        "path": str(theme.absolute()),
        "name": "Corporate",
        "md5": archives.read(theme, theme=True).md5,
    }


def test_a_path_in_a_plan_is_relative_to_the_folder_of_plans(folder: Folder) -> None:
    theme = write(folder.path / "plans" / "corporate", "Corporate")
    folder.write("plan: standard", standard="themes: {Look: {path: corporate}}")
    located = folder.customer().themes["Look"].located["path"]
    assert located.path == theme.absolute()
    check_plan(folder.path / "plans" / "standard.yaml")
    (theme / "look.qext").unlink()
    with pytest.raises(SettingsError, match=r"plans/standard.yaml:1: themes.Look.path: .*no .qext file"):
        check_plan(folder.path / "plans" / "standard.yaml")


def test_the_same_folder_always_gives_the_same_zip(tmp_path: Path) -> None:
    """The order, the time and hidden files make no difference. Different content does."""
    one = write(tmp_path / "one", "Same")
    two = tmp_path / "two"
    two.mkdir()
    (two / ".git").mkdir()
    (two / ".git" / "a.css").touch()
    for name in ("README", ".hidden.css"):
        (two / name).touch()
    for file in sorted(one.iterdir(), reverse=True):
        (two / file.name).write_bytes(file.read_bytes())
    theme = archives.read(two, theme=True)
    assert theme == archives.read(one, theme=True)
    assert theme.md5 == "fc08f0ad2ae5bfe04c717842a8ded9ca"
    (two / "look.css").write_text("")
    assert archives.read(two, theme=True).md5 != theme.md5
    assert json.loads((two / "look.qext").read_text())["name"] == theme.name
