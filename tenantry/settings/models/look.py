"""How a tenant looks: themes and extensions."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import suppress
from pathlib import Path
from typing import Any, ClassVar

from tenantry.providers.qlik import ConfigurationError
from tenantry.providers.values import archives
from tenantry.settings.complaints import Complaint
from tenantry.settings.models.block import AT_CREATION, NO_REQUEST, Block, Makes, key
from tenantry.settings.values import FormerKeys, Switch, Text


class Archived(Block):
    """A block whose entries are each a folder or a zip; `path` is the whole one once files are read."""

    theme: ClassVar[bool]

    def given(self) -> dict[str, Any]:
        """Add what the files say: the name and the MD5."""
        archive = archives.read(Path(self.path), theme=self.theme)  # type: ignore[attr-defined]  # each has one
        return super().given() | {"name": archive.name, "md5": archive.md5}

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Complaint]:
        """No two have one name, which their files say."""
        taken: dict[str, str] = {}
        for key_, entry in sorted(entries.items()):
            with suppress(ConfigurationError, TypeError):  # told elsewhere
                name = archives.read(Path(entry.path), theme=cls.theme).name
                first = taken.setdefault(name, key_)
                if first != key_:
                    text = f'name "{name}", in the .qext, is taken by "{first}"; names must differ'
                    yield Complaint((block, key_, "path"), text)


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
