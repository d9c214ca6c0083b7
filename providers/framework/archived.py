"""Resource types whose content is an archive of files: themes and extensions. Their APIs are the same."""

from __future__ import annotations

from pathlib import Path
from typing import Any, ClassVar

from tenantry.providers.framework.handlers import Collection, Properties
from tenantry.providers.qlik import Cloud, ConfigurationError, Conflict, Host
from tenantry.providers.qlik.messages import Form, Part
from tenantry.providers.values import archives

Found = dict[str, Any]


class Archived(Collection):
    """A collection whose members are created and changed by uploading a zip.

    The .qext file in the zip has the unique name. Qlik returns the MD5 of the archive that it stored, which
    may lack some files. So it is compared with the MD5 that Qlik returned after our last write.
    """

    theme: ClassVar[bool]
    """True if the archive is a theme, False if it is an extension."""

    maker = "userId"
    page = None
    natural_key = ("tenant", "name")

    def decode(self, found: Found) -> Properties:
        """Return the name, and the MD5 of the archive if Qlik returns one."""
        live: Properties = {"name": found.get("name", "")}
        if stored := (found.get("file") or {}).get("md5"):
            live |= {"md5": stored, "stored_md5": stored}
        return live

    def lookup(self, host: Host, want: Properties) -> Found | None:
        """Search the whole list, because Qlik has no filter."""
        return next((found for found in self.listed(host, want) if found["name"] == want["name"]), None)

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """POST the archive. After a 409, take over the object that has its name."""
        host = self.host(cloud, want)
        form = {"file": _zip(self._archive(want))}
        try:
            found = host.send_form("POST", self.path, form, repeatable=True)
        except Conflict:
            existing = self.lookup(host, want)
            if existing is not None:
                return self._take_over_or_create_beside(cloud, host, existing, want)
            found = host.send_form("POST", self.path, form, repeatable=True)
        return found["id"], _as_sent(want, self.decode(found))

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """Read the object. If Qlik still has the archive that it stored last time, report no difference."""
        live = super().read(cloud, id, have)
        if live and live.get("stored_md5") == have.get("stored_md5"):
            return _as_sent(have, live)
        return live

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """PATCH the whole archive if anything differs, because it also contains the name."""
        if not self.changes(have, want):
            return {}
        host = self.host(cloud, want)
        form: Form = {
            "data": Part(_json({"name": want["name"]}), "application/json"),
            "file": _zip(self._archive(want)),
        }
        found = host.send_form("PATCH", self.member(id, want), form, repeatable=True)
        if isinstance(found, dict) and isinstance(
            found.get("data"), list
        ):  # the documented response for themes
            found = next((member for member in found["data"] if member.get("id") == id), None)
        return _as_sent(want, self.decode(found or host.get(self.member(id, want))))

    def _archive(self, want: Properties) -> archives.Archive:
        """Read the archive. Raises ConfigurationError unless it has the MD5 that the program passed."""
        if not want.get("path"):
            raise ConfigurationError(
                f"{self.label(want, '')}: path is required, a folder or zip of its files"
            )
        archive = archives.read(Path(want["path"]), theme=self.theme)
        if archive.md5 != want["md5"]:
            raise ConfigurationError(f"{want['path']} has changed since the run began. Run it again.")
        return archive


def _as_sent(want: Properties, live: Properties) -> Properties:
    """Return the properties at Qlik with the MD5 of our archive."""
    return live | {"md5": want["md5"]}


def _zip(archive: archives.Archive) -> Part:
    return Part(archive.content, "application/zip", "archive.zip")


def _json(value: Any) -> bytes:
    import json

    return json.dumps(value).encode()
