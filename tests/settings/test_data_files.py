"""Data files in stack files and plans: their problems are reported before any request."""

from __future__ import annotations

import hashlib

import pytest

from tenantry.providers.values import data_files
from tenantry.settings import SettingsError, check_plan
from tests.settings.conftest import Folder

PLACE = "stacks/Pulumi.globex.yaml"
SPACE = "spaces: {Data: {type: shared}}\n"
CONTENT = b"Currency,Rate\n"


def test_all_problems_are_reported_at_once(folder: Folder, monkeypatch: pytest.MonkeyPatch) -> None:
    """Each problem is one line, with its place and the path of the file."""
    monkeypatch.setattr(data_files, "MAX_BYTES", 1_000_000)
    (folder.path / "folder").mkdir()
    (folder.path / "empty.csv").touch()
    (folder.path / "large.csv").write_bytes(bytes(1_000_001))
    (folder.path / "valid.csv").write_bytes(CONTENT)
    problems = folder.write(
        """
        data_files:
          a.csv: {space: Data, path: none.csv}
          b.csv: {space: Data, path: folder}
          c.csv: {space: Data, path: empty.csv}
          d.csv: {space: Data, path: large.csv}
          e.csv: {space: Nowhere, path: valid.csv}
          rates: {space: Data, path: valid.csv}
          g.csv: {space: Data, path: valid.csv, name: a/b.csv}
          h.csv: {space: Data, path: valid.csv, name: same.csv}
          i.csv: {space: Data, path: valid.csv, name: same.csv}
          j.csv: {space: Data}
          k.csv: {space: Other, path: valid.csv, name: same.csv}
        spaces: {Data: {type: shared}, Other: {type: shared}}
        """
    ).problems()
    prefix = f"{PLACE}:{{}}: customer.data_files."
    expected = {
        7: f"a.csv.path: {folder.path / 'none.csv'} cannot be read: No such file or directory",
        8: f"b.csv.path: {folder.path / 'folder'} is a folder. Name a file in it",
        9: f"c.csv.path: {folder.path / 'empty.csv'} is empty. Fill it, or remove the entry",
        10: f"d.csv.path: {folder.path / 'large.csv'} cannot be read: it has more than 1,000,000 bytes",
        11: 'e.csv.space: space "Nowhere" is not declared under spaces; the closest is "Other"; '
        "allowed: Data, Other",
        12: f'rates: "rates" is not a name of a data file; allowed: {data_files.NAME.hint}',
        13: f'g.csv.name: "a/b.csv" is not a name of a data file; allowed: {data_files.NAME.hint}',
        15: (
            'i.csv.name: name "same.csv" is taken by data file "h.csv", which has the same space (Data); '
            "names must differ"
        ),
        16: "j.csv.path: is missing",
    }
    assert problems == [prefix.format(line) + text for line, text in expected.items()]


def test_the_resource_gets_the_absolute_path_and_the_hash(folder: Folder) -> None:
    """The key is the default of the name."""
    path = folder.path / "r.csv"
    path.write_bytes(CONTENT)
    text = f"{SPACE}data_files: {{rates.csv: {{space: Data, path: r.csv, adopt: true}}}}"
    assert folder.write(text).customer().data_files["rates.csv"].resource_properties() == {
        "name": "rates.csv",
        "path": str(path.absolute()),
        "sha256": hashlib.sha256(CONTENT).hexdigest(),
        "adopt": True,
    }


def test_a_path_in_a_plan_is_relative_to_the_folder_of_plans(folder: Folder) -> None:
    path = folder.path / "plans" / "r.csv"
    standard = f"{SPACE}data_files: {{rates.csv: {{space: Data, path: r.csv}}}}"
    folder.write("plan: standard", standard=standard)
    path.write_bytes(CONTENT)
    assert folder.customer().data_files["rates.csv"].located["path"].path == path.absolute()
    check_plan(folder.path / "plans" / "standard.yaml")
    path.unlink()
    with pytest.raises(SettingsError, match=r"standard.yaml:2: data_files.rates.csv.path: .*No such file"):
        check_plan(folder.path / "plans" / "standard.yaml")
