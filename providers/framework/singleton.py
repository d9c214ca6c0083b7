"""Settings of a tenant. They exist from its creation, and are never created or deleted."""

from __future__ import annotations

from typing import Any, ClassVar

from tenantry.providers.framework import run
from tenantry.providers.framework.handlers import Handler, Properties
from tenantry.providers.framework.notes import Note
from tenantry.providers.qlik import Cloud, Host


class Singleton(Handler):
    """Settings of a tenant. Only the properties that a program sets are changed.

    Their previous values are the output `before`. They are restored when the resource, or a single property,
    is removed from the program. The id is the address of the settings, so it is unique across resource types.
    A note on disk has the previous values until the resource is deleted, so that the next run after a kill
    does not mistake its own values for the previous ones.
    """

    path: ClassVar[str]
    natural_key = ("tenant",)

    def decode(self, found: dict[str, Any]) -> Properties:
        """Return the properties in Qlik's JSON."""
        known = (prop for prop in self.resource_type.inputs() if prop.at_qlik and not prop.reference)
        return {prop.name: prop.canonical(found.get(prop.camel)) for prop in known}

    def changes(self, have: Properties, want: Properties) -> Properties:
        """Return the changed settings, without the tenant."""
        return {name: value for name, value in super().changes(have, want).items() if name != "tenant"}

    def write(self, host: Host, changes: Properties, known: Properties) -> None:
        """Set some properties. `known` has the known values of the others."""
        raise NotImplementedError

    def live(self, host: Host) -> Properties:
        """GET the settings."""
        return self.decode(host.get(self.path))

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Save the present values of the requested properties, then set those that differ."""
        host = cloud.tenant(want["tenant"])
        live = self.live(host)
        here = {name: live[name] for name in self.changes({}, want)}
        if host.hostname in run.current().revived_tenants:
            # A property that already has our value most likely got it from us, so its previous value is lost.
            ours = [name for name, value in here.items() if value == want[name]]
            here = {name: value for name, value in here.items() if name not in ours}
            if ours:
                names = ", ".join(ours)
                cloud.notify(
                    f"{self.resource_type.__name__}: the original value of {names} is no longer known. If "
                    "you remove the key from the file, the setting stays as it is."
                )
        found = self._keep(host, {}, here)
        self._write(host, self.changes(live, want), live)
        return f"{host.hostname}{self.path}", {"before": found}

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """GET the settings. They exist as long as the tenant, so a 404 does not mean that they are gone."""
        return self.live(cloud.tenant(have["tenant"]))

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """Set what differs, and restore the properties that the program no longer sets."""
        host = cloud.tenant(want["tenant"])
        held, wanted = self.changes({}, have), self.changes({}, want)
        found: Properties = have.get("before") or {}
        restored = {name: found[name] for name in held.keys() - wanted.keys() if name in found}
        live, added = held, wanted.keys() - held.keys()
        if added:
            live = self.live(host)
            found = self._keep(host, found, {name: live[name] for name in added})
        self._write(host, self.changes(live, want) | restored, live | wanted)
        found = {name: value for name, value in found.items() if name not in restored}
        if restored:
            self._note(host).write(before=found)
        return {"before": found}

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Restore the previous values."""
        host = cloud.tenant(have["tenant"])
        self._write(host, have.get("before") or {}, {})
        self._note(host).clear()

    def _keep(self, host: Host, found: Properties, live: Properties) -> Properties:
        """Add the present values to the saved ones, or those from before an interrupted run. Save and return
        them.
        """
        note = self._note(host)
        earlier = (note.earlier or {}).get("before") or {}
        before = {name: value for name, value in live.items() if value is not None} | earlier | found
        note.write(before=before)
        return before

    def _write(self, host: Host, changes: Properties, known: Properties) -> None:
        if changes:
            self.write(host, changes, known)

    def _note(self, host: Host) -> Note:
        return Note(host.hostname, f"settings {self.path}")
