"""Brands, themes, extensions, and links in the navigation."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, ClassVar, NamedTuple

from pydantic import PrivateAttr

from tenantry.providers.values import archives, brand_files
from tenantry.settings.models.block import AT_CREATION, NO_REQUEST, Block, ResourceMapping, key
from tenantry.settings.values import FormerKeys, HttpsUrl, LinkName, Name, Switch, Text
from tenantry.settings.violations import Violation

PINNED_LINKS_PER_TENANT = 50


class Located(NamedTuple):
    """The absolute path of a file that an entry names, and the properties that come from its content."""

    path: Path
    content: Mapping[str, Any]


class FromFiles(Block):
    """A block whose entries name files beside the stack file or plan."""

    files: ClassVar[tuple[str, ...]]
    """The keys that are paths."""

    _located: dict[str, Located] = PrivateAttr(default_factory=dict)

    @classmethod
    def content(cls, key: str, path: Path, entry: Mapping[str, Any]) -> dict[str, Any]:
        """Return the properties of the resource that come from the file of a key.

        `entry` has all keys of the entry as written, unchecked. Raises ConfigurationError.
        """
        raise NotImplementedError

    @classmethod
    def file_rules(cls, key: str, path: Path, entry: Mapping[str, Any]) -> Iterator[Violation]:
        """Yield contradictions between the file of a key and the entry. Paths start at the entry."""
        yield from ()

    @property
    def located(self) -> Mapping[str, Located]:
        """The files of the entry, by key. Empty for an entry that was not loaded from a stack file."""
        return self._located

    def locate(self, key: str, located: Located) -> None:
        """Set the file of a key."""
        self._located[key] = located

    def resource_properties(self) -> dict[str, Any]:
        """Add the properties that come from the files, and the absolute paths."""
        properties, inputs = super().resource_properties(), self.inputs()
        for name, located in self._located.items():
            properties |= located.content
            if name in inputs:
                properties[inputs[name]] = str(located.path)
        return properties


class Archived(FromFiles):
    """A block whose entries are each a folder or a zip."""

    theme: ClassVar[bool]
    files = ("path",)

    @classmethod
    def content(cls, key: str, path: Path, entry: Mapping[str, Any]) -> dict[str, str]:
        """Return the name in the .qext file, and the MD5 of the zip."""
        archive = archives.read(path, theme=cls.theme)
        return {"name": archive.name, "md5": archive.md5}


class Theme(Archived):
    """A theme that apps can use. Its files are in a folder or a zip beside the file that names it. The .qext
    file in it contains the name at Qlik. (Themes API)
    """

    mapping = ResourceMapping(
        "Theme", "theme", identity=("path",), from_content=("name", "md5"), output=False
    )
    theme = True

    path: Text = key(
        about="The folder or zip with its files, 30 MB and 500 files at most. The path starts at the folder "
        "of the file that names it.",
        change="in place; also after a change of the files",
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or a list of former keys, so that the new key keeps the same theme.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False,
        about="Take over an existing theme with this name that somebody else created.",
        change=AT_CREATION,
    )


class Extension(Archived):
    """An extension that apps can use, such as a chart. Its files are in a folder or a zip beside the file
    that names it. The .qext file in it contains the name at Qlik. (Extensions API)
    """

    mapping = ResourceMapping(
        "Extension", "extension", identity=("path",), from_content=("name", "md5"), output=False
    )
    theme = False

    path: Text = key(
        about="The folder or zip with its files, 30 MB and 500 files at most. The path starts at the folder "
        "of the file that names it.",
        change="in place; also after a change of the files",
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or a list of former keys, so that the new key keeps the same extension.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False,
        about="Take over an existing extension with this name that somebody else created.",
        change=AT_CREATION,
    )


ALSO_IF_FILE_CHANGES = "in place; also after a change of the file"


class Brand(FromFiles):
    """The look of the tenant: its logo, its favicon, and its name in the title of pages. A path starts at the
    folder of the file that names it. Without a logo or icon, the tenant shows Qlik's. (Brands API)
    """

    mapping = ResourceMapping(
        "Brand",
        "brand",
        identity=("name",),
        properties={"logo": "logo_path", "fav_icon": "fav_icon_path", "styles": "styles_path"},
        from_content=("logo_md5", "fav_icon_md5", "styles_md5"),
        output=False,
    )
    files = ("logo", "fav_icon", "styles")

    name: Name = key(about="Its name at Qlik. Default: the key.")
    description: Text | None = key(None, about="Shown to administrators.")
    active: Switch = key(
        True,
        about="Whether the tenant shows this brand. It shows one brand at a time. With `false`, or after you "
        "remove the entry, it shows the previous brand again.",
    )
    logo: Text | None = key(
        None,
        about="The logo, a PNG or JPEG file of 300 KB at most; Qlik fits it into 109 x 62 pixels.",
        change=ALSO_IF_FILE_CHANGES,
    )
    fav_icon: Text | None = key(
        None, about="The icon in browser tabs, an ICO file of 100 KB at most.", change=ALSO_IF_FILE_CHANGES
    )
    styles: Text | None = key(
        None,
        about="A JSON file of 100 KB at most. Qlik stores it and does not use it yet.",
        change=ALSO_IF_FILE_CHANGES,
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or a list of former keys, so that the new key keeps the same brand.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False,
        about="Take over an existing brand with this name that somebody else created.",
        change=AT_CREATION,
    )

    @property
    def is_created_last(self) -> bool:
        """Whether this brand is active. If two brands change, Tenantry deactivates the previous one first."""
        return self.active

    @classmethod
    def content(cls, key: str, path: Path, entry: Mapping[str, Any]) -> dict[str, str]:
        """Return the MD5 of the file."""
        return {f"{key}_md5": brand_files.read(path, key).md5}

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Violation]:
        """Check that names differ and that one brand at most is active."""
        yield from super().rules(block, entries)
        active = sorted(key for key, brand in entries.items() if brand.active)
        for other in active[1:]:
            text = f'"{active[0]}" is already active, and a tenant shows one brand; set active: false here'
            yield Violation((block, other, "active"), text)


class PinnedLink(Block):
    """A link that all users see in the navigation menu. Qlik shows links in the order of their creation: for
    a new customer in the order of their keys. A link that you add later appears below. (UI Config API)
    """

    mapping = ResourceMapping(
        "PinnedLink", "pinned link", identity=("name",), created_in_order=True, output=False
    )

    name: LinkName = key(about="The text of the link, 50 characters at most. Default: the key.")
    link: HttpsUrl = key(about="The URL of the link, with https.")
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or a list of former keys, so that the new key keeps the same link.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False,
        about="Take over an existing link with this name that somebody else created.",
        change=AT_CREATION,
    )

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Violation]:
        """Check that names differ, and that the limit of Qlik holds."""
        yield from super().rules(block, entries)
        if len(entries) > PINNED_LINKS_PER_TENANT:
            text = f"has {len(entries)} entries; Qlik allows {PINNED_LINKS_PER_TENANT} per tenant"
            yield Violation((block,), text)
