"""Kinds whose content is an archive of files: themes and extensions (Qlik's APIs for both are the same)."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from tenantry.providers.framework.handlers import Collection, Properties
from tenantry.providers.qlik import Cloud, ConfigurationError, Conflict, Host
from tenantry.providers.qlik.messages import Form, Part
from tenantry.providers.values import archives

Found = dict[str, Any]


class Archived(Collection):
    """A collection whose members are made of a zip, and changed by another one.

    The .qext in the zip says the name, which is unique. Qlik names the MD5 of the archive that it has stored,
    and may have left files out of it. So what counts is whether that is what Qlik said after our last write.
    """

    theme: ClassVar[bool]
    """Whether the archive is a theme, and no extension."""

    maker = "userId"
    page = None
    natural_key = ("tenant", "name")

    def decode(self, found: Found) -> Properties:
        """Take the MD5 of the archive, where Qlik names one."""
        live: Properties = {"name": found.get("name", "")}
        if stored := (found.get("file") or {}).get("md5"):
            live |= {"md5": stored, "stored_md5": stored}
        return live

    def lookup(self, host: Host, want: Properties) -> Found | None:
        """Look through the whole list, as Qlik has no filter."""
        return next((each for each in self.listed(host, want) if each["name"] == want["name"]), None)

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """POST the archive; on 409 take over what has its name."""
        host = self.host(cloud, want)
        form = {"file": _zip(self._archive(want))}
        try:
            found = host.send_form("POST", self.path, form, repeatable=True)
        except Conflict:
            there = self.lookup(host, want)
            if there is not None:
                return self._take_over_or_create_beside(cloud, host, there, want)
            found = host.send_form("POST", self.path, form, repeatable=True)
        return found["id"], _as_sent(want, self.decode(found))

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """GET it; an archive that is as Qlik stored ours is no difference."""
        live = super().read(cloud, id, have)
        if live and live.get("stored_md5") == have.get("stored_md5"):
            return _as_sent(have, live)
        return live

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """PATCH with the archive, whatever differs: the name is in it."""
        if not self.changes(have, want):
            return {}
        host = self.host(cloud, want)
        form: Form = {
            "data": Part(_json({"name": want["name"]}), "application/json"),
            "file": _zip(self._archive(want)),
        }
        found = host.send_form("PATCH", self.member(id, want), form, repeatable=True)
        if isinstance(found, dict) and isinstance(found.get("data"), list):  # as themes are published
            found = next((each for each in found["data"] if each.get("id") == id), None)
        return _as_sent(want, self.decode(found or host.get(self.member(id, want))))

    def _archive(self, want: Properties) -> archives.Archive:
        """Read the archive, which must be the one of which the program told name and MD5."""
        if not want.get("path"):
            raise ConfigurationError(f"{self.label(want, '')}: set `path`, the folder or zip with its files")
        archive = archives.read(Path(want["path"]), theme=self.theme)
        if archive.md5 != want["md5"]:
            raise ConfigurationError(f"{want['path']} has changed since the run began: run it again")
        return archive


def _as_sent(want: Properties, live: Properties) -> Properties:
    """Return what Qlik has with our MD5 of what it is."""
    return live | {"md5": want["md5"]}


def _zip(archive: archives.Archive) -> Part:
    return Part(archive.content, "application/zip", "archive.zip")


def _json(value: Any) -> bytes:
    import json

    return json.dumps(value).encode()
