"""Template apps: search on the source tenant, export, and a cache on this machine.

Source: https://qlik.dev/manage/platform-operations/deploy-content-to-a-tenant.
"""

from __future__ import annotations

import fcntl
import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any, NamedTuple

from tenantry.providers.framework.errors import TemplateAmbiguous, TemplateNotFound
from tenantry.providers.framework.properties import nearest
from tenantry.providers.lookups import membership
from tenantry.providers.qlik import Cloud, ConfigurationError, Forbidden, Host, QlikError, folders

VERSION = re.compile(r"\{v([^{}]+)\}\s*$")
"""A template's version: `{v2.1.0}` at the end of its description (https://qlik.dev/manage/oem)."""

ROLE_TO_EXPORT = "producer"
"""The weakest role in a shared space that can export an app."""


class Template(NamedTuple):
    """A template in a stack file: a name or an app id, and a version."""

    source_tenant: str
    name: str | None
    app_id: str | None
    version: str

    def __str__(self) -> str:
        return f"template {self.name or self.app_id!r}, version {self.version}, on {self.source_tenant}"


def version_of(description: str) -> str:
    """Return the version at the end of a description, or an empty string."""
    found = VERSION.search(description)
    return found.group(1) if found else ""


def cache_directory() -> Path:
    """Return the folder of exported templates: `TENANTRY_CACHE`, else the user's cache folder."""
    return folders.cache() / "templates"


def fetch(cloud: Cloud, template: Template, *, data: bool, join: bool = False) -> Path:
    """Return the file of the template, from the cache or exported, with or without its data.

    With `join`, the bot user may become a member of the template's space if the export is refused otherwise.
    Raises TemplateNotFound, TemplateAmbiguous.
    """
    host = cloud.tenant(template.source_tenant)
    item = find(host, template)
    changed = re.sub(r"\W", "", item["resourceAttributes"].get("modifiedDate") or item["updatedAt"])
    name = f"{_file_name(item['resourceId'])}-{changed}{'' if data else '-nodata'}.qvf"
    file = cache_directory() / template.source_tenant / name
    with _exclusive_lock(file):
        if not is_usable(file):
            # Interrupted runs leave part files. The lock ensures that no other run uses them.
            for leftover in file.parent.glob(f"{file.name}.*.part"):
                leftover.unlink(missing_ok=True)
            _fetch(cloud, template, item, file, data=data, join=join)
            _refused(file).unlink(missing_ok=True)
    return file


def _file_name(id: str) -> str:
    return re.sub(r"[^\w-]", "_", id)


def distrust(file: Path) -> None:
    """Mark a file that Qlik refused, so that it is exported again next time.

    The file stays, because other runs may be reading it.
    """
    with suppress(OSError):
        _refused(file).touch()


def is_usable(file: Path) -> bool:
    """Tell whether a file exists and Qlik has not refused it."""
    return file.exists() and not _refused(file).exists()


def _refused(file: Path) -> Path:
    return file.with_suffix(".refused")


def find(host: Host, template: Template) -> dict[str, Any]:
    """Return the catalog item of the template. Published copies do not count.

    Raises TemplateNotFound, TemplateAmbiguous.
    """
    query = {"resourceType": "app", "noActions": "true"}
    if template.app_id:
        named = list(host.list("/api/v1/items", query | {"resourceId": template.app_id}))
    else:
        named = host.find("/api/v1/items", template.name or "", query)
    sources = [item for item in named if not item["resourceAttributes"].get("publishTime")]
    matches = [item for item in sources if version_of(item.get("description", "")) == template.version]
    if len(matches) > 1:
        apps = "".join(
            f"\n  - app {item['resourceId']} in {_space(host, item.get('spaceId'))}" for item in matches
        )
        raise TemplateAmbiguous(
            f"{template}: {len(matches)} apps match. Select one with `template_id`:{apps}"
        )
    if not matches:
        raise TemplateNotFound(f"{template}: {_reason_not_found(template, named, sources)}")
    return matches[0]


