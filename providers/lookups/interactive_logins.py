"""Interactive identity providers (OIDC and SAML). A change never locks users out.

Source: https://qlik.dev/apis/rest/identity-providers. No source confirms these assumptions: a
provider created with `skipVerify` is active at once; activating a provider deactivates the previous one;
Qlik returns the same options that it received, except the secret.
"""

from __future__ import annotations

from contextlib import suppress
from typing import Any, ClassVar

from tenantry.providers.framework import evidence, run, stack
from tenantry.providers.framework.errors import OtherLogin
from tenantry.providers.framework.handlers import Properties
from tenantry.providers.framework.keyless import Keyless
from tenantry.providers.framework.notes import Note, current_note
from tenantry.providers.framework.waiting import late_seconds, wait
from tenantry.providers.lookups import people
from tenantry.providers.qlik import Cloud, Host, NotFound, QlikError

RESOURCE_TYPES = {"OIDC": "OidcIdentityProvider", "SAML": "SamlIdentityProvider"}
"""Resource types by protocol. A tenant has one active provider, of either protocol."""

_TOP_LEVEL_PROPERTIES = {
    "description": "description",
    "create_new_users_on_login": "createNewUsersOnLogin",
    "post_logout_redirect_uri": "postLogoutRedirectUri",
    "clock_tolerance_seconds": "clockToleranceSec",
}
"""The properties outside Qlik's `options`, with their names in Qlik's JSON."""


