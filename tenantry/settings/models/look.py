"""How a tenant looks: its brand, themes, extensions, links in its navigation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from pydantic import PrivateAttr

from tenantry.providers.values import archives, brand_files
from tenantry.settings.complaints import Complaint
from tenantry.settings.models.block import AT_CREATION, NO_REQUEST, Block, Makes, key
from tenantry.settings.values import FormerKeys, HttpsUrl, LinkName, Name, Switch, Text

PINNED_LINKS_PER_TENANT = 50


class Located(NamedTuple):
    """What a path in an entry leads to, and the properties of the resource that its content says."""

    path: Path
    content: Mapping[str, Any]


class FromFiles(Block):
    """A block whose entries name files beside the stack file or plan."""

    files: ClassVar[tuple[str, ...]]
    """The keys that are paths."""

    _located: dict[str, Located] = PrivateAttr(default_factory=dict)

    @classmethod
    def content(cls, key: str, path: Path, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return the properties of the resource that the file of a key says. Raises ConfigurationError.

        `entry` has all keys of the entry, as they were written and unchecked.
        """
        raise NotImplementedError

    @classmethod
    def file_rules(cls, key: str, path: Path, entry: Mapping[str, Any]) -> Iterator[Complaint]:
        """Yield what is wrong between the file of a key and the entry; paths are from the entry."""
        yield from ()

    @property
    def located(self) -> Mapping[str, Located]:
        """What the paths lead to, by key; empty for what was not loaded from a file."""
        return self._located

    def locate(self, key: str, located: Located) -> None:
        """Set what the path of a key leads to."""
        self._located[key] = located

    def given(self) -> dict[str, Any]:
        """Add what the files say, and their whole paths."""
        given, inputs = super().given(), self.inputs()
        for name, located in self._located.items():
            given |= located.content
            if name in inputs:
                given[inputs[name]] = str(located.path)
        return given


class Archived(FromFiles):
    """A block whose entries are each a folder or a zip."""

    theme: ClassVar[bool]
    files = ("path",)

    @classmethod
    def content(cls, key: str, path: Path, entry: Mapping[str, Any]) -> dict[str, str]:
        """Return the name that the .qext says, and the MD5 of the zip."""
        archive = archives.read(path, theme=cls.theme)
        return {"name": archive.name, "md5": archive.md5}


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


OF_FILE = "in place; a change of the file is one, too"


class Brand(FromFiles):
    """The look of the tenant itself: its logo and favicon, and its name in the title of pages. A path starts
    at the folder of the file that names it. The tenant shows Qlik's own logo or icon if none is named.
    (Brands API)
    """

    makes = Makes(
        "Brand",
        "brand",
        identity=("name",),
        properties={"logo": "logo_path", "fav_icon": "fav_icon_path", "styles": "styles_path"},
        of_content=("logo_md5", "fav_icon_md5", "styles_md5"),
        output=False,
    )
    files = ("logo", "fav_icon", "styles")

    name: Name = key(about="Its name at Qlik. Default: the key.")
    description: Text | None = key(None, about="Shown to administrators.")
    active: Switch = key(
        True,
        about="Whether the tenant shows this brand; it shows one at a time. With `false`, or without the "
        "entry, it shows again what it showed before.",
    )
    logo: Text | None = key(
        None,
        about="The logo, a PNG or JPEG file of 300 KB at most; Qlik fits it into 109 x 62 pixels.",
        change=OF_FILE,
    )
    fav_icon: Text | None = key(
        None, about="The icon of browser tabs, an ICO file of 100 KB at most.", change=OF_FILE
    )
    styles: Text | None = key(
        None, about="A JSON file of 100 KB at most. Qlik stores it and does not use it yet.", change=OF_FILE
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or several, so that a new key keeps the same brand.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False, about="Take over a brand of that name that somebody else made.", change=AT_CREATION
    )

    @property
    def comes_last(self) -> bool:
        """Whether this is the active brand: the one before it is switched off first, in a change of both."""
        return self.active

    @classmethod
    def content(cls, key: str, path: Path, entry: Mapping[str, Any]) -> dict[str, str]:
        """Return the MD5 of the file."""
        return {f"{key}_md5": brand_files.read(path, key).md5}

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Complaint]:
        """Check that names differ and that one brand at most is active."""
        yield from super().rules(block, entries)
        active = sorted(key for key, brand in entries.items() if brand.active)
        for other in active[1:]:
            text = f'"{active[0]}" is already active, and a tenant shows one brand; set active: false here'
            yield Complaint((block, other, "active"), text)


class PinnedLink(Block):
    """A link that all users see in the navigation menu. Qlik shows links in the order in which they were
    made: those of a new customer in the order of their keys, and one that is added later below them. (UI
    Config API)
    """

    makes = Makes("PinnedLink", "pinned link", identity=("name",), in_order=True, output=False)

    name: LinkName = key(about="Its text, 50 characters at most. Default: the key.")
    link: HttpsUrl = key(about="The address that it leads to, with https.")
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or several, so that a new key keeps the same link.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False, about="Take over a link of that name that somebody else made.", change=AT_CREATION
    )

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Complaint]:
        """Names differ, and there are not too many."""
        yield from super().rules(block, entries)
        if len(entries) > PINNED_LINKS_PER_TENANT:
            text = f"has {len(entries)} entries; Qlik allows {PINNED_LINKS_PER_TENANT} per tenant"
            yield Complaint((block,), text)
