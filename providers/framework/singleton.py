"""Settings of which each tenant has one set: there from the beginning, never made and never deleted."""

from __future__ import annotations

from typing import Any, ClassVar

from tenantry.providers.framework import run
from tenantry.providers.framework.handlers import Handler, Properties
from tenantry.providers.framework.notes import Note
from tenantry.providers.qlik import Cloud, Host


class Singleton(Handler):
    """Settings of a tenant. Only what a program sets is touched; what was there before is kept as the output
    `before`, and given back when the resource, or that property alone, is removed from the program.

    The id is the address of the settings, so that no two kinds have one in common. A note on disk holds what
    was found until the resource is deleted: a run that is killed must not take its own values for it.
    """

    path: ClassVar[str]
    natural_key = ("tenant",)

    def decode(self, found: dict[str, Any]) -> Properties:
        """Return the properties in Qlik's JSON."""
        known = (each for each in self.resource_type.inputs() if each.at_qlik and not each.reference)
        return {each.name: each.canonical(found.get(each.camel)) for each in known}

    def changes(self, have: Properties, want: Properties) -> Properties:
        """Leave out the tenant, which is where the settings are and none of them."""
        return {name: value for name, value in super().changes(have, want).items() if name != "tenant"}

    def write(self, host: Host, changes: Properties, known: Properties) -> None:
        """Set some properties; `known` has values of others, if they are known."""
        raise NotImplementedError

    def live(self, host: Host) -> Properties:
        """GET the settings."""
        return self.decode(host.get(self.path))

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Keep what is there now of what is wanted, then set what differs."""
        host = cloud.tenant(want["tenant"])
        live = self.live(host)
        here = {name: live[name] for name in self.changes({}, want)}
        if host.hostname in run.current().revived_tenants:
            # What has our value already most likely got it from us: what was there before that, nobody knows.
            ours = [name for name, value in here.items() if value == want[name]]
            here = {name: value for name, value in here.items() if name not in ours}
            if ours:
                names = ", ".join(ours)
                cloud.notify(
                    f"{self.resource_type.__name__}: the value of {names} before the tenant was set up is no "
                    "longer known. If you remove the key from the file, the setting stays as it is."
                )
        found = self._keep(host, {}, here)
        self._write(host, self.changes(live, want), live)
        return f"{host.hostname}{self.path}", {"before": found}

    def read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """GET the settings. They go with the tenant and not before it: a 404 is never their end."""
        return self.live(cloud.tenant(have["tenant"]))

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """Set what differs, and give back what is no longer set."""
        host = cloud.tenant(want["tenant"])
        held, wanted = self.changes({}, have), self.changes({}, want)
        found: Properties = have.get("before") or {}
        returned = {name: found[name] for name in held.keys() - wanted.keys() if name in found}
        live, begun = held, wanted.keys() - held.keys()
        if begun:
            live = self.live(host)
            found = self._keep(host, found, {name: live[name] for name in begun})
        self._write(host, self.changes(live, want) | returned, live | wanted)
        found = {name: value for name, value in found.items() if name not in returned}
        if returned:
            self._note(host).write(before=found)
        return {"before": found}

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Give back what was found."""
        host = cloud.tenant(have["tenant"])
        self._write(host, have.get("before") or {}, {})
        self._note(host).clear()

    def _keep(self, host: Host, found: Properties, live: Properties) -> Properties:
        """Add to what was found what is there now, or was before an earlier run that did not end well."""
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
