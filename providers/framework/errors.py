"""Errors of resources, in addition to the errors of the Qlik client. `tenantry.errors` has the whole tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tenantry.providers.qlik import NotFound, QlikError
from tenantry.providers.values.days import LastDay


class ResourceError(QlikError):
    """A resource could not be brought into the requested state."""


class AlreadyExists(ResourceError):
    """Another object has the natural key, and this client did not create it, or may not have created it."""

    def __init__(self, label: str, hostname: str, id: str, maker: str | None) -> None:
        origin = f"(id {id}). User {maker} created it, not this client."
        if not maker:
            origin = f"(id {id}). It differs from this entry, and Qlik does not say who created it."
        super().__init__(
            f"{label} already exists on {hostname} {origin} "
            "Set `adopt: true` in the entry to manage the existing object, or rename one of the two."
        )
        self.id = id


class AlreadyDifferent(ResourceError):
    """Another object has the natural key, and differs in a property that Qlik cannot change."""

    def __init__(
        self, label: str, hostname: str, id: str, differences: dict[str, tuple[Any, Any]], advice: str = ""
    ) -> None:
        listed = ", ".join(
            f"{name} {have!r} instead of {want!r}" for name, (have, want) in differences.items()
        )
        advice = advice or "Delete or rename the existing object, or rename this entry."
        super().__init__(
            f"{label} already exists on {hostname} (id {id}) with {listed}, which Qlik cannot change. "
            f"{advice}"
        )


class Ambiguous(ResourceError):
    """Qlik does not keep this natural key unique, and several objects have it."""

    def __init__(self, label: str, hostname: str, ids: list[str]) -> None:
        super().__init__(
            f"{label} exists several times on {hostname} (ids {', '.join(ids)}), and the stack does not say "
            "which one it manages. Delete or rename all but one of them, or rename this entry."
        )


class AdoptionUndecided(ResourceError):
    """Several objects have the name of the object to adopt."""

    def __init__(self, label: str, hostname: str, ids: list[str]) -> None:
        listed = "".join(f"\n  - {id}" for id in ids)
        super().__init__(
            f"{label} on {hostname}: `adopt: true` requires exactly one object, but {len(ids)} have this "
            f"name. Rename or delete all but the one to adopt:{listed}"
        )


class NotEmpty(ResourceError):
    """A space cannot be deleted while it has content."""

    def __init__(self, space: str, hostname: str, content: list[str]) -> None:
        listed = "".join(f"\n  - {item}" for item in content) or "\n  (nothing that this client may see)"
        super().__init__(
            f"space {space} on {hostname} is not empty, so Qlik refuses to delete it. "
            f"Move or delete its content first, or keep the space:{listed}"
        )


class TemplateNotFound(ResourceError):
    """The template app does not exist, or this client may not see or export it."""


class TemplateAmbiguous(ResourceError):
    """Several apps have the name and version of the template."""


class NotReleased(ResourceError):
    """Qlik did not release the entitlements, so the tenant is not taken down."""


class NotReady(ResourceError):
    """An object did not become usable within the time allowed."""


class UnknownRole(ResourceError):
    """The tenant has no role with this name. `hints` maps each unknown name to a likely intended one."""

    def __init__(self, hostname: str, hints: dict[str, str], known: list[str], cause: Exception) -> None:
        unknown = ", ".join(f"{name!r}{hint}" for name, hint in hints.items())
        super().__init__(
            f"{hostname} has no such role: {unknown}. Names are case-sensitive. "
            f"Existing roles: {', '.join(known)}.\n{cause}"
        )


class PersonNotFound(ResourceError):
    """Nobody has that e-mail address or subject."""


class PersonAmbiguous(ResourceError):
    """Several people have that e-mail address or subject."""


class EmailTaken(ResourceError):
    """The e-mail address of a user belongs to another user of the tenant."""

    def __init__(
        self, email: str, hostname: str, user: str, user_id: str, cause: QlikError | None = None
    ) -> None:
        refusal = f"{cause.summary}\n" if cause else ""
        super().__init__(
            f"{refusal}the e-mail address {email} belongs to another user of {hostname}: {user}. Addresses "
            "must be unique. Change the address of one of the two, or use that user's subject here."
        )
        self.user_id = user_id


class PartlyDone(ResourceError):
    """Qlik answered 207: it applied some of the changes, but not those in the message."""

    def __init__(self, label: str, hostname: str, unchanged: dict[str, Any], reason: str) -> None:
        values = ", ".join(f"{name} is still {value!r}" for name, value in unchanged.items())
        super().__init__(f"{label} on {hostname} was changed in part (207): {values}. Qlik said: {reason}")


class ReloadFailed(ResourceError):
    """A reload ended without success, so the app is not published."""

    def __init__(self, app: str, hostname: str, reload: str, status: str, reason: str) -> None:
        id = f" {reload}" if reload else ""
        super().__init__(
            f"the reload{id} of app {app} on {hostname} did not succeed ({status}): "
            f"{reason or 'Qlik gives no reason'}. The app was not published, so users keep the old one. "
            "Correct the script, the data connection or the source, and run `pulumi up` again. It reloads "
            "the app."
        )


class ReloadPending(ResourceError):
    """A reload did not end within the time allowed. It continues at Qlik."""

    def __init__(self, app: str, hostname: str, reload: str, status: str, seconds: float) -> None:
        what = f"reload {reload} of app {app}" if reload else f"another reload of app {app}"
        super().__init__(
            f"{what} on {hostname} has not ended after {seconds:.0f} s ({status}). The app was not "
            "published, so users keep the old one. The reload continues at Qlik. Run `pulumi up` "
            "again to wait for it, or allow more `minutes`."
        )


class NotProven(ResourceError):
    """A 404 response that does not prove that the object is gone. Nothing was changed."""

    def __init__(self, id: str, hostname: str, reason: str, cause: QlikError) -> None:
        # The advice for a 404 assumes that the object is gone, which is not proven here.
        failure = cause.summary if isinstance(cause, NotFound) else str(cause)
        super().__init__(
            f"{failure}\n"
            f"This does not prove that {id} on {hostname} is gone: {reason}. A proxy may have answered "
            "instead of Qlik. Nothing was changed. Run it again. If the error stays and you know that the "
            "object is gone, remove it from the state with `pulumi state delete`."
        )


class StateUnreadable(ResourceError):
    """The state of the stack could not be read."""

    def __init__(self, stack: str, reason: str) -> None:
        super().__init__(f"the state of stack {stack} could not be read: {reason}")


class HolderUnknown(ResourceError):
    """The object with the natural key may be managed by another resource of this stack."""

    def __init__(self, label: str, hostname: str, id: str, cause: Exception) -> None:
        super().__init__(
            f"{label} already exists on {hostname} (id {id}), and another resource of this stack may manage "
            f"it: {cause}. It is not taken over. Run it again in an environment where `pulumi stack export` "
            "works."
        )


class NameTaken(ResourceError):
    """Another object has the natural key that an object would get. `key` has the names of its properties."""

    def __init__(
        self, label: str, hostname: str, key: Sequence[str], id: str, maker: str | None, cause: QlikError
    ) -> None:
        creator = f", created by user {maker}" if maker else ""
        name = " and ".join(key)
        super().__init__(
            f"{cause.summary}\n"
            f"{label} cannot have this {name} on {hostname}: another object has it (id {id}{creator}). No "
            f"resource of this stack manages that object. Change or delete it, or change the {name} of this "
            "entry."
        )


class HeldByAnother(ResourceError):
    """Another resource of this stack manages the object, so it is not taken over."""

    def __init__(self, label: str, hostname: str, id: str, holder: str) -> None:
        type_, _, name = holder.rpartition("::")
        super().__init__(
            f"{label} already exists on {hostname} (id {id}), and {type_.rpartition(':')[2]} {name} of this "
            "stack manages it. If you gave it a new key, "
            f'add `renamed_from: "{name}"` to the new entry. If you want to remove the old entry: 1. remove '
            "it, 2. run `pulumi up`, 3. add the new entry."
        )


class TenantUndecided(ResourceError):
    """An earlier run may have created a tenant, and it is unknown which tenant that is."""


class NothingCreated(TenantUndecided):
    """No tenant was created under the proof in the state, so the proof may be renewed."""


class CheckpointsRefused(ResourceError):
    """Checkpoints are off, so the proof is not in the state when Tenantry requests a tenant."""

    def __init__(self, variable: str) -> None:
        super().__init__(
            f"{variable} is set, so the engine does not save the state before the request for a tenant. An "
            "interrupted run could leave a tenant that no state records. Unset it. Nothing was sent."
        )


class TrialEnded(ResourceError):
    """The trial has ended, so it gets no tenant."""

    def __init__(self, ends_on: str) -> None:
        super().__init__(ended_message(ends_on))


def ended_message(ends_on: str) -> str:
    """Return the message for a trial that has ended, with the next step."""
    return (
        f"the trial ended on {LastDay.parse(ends_on).shown}, so no tenant is created or brought back for it. "
        "To continue it, set a later `ends_on`, or make it a customer with `lifecycle: {kind: production}`. "
        "To bring back the tenant that was taken down, with all its content, also add `revive: {hostname: "
        "…, tenant_id: …}`"
    )


class TenantGone(ResourceError):
    """The tenant to bring back, or the tenant in the state, does not exist."""

    def __init__(self, hostname: str, tenant_id: str, cause: QlikError, advice: str = "") -> None:
        advice = advice or (
            "It was purged at the end of its days of grace, or `revive` names the wrong tenant. To get a new "
            "tenant, remove `revive` from the stack file."
        )
        super().__init__(f"tenant {hostname} with id {tenant_id} no longer exists. {advice}\n{cause.summary}")


class AliasRefused(ResourceError):
    """A tenant cannot have the requested alias. `holder` is the tenant that has it, if known."""

    def __init__(self, alias: str, cause: QlikError, holder: str = "") -> None:
        reason = (
            f"Tenant {holder} has it."
            if holder
            else "Another tenant may have it: a deactivated tenant keeps its alias until it is purged."
        )
        super().__init__(
            f"{cause.summary}\nThe tenant cannot have the alias {alias}. {reason} Choose another alias, or "
            "change the alias of the other tenant first."
        )


class Unfinished(ResourceError):
    """An object exists, but a later step failed. The state has it, and the next `pulumi up` finishes it."""

    def __init__(self, id: str, properties: dict[str, Any], cause: Exception) -> None:
        super().__init__(f"{cause}\n(The object exists, id {id}. The next `pulumi up` continues from here.)")
        self.id = id
        self.properties = properties


class UseUnknown(ResourceError):
    """It is unknown whether other tenants use an entitlement. The text is the reason."""


class OtherLogin(ResourceError):
    """An interactive identity provider from outside this stack is active. A tenant can have only one."""

    def __init__(self, label: str, hostname: str, found: dict[str, Any]) -> None:
        described = f", described as {found['description']!r}" if found.get("description") else ""
        super().__init__(
            f"{label} was not created: users of {hostname} log in with another interactive identity provider "
            f"({found['protocol']} of {found['provider']}, id {found['id']}{described}), which this stack "
            "did not create. Deactivate it at Qlik first, or set `adopt: true` to replace it."
        )


class LoginServiceUnusable(ResourceError):
    """The login service does not answer as expected. Nothing was changed at Qlik."""

    def __init__(self, url: str, reason: str) -> None:
        self.url, self.reason = url, reason
        super().__init__(
            f"The identity provider was not activated, because users could not log in: GET {url} failed: "
            f"{reason}. The login is unchanged. Check the address in a browser, then run `pulumi up` again."
        )


class NoRecoveryAdmin(ResourceError):
    """Nobody could administer the tenant if the login failed. Nothing was changed at Qlik."""

    def __init__(self, hostname: str) -> None:
        super().__init__(
            f"The identity provider was not activated, because {hostname} has no active user with the role "
            "TenantAdmin besides the bot user. If the login failed, nobody could repair it. Add an "
            "administrator to `admins`, and run `pulumi up` again."
        )
