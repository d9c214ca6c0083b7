"""Apps that were imported from templates, and their publications.

The import takes an app only if its template is certain. An app of Tenantry has a mark that identifies the
template. For any other app, exactly one template must have its name and version. `originAppId` links a copy
to its app.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from itertools import product
from typing import Any

from tenantry.importing.findings import Findings, Found
from tenantry.importing.tenant_reader import Json, TenantReader
from tenantry.providers import app as staged
from tenantry.providers.app_publication import published_url
from tenantry.providers.lookups.catalog import attributes_of, describe
from tenantry.providers.lookups.templates import version_of
from tenantry.providers.values.words import counted

Template = dict[str, Any]


def find(reader: TenantReader, findings: Findings) -> None:
    """Import the staged apps whose template is certain, and their publications."""
    types = {space["id"]: space["type"] for space in reader.spaces}
    apps = [attributes_of(item) for item in reader.apps]
    copies: dict[str, list[Json]] = defaultdict(list)
    for app in apps:
        if types.get(app["spaceId"]) == "managed":
            copies[app.get("originAppId", "")].append(app)
    in_shared = [app for app in apps if types.get(app["spaceId"]) == "shared"]
    names = {space["id"]: space["name"] for space in reader.spaces}
    managed = {}
    for app in in_shared:
        template = _template(reader, app)
        same_named = [
            other for other in in_shared if (other["name"], other["spaceId"]) == (app["name"], app["spaceId"])
        ]
        published = [candidate for candidate in same_named if copies[candidate["id"]]]
        if isinstance(template, str):
            why = template
        elif len(same_named) > 1 and published != [app]:
            why = f"{len(same_named)} apps in the space have this name"
        else:
            managed[app["id"]] = _take(reader, findings, app, template)
            continue
        findings.add_unmanaged(f'app "{app["name"]}" ({app["id"]}) in space "{names[app["spaceId"]]}"', why)
    for origin, found in copies.items():
        _publications(reader, findings, managed.get(origin), origin, found, names)
    personal = len(apps) - len(in_shared) - sum(map(len, copies.values()))
    if personal:
        findings.add_unmanaged(f"{counted(personal, 'app')} in personal spaces")


def _take(reader: TenantReader, findings: Findings, app: Json, template: Template) -> Template:
    """Add the app. Return its entry in the stack file."""
    own = {"source_tenant": reader.source_tenant, "data": True} | template
    live = staged.existing_properties(app, own)
    entry = {
        "name": live["name"],
        "description": live["description"] or None,
        "template": None,
        "template_id": None,
        **template,
        "staging": findings.keys[live["space"]],
        "publish_to": [],
    }
    findings.add_entry("apps", app["id"], entry, "name")
    findings.objects.append(Found("App", app["id"], live, ("name", "space")))
    return entry


def _template(reader: TenantReader, app: Json) -> Template | str:
    """Return the template of an app as in a stack file, or the reason why it is not certain."""
    version = version_of(app["description"])
    if not version:
        return "its description does not end in the version of a template, {v…}"
    fitting = [item for item in reader.templates if version_of(item.get("description", "")) == version]
    mark = staged.MARK.search(app["description"])
    if mark:
        own = {"source_tenant": reader.source_tenant}
        ours = [way for way in _possible(fitting, version) if f"[{staged.mark(own | way)}]" == mark[0]]
        return ours[0] if ours else f"no template on {reader.source_tenant} has its mark {mark[0]}"
    named = [item for item in fitting if item["name"] == app["name"]]
    if len(named) == 1:
        return {"template": app["name"], "version": version}
    many = f"{len(named)} templates" if named else "no template"
    return f"{many} with this name and version {version} on {reader.source_tenant}"


def _possible(items: list[Json], version: str) -> Iterator[Template]:
    for item, data in product(items, (True, False)):
        yield {"template": item["name"], "version": version, "data": data}
        yield {"template_id": item["resourceId"], "version": version, "data": data}


def _publications(
    reader: TenantReader,
    findings: Findings,
    entry: Template | None,
    origin: str,
    found: list[Json],
    names: dict[str, str],
) -> None:
    """Import the copies of an app that equal a publication by the stack."""
    for app in found:
        wanted = describe(entry["description"] or "", entry["version"]) if entry else ""
        if entry is None:
            why = "its source app is not managed"
        elif app["name"] != entry["name"]:
            why = f'it is published from "{entry["name"]}" under another name'
        elif app["description"] != wanted:
            why = f'its description is not "{wanted}", the description of its source app'
        elif sum(copy["spaceId"] == app["spaceId"] for copy in found) > 1:
            why = "the same app is published there more than once"
        else:
            entry["publish_to"].append(findings.keys[app["spaceId"]])
            live = {"source_app": origin, "space": app["spaceId"], "name": app["name"], "description": wanted}
            live["url"] = published_url(reader.hostname, app["id"])
            findings.objects.append(Found("AppPublication", app["id"], live, ("source_app", "space")))
            continue
        findings.add_unmanaged(
            f'published app "{app["name"]}" ({app["id"]}) in space "{names[app["spaceId"]]}"', why
        )
