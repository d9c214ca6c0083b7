"""Brands in stack files and plans: their problems are reported before any request."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenantry.providers.values import brand_files
from tenantry.settings import SettingsError, check_plan
from tests.pictures import ICO, PNG
from tests.settings.conftest import Folder

PLACE = "stacks/Pulumi.globex.yaml:6: customer.brands"


def test_all_problems_of_the_files_are_reported_at_once(folder: Folder) -> None:
    """Each problem is one line, with its place and the path of the file."""
    (folder.path / "large.png").write_bytes(PNG + bytes(300_000))
    (folder.path / "icon.png").write_bytes(PNG)
    (folder.path / "styles.json").write_text("[]")
    broken = "B: {logo: large.png, fav_icon: icon.png, styles: styles.json, active: false}"
    problems = folder.write(f"brands: {{A: {{logo: none.png}}, {broken}}}").problems()
    expected = {
        "A.logo": ("none.png", "cannot be read: No such file or directory"),
        "B.logo": ("large.png", "cannot be read: it has more than 300,000 bytes"),
        "B.fav_icon": ("icon.png", "is not an ICO image, which Qlik requires here"),
        "B.styles": ("styles.json", "is not a JSON object, which Qlik requires here"),
    }
    assert sorted(problems) == sorted(
        f"{PLACE}.{key}: {folder.path / file} {text}" for key, (file, text) in expected.items()
    )


def test_two_active_brands_are_refused(folder: Folder) -> None:
    """A brand is active by default."""
    [problem] = folder.write("brands: {Two: {}, One: {active: true}, Off: {active: false}}").problems()
    assert problem.startswith(f"{PLACE}.Two.active: ")
    assert '"One" is already active' in problem


def test_two_brands_with_one_name_are_refused(folder: Folder) -> None:
    text = "brands: {A: {name: Same}, B: {name: Same, active: false}}"
    [problem] = folder.write(text).problems()
    assert problem == f'{PLACE}.B.name: name "Same" is taken by brand "A"; names must differ'


def test_the_resource_gets_the_absolute_path_and_the_md5(folder: Folder) -> None:
    """It gets nothing for a file that the entry does not name."""
    (folder.path / "logo.png").write_bytes(PNG)
    entry = folder.write("brands: {Globex: {logo: logo.png}}").customer().brands["Globex"]
    logo = (folder.path / "logo.png").absolute()
    assert entry.resource_properties() == {
        "name": "Globex",
        "active": True,
        "logo_path": str(logo),
        "logo_md5": brand_files.read(logo, "logo").md5,
    }


def test_a_path_in_a_plan_is_relative_to_the_folder_of_plans(folder: Folder) -> None:
    icon = folder.path / "plans" / "icon.ico"
    folder.write("plan: standard", standard="brands: {Globex: {fav_icon: icon.ico}}")
    icon.write_bytes(ICO)
    assert folder.customer().brands["Globex"].located["fav_icon"].path == icon.absolute()
    check_plan(Path(folder.path / "plans" / "standard.yaml"))
    icon.unlink()
    with pytest.raises(SettingsError, match=r"plans/standard.yaml:1: brands.Globex.fav_icon: .*No such file"):
        check_plan(folder.path / "plans" / "standard.yaml")
