"""How a tenant looks: themes and extensions."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from pydantic import PrivateAttr

from tenantry.settings.models.block import AT_CREATION, NO_REQUEST, Block, Makes, key
from tenantry.settings.values import FormerKeys, Switch, Text


class Located(NamedTuple):
    """What the `path` of an entry leads to: the folder or zip, and what is in it."""

    path: Path
    name: str
    md5: str


class Archived(Block):
    """A block whose entries are each a folder or a zip."""

    theme: ClassVar[bool]

    _located: Located | None = PrivateAttr(None)

    @property
    def located(self) -> Located | None:
        """What `path` leads to; None for what was not loaded from a file."""
        return self._located

    def locate(self, located: Located) -> None:
        """Say what `path` leads to."""
        self._located = located

    def given(self) -> dict[str, Any]:
        """Add what the files say."""
        files = {**self._located._asdict(), "path": str(self._located.path)} if self._located else {}
        return super().given() | files


class Theme(Archived):
    """A theme that apps can use: its files are in a folder or a zip beside the file that names it. The .qext
    among them says its name at Qlik. (Themes API)
    """

    makes = Makes("Theme", "theme", identity=("path",), of_content=("name", "md5"), output=False)
    theme = True

    path: Text = key(
        about="The folder or zip with its files; the path is from the folder of the file that says this. "
        "30 MB and 500 files at most.",
        change="in place; a change of the files is one, too",
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or several, so that a new key keeps the same theme.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False, about="Take over a theme of that name that somebody else made.", change=AT_CREATION
    )


class Extension(Archived):
    """An extension that apps can use, such as a chart: its files are in a folder or a zip beside the file
    that names it. The .qext among them says its name at Qlik. (Extensions API)
    """

    makes = Makes("Extension", "extension", identity=("path",), of_content=("name", "md5"), output=False)
    theme = False

    path: Text = key(
        about="The folder or zip with its files; the path is from the folder of the file that says this. "
        "30 MB and 500 files at most.",
        change="in place; a change of the files is one, too",
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or several, so that a new key keeps the same extension.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False, about="Take over an extension of that name that somebody else made.", change=AT_CREATION
    )