class InteractiveIdentityProvider(Keyless):
    """The handler that both resource types share.

    If Qlik demands a test in a browser for a change, the change replaces the provider instead.
    The new provider is created first. Qlik then deactivates the old one, which the engine deletes last. The
    natural key is empty on purpose: a replacement that keeps its natural key would delete the old one first.
    """

    path = "/api/v1/identity-providers"

    protocol: ClassVar[str]
    """The protocol in Qlik's JSON."""

    fields: ClassVar[dict[str, str]]
    """The properties in Qlik's `options`, with their names there."""

    service: ClassVar[tuple[str, ...]]
    """The properties that tell one login service from another."""

    has_secret: ClassVar[bool]
    """True if the provider has a secret. Qlik does not return secrets."""

    patched: ClassVar[dict[str, str]] = {
        "active": "/active",
        "description": "/description",
        "post_logout_redirect_uri": "/postLogoutRedirectUri",
        "clock_tolerance_seconds": "/clockToleranceSec",
    }
    """The properties that a PATCH can change, with their paths."""

    def check_service(self, cloud: Cloud, want: Properties) -> None:
        """Raise LoginServiceUnusable if the service does not answer."""
        raise NotImplementedError

    def options(self, want: Properties) -> dict[str, Any]:
        """Return the options that are POSTed."""
        return {field: want[name] for name, field in self.fields.items() if want.get(name) is not None}

    def decode(self, found: dict[str, Any]) -> Properties:
        """Return the properties in the response. A secret is never in it."""
        known = self.resource_type.properties
        options = found.get("options") or {}
        values = {name: found.get(field) for name, field in _TOP_LEVEL_PROPERTIES.items()}
        values |= {name: options.get(field) for name, field in self.fields.items()}
        live = {name: known[name].canonical(value) for name, value in values.items()}
        return {"provider": found.get("provider", ""), "active": bool(found.get("active")), **live}

    def body(self, cloud: Cloud, host: Host, want: Properties) -> dict[str, Any]:
        """Return what is POSTed. `skipVerify` makes the provider usable without a test in a browser."""
        tenant_id = run.current().active_tenants.get(host.hostname)
        return {
            "tenantIds": [tenant_id or host.get("/api/v1/tenants/me")["id"]],
            "provider": want["provider"],
            "protocol": self.protocol,
            "interactive": True,
            "skipVerify": True,
            **{
                field: want[name]
                for name, field in _TOP_LEVEL_PROPERTIES.items()
                if want.get(name) is not None
            },
            "options": self.options(want),
        }

    def create(self, cloud: Cloud, want: Properties) -> tuple[str, Properties]:
        """Check that users could log in, POST the provider, and activate it if Qlik has not."""
        host = self.host(cloud, want)
        note = current_note(host.hostname, self.resource_type.__name__)
        before = [] if self._is_new(host, note) else self._list_interactive(host)
        left_over = self._left_by_earlier_runs(cloud, host, note, before, want)
        if left_over and not self.has_secret and self._differs_only_in_patchable(left_over[0], want):
            return left_over[0][self.id_name], self.take_over(cloud, host, left_over[0], want)
        self._check_login(cloud, host, want)
        created = self._post(cloud, host, want, note, before)
        id = str(created[self.id_name])
        if not created.get("active"):
            host.patch(self.member(id, want), self._operations({"active": True}), repeatable=True)
        for leftover in left_over:
            self._deactivate_and_delete(host, leftover[self.id_name], want)
        note.finish(id=id)
        return id, self.decode(created | {"active": True})

    def update(self, cloud: Cloud, id: str, have: Properties, want: Properties) -> Properties:
        """PATCH what differs. Check that users could log in before the provider is activated again."""
        host, changes = self.host(cloud, want), self.changes(have, want)
        if changes.get("active"):
            self._check_login(cloud, host, want)
        operations = self._operations({name: changes[name] for name in self.patched if name in changes})
        if operations:
            host.patch(self.member(id, want), operations, repeatable=True)
        return {}

    def delete(self, cloud: Cloud, id: str, have: Properties) -> None:
        """Deactivate the provider, so that users log in with a Qlik account, and DELETE it."""
        self._deactivate_and_delete(self.host(cloud, have), id, have)
        note = current_note(have["tenant"], self.resource_type.__name__)
        if (note.earlier or {}).get("id") == id:
            note.clear()

    def manages(self, found: dict[str, Any]) -> bool:
        """Tell whether an identity provider is an interactive one."""
        return found.get("protocol") in RESOURCE_TYPES and bool(found.get("interactive"))

    def label(self, want: Properties, id: str) -> str:
        """Return the resource type and the product."""
        return f"{self.resource_type.__name__} of {want['provider']}"

    def _is_new(self, host: Host, note: Note) -> bool:
        return note.earlier is None and host.hostname in run.current().new_tenants

    def _list_interactive(self, host: Host) -> list[dict[str, Any]]:
        return [provider for provider in host.list(self.path) if self.manages(provider)]

    def _left_by_earlier_runs(
        self, cloud: Cloud, host: Host, note: Note, existing: list[dict[str, Any]], want: Properties
    ) -> list[dict[str, Any]]:
        """Return the providers of the same service that earlier runs left behind.

        A killed run leaves one. A revived tenant still has those from before its deactivation. Their secrets
        are unknown, so a new provider replaces them. Raises OtherLogin if a provider that Tenantry did not
        create is active, unless `adopt` is set.
        """
        others = [provider for provider in existing if not self._is_held(provider)]
        ours = [
            provider
            for provider in others
            if self._is_same_service(provider, want)
            and (note.earlier or self._differs_only_in_patchable(provider, want))
        ]
        if note.is_unanswered and not ours:
            what = f"{self.label(want, '')}, which an earlier run requested"
            ours = (
                wait(cloud, lambda: self._find_new(host, existing, want), what, late_seconds(note.age()))
                or []
            )
        for other in others:
            if other.get("active") and other not in ours and not want.get("adopt"):
                raise OtherLogin(self.label(want, ""), host.hostname, other)
        return ours

    def _is_held(self, found: dict[str, Any]) -> bool:
        """Tell whether a resource of the stack, or the one that is being created, manages the provider."""
        return any(stack.holds(found[self.id_name], name) for name in RESOURCE_TYPES.values())

    def _find_new(
        self, host: Host, before: list[dict[str, Any]], want: Properties
    ) -> list[dict[str, Any]] | None:
        """Return the new providers of the same service, which are not in `before`. None if there are none."""
        known = {provider[self.id_name] for provider in before}
        new = [
            provider
            for provider in self._list_interactive(host)
            if provider[self.id_name] not in known and self._is_same_service(provider, want)
        ]
        return new or None

    def _is_same_service(self, found: dict[str, Any], want: Properties) -> bool:
        live = self.decode(found)
        pairs = ((live.get(name), want.get(name)) for name in ("provider", *self.service))
        return found.get("protocol") == self.protocol and all(
            current == desired for current, desired in pairs
        )

    def _differs_only_in_patchable(self, found: dict[str, Any], want: Properties) -> bool:
        """Tell whether a provider differs at most in properties that a PATCH can change."""
        return not self.changes({**want, **self.decode(found)}, want).keys() - self.patched.keys()

    def _check_login(self, cloud: Cloud, host: Host, want: Properties) -> None:
        """Raise LoginServiceUnusable or NoRecoveryAdmin if the change might lock users out."""
        self.check_service(cloud, want)
        people.check_recovery_admin(host)

    def _post(
        self, cloud: Cloud, host: Host, want: Properties, note: Note, before: list[dict[str, Any]]
    ) -> dict[str, Any]:
        """POST the provider. If the response is lost, wait for a provider that is not in `before`."""
        try:
            with note.sending():
                return self.make(cloud, host, want)
        except QlikError as error:
            if not error.may_be_done:
                raise
            what = f"{self.label(want, '')}, whose response was lost"
            new = wait(cloud, lambda: self._find_new(host, before, want), what, late_seconds())
            if new is None:
                raise
            return new[0]

    def _deactivate_and_delete(self, host: Host, id: str, have: Properties) -> None:
        """DELETE a provider. Qlik refuses to delete the active one, so it is deactivated first."""
        found = self.get(host, id, have)
        if found is None:
            return
        if found.get("active"):
            with suppress(NotFound):  # the DELETE below finds out whether it is really gone
                host.patch(self.member(id, have), self._operations({"active": False}), repeatable=True)
        evidence.delete(host, self.member(id, have), id, lambda: self.listed(host, have))

    def _operations(self, changes: Properties) -> list[dict[str, Any]]:
        return [
            {"op": "replace", "path": self.patched[name], "value": value} for name, value in changes.items()
        ]
