"""Brands (https://qlik.dev/apis/rest/brands): logo and favicon of a tenant."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from tenantry.providers.framework import moves, run, stack
from tenantry.providers.framework.errors import Unfinished
from tenantry.providers.framework.handlers import Properties
from tenantry.providers.framework.keyless import Found, Keyless
from tenantry.providers.framework.notes import Note, current_note
from tenantry.providers.framework.properties import Change, Property, output, prop, reference
from tenantry.providers.framework.resource import Resource
from tenantry.providers.qlik import Cloud, ConfigurationError, Host, QlikError
from tenantry.providers.qlik.messages import Form, Part
from tenantry.providers.values import brand_files
from tenantry.providers.values.brand_files import FILE_KINDS, MD5
from tenantry.providers.values.limits import NOT_EMPTY


class Brand(Resource):
    """A brand of the tenant. Its files come from this machine. Without a file, the tenant uses Qlik's.

    `tenantry.providers.values.brand_files.read` returns the MD5 of a file.
    """

    tenant: Property[str] = reference("Tenant", "The tenant that has the brand.")
    name: Property[str] = prop(
        "Name. Qlik allows duplicates, but Tenantry requires a unique name in the tenant.", limits=NOT_EMPTY
    )
    description: Property[str] = prop("Description of the brand.", default="")
    active: Property[bool] = prop(
        "Whether the tenant shows this brand. With `false`, or after the brand is deleted, the tenant shows "
        "the previous brand again.",
        default=True,
    )
    logo_md5: Property[str] = prop("MD5 of the logo, empty without one.", default="", limits=MD5)
    fav_icon_md5: Property[str] = prop("MD5 of the favicon, empty without one.", default="", limits=MD5)
    styles_md5: Property[str] = prop("MD5 of the styles, empty without them.", default="", limits=MD5)
    logo_path: Property[str] = prop(
        "The logo on this machine, PNG or JPEG, 300 KB at most. Tenantry reads it when it sends it. The "
        "state does not contain the path.",
        default=None,
        change=Change.NOT_KEPT,
    )
    fav_icon_path: Property[str] = prop(
        "The favicon, ICO, 100 KB at most. Otherwise like `logo_path`.", default=None, change=Change.NOT_KEPT
    )
    styles_path: Property[str] = prop(
        "The styles, JSON, 100 KB at most. Otherwise like `logo_path`. Qlik stores them and does not use "
        "them yet.",
        default=None,
        change=Change.NOT_KEPT,
    )
    adopt: Property[bool] = prop(
        "Take over an existing brand with this name that somebody else created.",
        default=None,
        change=Change.AT_CREATION,
    )

    etags: Property[dict[str, Any]] = output(
        "ETags of the files, as Qlik returned them after our last write.", at_qlik=False
    )
    before: Property[str] = output(
        "Id of the brand that was active before this one. Empty if there was none.", at_qlik=False
    )


class BrandHandler(Keyless):
    """CRUD handler of `Brand`. The list has no filter, and Qlik accepts duplicate names.

    Files and activation have separate requests. Qlik returns an ETag for each file, but does not document how
    it computes it. So a file has changed at Qlik if its ETag differs from the response to our last write.
    """

    resource_type = Brand
    path = "/api/v1/brands"
    natural_key = ("tenant", "name")

    def encode(self, properties: Properties) -> dict[str, Any]:
        """Return name and description. Other methods send the files and activate the brand."""
        return {name: value for name, value in properties.items() if name in ("name", "description")}

    def decode(self, found: Found) -> Properties:
        """Return the properties in Qlik's JSON, with the ETag of each file instead of its MD5."""
        etags = {file["id"]: file.get("eTag", "") for file in found.get("files") or []}
        return {
            "name": found["name"],
            "description": found.get("description") or "",
            "active": bool(found.get("active")),
            **{_md5(kind): etags.get(_qlik_name(kind), "").strip('"') for kind in FILE_KINDS},
            "etags": etags,
        }

    def candidates(self, host: Host, want: Properties) -> list[Found]:
        """Return the brands with the requested name."""
        return [brand for brand in host.list(self.path) if brand["name"] == want["name"]]

    def choose(self, host: Host, want: Properties, found: list[Found]) -> Found | None:
        """Return the only brand in `found`. Of several, return the one that this client created."""
        return self.only_ours(host, want, found)

    def make(self, cloud: Cloud, host: Host, want: Properties) -> Found:
        """POST a form with all properties except `active`, because a new brand is inactive."""
        form: Form = {
            name: Part(value.encode(), "text/plain") for name, value in self.encode(want).items() if value
        }
        files = {_qlik_name(kind): self._part(want, kind) for kind in FILE_KINDS if want.get(_md5(kind))}
        created: Found = host.send_form("POST", self.path, {**form, **files})
        return created

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Create the brand or take over an existing one, then activate it."""
        id, live = super().create(cloud, want)
        live = _as_sent(want, live)
        if not want["active"]:
            return id, live
        host = self.host(cloud, want)
        if live["active"]:
            earlier = self._note(host).earlier or {}
            return id, {"before": earlier.get("before", ""), **live}
        try:
            return id, {**live, "active": True, "before": self._activate(host, id, want)}
        except QlikError as error:
            raise Unfinished(id, want | live, error) from error

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """Read the brand. If a file still has the ETag of the last write, return its MD5 from the state."""
        live = super().read(cloud, id, have)
        if live is None:
            return None
        etags = have.get("etags") or {}
        same = live["etags"].items() & etags.items()
        unchanged = [kind for kind in FILE_KINDS if any(name == _qlik_name(kind) for name, _ in same)]
        return live | {_md5(kind): have.get(_md5(kind), "") for kind in unchanged} | {"etags": etags}

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """Send what differs: name, description, files and `active`."""
        host, changes = self.host(cloud, want), self.changes(have, want)
        self.patch(host, id, changes, want)
        changed: Properties = {}
        if kinds := [kind for kind in FILE_KINDS if _md5(kind) in changes]:
            changed["etags"] = self._send_files(host, id, kinds, have.get("etags") or {}, want)
        if changes.get("active"):
            changed["before"] = self._activate(host, id, want, have.get("before") or "")
        elif "active" in changes:
            self._reactivate_previous(host, id, have)
            host.post(f"{self.path}/{id}/actions/deactivate", repeatable=True)
            self._note(host).clear()
            changed["before"] = ""
        return changed

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Activate the previous brand, because Qlik does not do that itself, then DELETE this one."""
        host = self.host(cloud, have)
        if have.get("active"):
            self._reactivate_previous(host, id, have)
        super().delete(cloud, id, have)
        self._note(host).clear()

    def _send_files(
        self, host: Host, id: str, kinds: list[str], etags: dict[str, str], want: Properties
    ) -> dict[str, str]:
        """Add, replace and delete files. Return the ETag of each file after our last write.

        Qlik has different requests for a new and for an existing file. An interrupted run may have sent some
        files already, so read the existing ones first.
        """
        existing = {file["id"] for file in host.get(self.member(id, want)).get("files") or []}
        etags = dict(etags)
        for kind in kinds:
            name = _qlik_name(kind)
            path = f"{self.path}/{id}/files/{name}"
            if want[_md5(kind)]:
                method = "PUT" if name in existing else "POST"
                form = {"file": self._part(want, kind)}
                response = host.send_form(method, path, form, repeatable=method == "PUT")
                etags[name] = response.get("eTag", "")
            else:
                etags.pop(name, None)
                if name in existing:
                    host.delete(path)
        return etags

    def _part(self, want: Properties, kind: str) -> Part:
        """Return the file as a part of a form.

        Raises ConfigurationError if it does not have the MD5 that the program passed.
        """
        path = want.get(f"{kind}_path")
        if not path:
            raise ConfigurationError(f"{self.label(want, '')}: set `{kind}_path`, the file to send")
        file = brand_files.read(Path(path), kind)
        if file.md5 != want[_md5(kind)]:
            raise ConfigurationError(f"{path} has changed since the run began: run it again")
        return Part(file.content, file.format.media_type, f"{_qlik_name(kind)}{file.format.suffix}")

    def _activate(self, host: Host, id: str, want: Properties, before: str = "") -> str:
        """Activate a brand. Return the id of the previously active brand: `before` if it is known.

        A note keeps the id until the brand is deactivated. Without the note, a run after a killed one would
        mistake its own brand for the previous one.
        """
        note = self._note(host)
        before = before or (note.earlier or {}).get("before") or self._active(host, id, want)
        note.write(before=before)
        host.post(f"{self.path}/{id}/actions/activate", repeatable=True)
        return before

    def _active(self, host: Host, id: str, want: Properties) -> str:
        """Return the id of the active brand, or an empty string.

        If the active brand belongs to this stack, return the id of the brand that was active before it.
        """
        if host.hostname in run.current().new_tenants:
            return ""
        brands = host.list(self.path)
        active = next((brand["id"] for brand in brands if brand.get("active") and brand["id"] != id), "")
        if not active:
            return ""
        holder = moves.holder(self.resource_type.__name__, self.label(want, id), host, active)
        if not holder:
            return str(active)
        in_state = next(resource for resource in stack.state_resources() if resource.get("urn") == holder)
        return str((in_state.get("outputs") or {}).get("before") or "")

    def _reactivate_previous(self, host: Host, id: str, have: Properties) -> None:
        """Activate the previous brand, unless somebody has activated another one in the meantime.

        Do not activate a brand that this stack manages, because its own entry decides whether it is active.
        """
        before = have.get("before")
        if not before:
            return
        brands = {brand["id"]: brand for brand in host.list(self.path)}
        is_active = brands.get(id, {}).get("active")
        if not is_active or before not in brands:
            return
        if not moves.holder(self.resource_type.__name__, self.label(have, id), host, before):
            host.post(f"{self.path}/{before}/actions/activate", repeatable=True)

    def _note(self, host: Host) -> Note:
        return current_note(host.hostname, "active before Brand")


def _md5(kind: str) -> str:
    return f"{kind}_md5"


def _qlik_name(kind: str) -> str:
    """Return Qlik's name of a file."""
    return "favIcon" if kind == "fav_icon" else kind


def _as_sent(want: Properties, live: Properties) -> Properties:
    """Return the live properties with the MD5 of each file that we sent."""
    return live | {_md5(kind): want[_md5(kind)] for kind in FILE_KINDS}


HANDLER = BrandHandler()
