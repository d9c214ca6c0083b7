"""Settings of a tenant. They exist from its creation, and are never created or deleted."""

from __future__ import annotations

from typing import Any, ClassVar

from tenantry.providers.framework import run
from tenantry.providers.framework.handlers import Handler, Properties
from tenantry.providers.framework.notes import Note
from tenantry.providers.qlik import Cloud, Host


class Singleton(Handler):
    """Settings of a tenant. Only the properties that a program sets are changed.

    Their previous values are the output `before`. They are restored when the program no longer has the
    resource, or the single property. The id is the address of the settings, so it is unique across resource
    types. A note on disk has the previous values until the resource is deleted. Otherwise the next run after
    a kill would mistake our own values for the previous ones.
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
        """Save the current values of the requested properties, then set those that differ."""
        host = cloud.tenant(want["tenant"])
        live = self.live(host)
        current = {name: live[name] for name in self.changes({}, want)}
        if host.hostname in run.current().revived_tenants:
            # A property that already has our value most likely got it from us, so its previous value is lost.
            ours = [name for name, value in current.items() if value == want[name]]
            current = {name: value for name, value in current.items() if name not in ours}
            if ours:
                names = ", ".join(ours)
                cloud.notify(
                    f"{self.resource_type.__name__}: the original value of {names} is no longer known. If "
                    "you remove the key from the file, the setting stays as it is."
                )
        before = self._keep(host, {}, current)
        self._write(host, self.changes(live, want), live)
        return f"{host.hostname}{self.path}", {"before": before}

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """GET the settings. They exist as long as the tenant, so a 404 does not mean that they are gone."""
        return self.live(cloud.tenant(have["tenant"]))

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """Set what differs, and restore the properties that the program no longer sets."""
        host = cloud.tenant(want["tenant"])
        old, new = self.changes({}, have), self.changes({}, want)
        before: Properties = have.get("before") or {}
        restored = {name: before[name] for name in old.keys() - new.keys() if name in before}
        live, added = old, new.keys() - old.keys()
        if added:
            live = self.live(host)
            before = self._keep(host, before, {name: live[name] for name in added})
        self._write(host, self.changes(live, want) | restored, live | new)
        before = {name: value for name, value in before.items() if name not in restored}
        if restored:
            self._note(host).write(before=before)
        return {"before": before}

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Restore the previous values."""
        host = cloud.tenant(have["tenant"])
        self._write(host, have.get("before") or {}, {})
        self._note(host).clear()

    def _keep(self, host: Host, saved: Properties, live: Properties) -> Properties:
        """Add the current values to the saved ones, save them in the note, and return them.

        After an interrupted run, the values in its note count instead of the current ones.
        """
        note = self._note(host)
        earlier = (note.earlier or {}).get("before") or {}
        before = {name: value for name, value in live.items() if value is not None} | earlier | saved
        note.write(before=before)
        return before

    def _write(self, host: Host, changes: Properties, known: Properties) -> None:
        if changes:
            self.write(host, changes, known)

    def _note(self, host: Host) -> Note:
        return Note(host.hostname, f"settings {self.path}")