class Offer(NamedTuple):
    """An app of a source tenant that could be a template.

    `version` is empty if the description has none. `space` is the name of its space, empty for a personal
    space.
    """

    name: str
    version: str
    app_id: str
    space: str


def offers(host: Host) -> list[Offer]:
    """Return the apps of a source tenant that this client may see, without published copies, by name."""
    spaces = {space["id"]: space["name"] for space in host.list("/api/v1/spaces")}
    items = host.list("/api/v1/items", {"resourceType": "app", "noActions": "true"})
    return sorted(
        Offer(
            item["name"],
            version_of(item.get("description", "")),
            item["resourceId"],
            spaces.get(item.get("spaceId"), ""),
        )
        for item in items
        if not item["resourceAttributes"].get("publishTime")
    )


def _reason_not_found(template: Template, named: list[dict[str, Any]], sources: list[dict[str, Any]]) -> str:
    if not named:
        return (
            "this client finds no such app. The name must be exact, and the client's bot user must be a "
            "member of the template's space."
        )
    if not sources:
        return "it exists only as a published copy in a managed space, which cannot be a template."
    versions = sorted({version_of(item.get("description", "")) or "none" for item in sources})
    return (
        f"the app is there, but not in that version{nearest(template.version, versions)}. Versions found: "
        f"{', '.join(versions)} (a template's version is `{{v…}}` at the end of its description)."
    )


def _fetch(
    cloud: Cloud, template: Template, item: dict[str, Any], file: Path, *, data: bool, join: bool
) -> None:
    host = cloud.tenant(template.source_tenant)
    try:
        _export(host, item, file, data=data)
    except Forbidden as refusal:
        if not join or not item.get("spaceId"):
            raise _not_exportable(host, template, item, refusal) from refusal
        try:
            _join(cloud, host, template, item["spaceId"])
            _export(host, item, file, data=data)
        except Forbidden as second_refusal:
            raise _not_exportable(host, template, item, second_refusal) from second_refusal


def _export(host: Host, item: dict[str, Any], file: Path, *, data: bool) -> None:
    query = {} if data else {"NoData": "true"}
    host.download(host.export(f"/api/v1/apps/{item['resourceId']}/export", query), file)


def _join(cloud: Cloud, host: Host, template: Template, space: str) -> None:
    """Make the bot user a member of the template's space with an edit role. It stays a member."""
    bot = membership.join(host, space, ROLE_TO_EXPORT).bot
    cloud.notify(
        f"{template}: the bot user ({bot}) joined {_space(host, space)} of {host.hostname} as "
        f"{ROLE_TO_EXPORT}, to export it, and stays a member"
    )


def _not_exportable(
    host: Host, template: Template, item: dict[str, Any], refusal: Forbidden
) -> TemplateNotFound:
    advice = (
        f"Give its bot user an edit role, such as `{ROLE_TO_EXPORT}`, in {_space(host, item['spaceId'])} of "
        "the source tenant, or set `join_template_space: true` for the app, so that it joins automatically."
        if item.get("spaceId")
        else "It is in a personal space. Move it to a shared space in which the client's bot user may edit."
    )
    return TemplateNotFound(
        f"{template}: this client may see it but not export it. {advice}\n{refusal.summary}"
    )


def _space(host: Host, id: str | None) -> str:
    """Describe a space in a message, with its name if this client can read it."""
    if not id:
        return "a personal space"
    try:
        name = host.get(f"/api/v1/spaces/{id}")["name"]
    except QlikError:
        return f"space {id}"
    return f'space "{name}" ({id})'


@contextmanager
def _exclusive_lock(file: Path) -> Iterator[None]:
    """Let only one process and one thread at a time fetch a file."""
    try:
        file.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        opened = file.with_suffix(".lock").open("w")
    except OSError as error:
        raise ConfigurationError(
            f"{file.parent} cannot be written: {error.strerror}. Set TENANTRY_CACHE to a writable folder"
        ) from None
    with opened as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield
