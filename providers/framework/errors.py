"""What can go wrong with a resource, beyond what Qlik answers. `tenantry.errors` has the whole tree."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from tenantry.providers.qlik import NotFound, QlikError
from tenantry.providers.values.days import LastDay


class ResourceError(QlikError):
    """A resource could not be made what was asked for."""


class AlreadyExists(ResourceError):
    """The natural key is taken by an object that this client did not make, or may not have made."""

    def __init__(self, label: str, hostname: str, id: str, maker: str | None) -> None:
        who = f"(id {id}, made by user {maker}), and not by this client"
        if not maker:
            who = f"(id {id}), is not as it is wanted, and Qlik does not say who made it"
        super().__init__(
            f"{label} exists already on {hostname} {who}. "
            "Set `adopt: true` for it to manage it from here on, or give one of the two another name."
        )
        self.id = id


class AlreadyDifferent(ResourceError):
    """The natural key is taken by an object that differs in what Qlik cannot change."""

    def __init__(
        self, label: str, hostname: str, id: str, differences: dict[str, tuple[Any, Any]], advice: str = ""
    ) -> None:
        said = ", ".join(f"{name} {have!r} instead of {want!r}" for name, (have, want) in differences.items())
        advice = advice or "Delete or rename that one, or give this one another name."
        super().__init__(
            f"{label} exists already on {hostname} (id {id}) with {said}, which Qlik cannot change. {advice}"
        )


class Ambiguous(ResourceError):
    """Qlik does not keep this natural key unique, and several objects have it."""

    def __init__(self, label: str, hostname: str, ids: list[str]) -> None:
        super().__init__(
            f"{label} exists several times on {hostname} (ids {', '.join(ids)}), and nothing tells which one "
            "is meant. Delete or rename all but one of them, or give this one another name."
        )


class AdoptionUndecided(ResourceError):
    """Several objects have the name of the one to adopt."""

    def __init__(self, label: str, hostname: str, ids: list[str]) -> None:
        listed = "".join(f"\n  - {id}" for id in ids)
        super().__init__(
            f"{label} on {hostname}: `adopt: true` means one, but {len(ids)} have that name. "
            f"Rename or delete all but the one to adopt:{listed}"
        )


class NotEmpty(ResourceError):
    """A space cannot be deleted while there is something in it."""

    def __init__(self, space: str, hostname: str, content: list[str]) -> None:
        held = "".join(f"\n  - {item}" for item in content) or "\n  (nothing that this client may see)"
        super().__init__(
            f"space {space} on {hostname} is not empty, so Qlik refuses to delete it. "
            f"Move or delete what it holds first, or keep the space:{held}"
        )


class TemplateNotFound(ResourceError):
    """The template app is not there, or this client may not see or export it."""


class TemplateAmbiguous(ResourceError):
    """Several apps have the name and version of the template."""


class NotReleased(ResourceError):
    """Qlik did not release entitlements, so the tenant is not taken down."""


class NotReady(ResourceError):
    """An object did not become usable within the time allowed."""


class UnknownRole(ResourceError):
    """The tenant has no role of that name; `hints` has what was likely meant, for each unknown one."""

    def __init__(self, hostname: str, hints: dict[str, str], known: list[str], cause: Exception) -> None:
        unknown = ", ".join(f"{name!r}{hint}" for name, hint in hints.items())
        super().__init__(
            f"no such role on {hostname}: {unknown}; names are case-sensitive. "
            f"Roles there: {', '.join(known)}.\n{cause}"
        )


class PersonNotFound(ResourceError):
    """Nobody has that e-mail address or subject."""


class PersonAmbiguous(ResourceError):
    """Several people have that e-mail address or subject."""


class EmailTaken(ResourceError):
    """An e-mail address belongs to one user of a tenant, and to another one than is wanted."""

    def __init__(
        self, email: str, hostname: str, user: str, user_id: str, cause: QlikError | None = None
    ) -> None:
        refusal = f"{cause.said}\n" if cause else ""
        super().__init__(
            f"{refusal}the e-mail address {email} belongs to another user of {hostname}: {user}. Qlik takes "
            "an address once: give one of the two another, or name that user's subject."
        )
        self.user_id = user_id


class PartlyDone(ResourceError):
    """Qlik answered 207: some of the changes were made, and those named here were not."""

    def __init__(self, label: str, hostname: str, left: dict[str, Any], said: str) -> None:
        values = ", ".join(f"{name} is {value!r}" for name, value in left.items())
        super().__init__(
            f"{label} on {hostname} was changed in part (207): {values} still. Qlik said: {said}"
        )


class ReloadFailed(ResourceError):
    """A reload ended without success, so the app is not published."""

    def __init__(self, app: str, hostname: str, reload: str, status: str, why: str) -> None:
        which = f" {reload}" if reload else ""
        super().__init__(
            f"the reload{which} of app {app} on {hostname} did not succeed ({status}): "
            f"{why or 'Qlik gives no reason'}. The app was not published: users keep what they have. Correct "
            "the script, the data connection or the source, and run `pulumi up` again: it reloads the app."
        )


class ReloadPending(ResourceError):
    """A reload has not ended within the time allowed; it goes on at Qlik."""

    def __init__(self, app: str, hostname: str, reload: str, status: str, seconds: float) -> None:
        which = f"reload {reload} of app {app}" if reload else f"another reload of app {app}"
        super().__init__(
            f"{which} on {hostname} has not ended after {seconds:.0f} s ({status}). The app was not "
            "published: users keep what they have. The reload goes on at Qlik. Run `pulumi up` again, which "
            "waits for it, or allow more `minutes`."
        )


class NotProven(ResourceError):
    """An answer of 404 that does not prove that the object is gone; nothing was changed."""

    def __init__(self, id: str, hostname: str, why: str, cause: QlikError) -> None:
        # what to do about a 404 would take for granted what is not proven
        said = cause.said if isinstance(cause, NotFound) else str(cause)
        super().__init__(
            f"{said}\n"
            f"That does not prove that {id} on {hostname} is gone: {why}. Something on the way may have "
            "answered in Qlik's place. Nothing was changed: run it again. If it stays so and you know "
            "that it is gone, `pulumi state delete` takes it out of the state."
        )


class StateUnreadable(ResourceError):
    """The state of the stack could not be read."""

    def __init__(self, stack: str, why: str) -> None:
        super().__init__(f"the state of stack {stack} could not be read: {why}")


class HolderUnknown(ResourceError):
    """The natural key is taken, and whether another resource of this stack holds the object is not known."""

    def __init__(self, label: str, hostname: str, id: str, cause: Exception) -> None:
        super().__init__(
            f"{label} is there already on {hostname} (id {id}), and whether another resource of this stack "
            f"holds it is not known: {cause}. It is not taken over. Run it again where `pulumi stack "
            "export` works."
        )


class NameTaken(ResourceError):
    """An object cannot get a natural key that another one has; `key` names its properties."""

    def __init__(
        self, label: str, hostname: str, key: Sequence[str], id: str, maker: str | None, cause: QlikError
    ) -> None:
        made = f", made by user {maker}" if maker else ""
        name = " and ".join(key)
        super().__init__(
            f"{cause.said}\n"
            f"{label} cannot have that {name} on {hostname}: another object has it (id {id}{made}), which no "
            f"resource of this stack holds. Change or delete that one, or give this one another {name}."
        )


class HeldByAnother(ResourceError):
    """An object that another resource of this stack holds is not taken over."""

    def __init__(self, label: str, hostname: str, id: str, holder: str) -> None:
        kind, _, name = holder.rpartition("::")
        super().__init__(
            f"{label} is there already on {hostname} (id {id}), and {kind.rpartition(':')[2]} {name} of "
            "this stack holds it. If it is "
            f'the same thing under a new key, add `renamed_from: "{name}"` to the new entry. If the old '
            "entry is "
            "to go, remove it first, run `pulumi up`, and add the new one after that."
        )


class TenantUndecided(ResourceError):
    """A tenant may or may not have been made by an earlier run, and nothing tells which one it is."""


class NothingMade(TenantUndecided):
    """It is certain that nothing was made under the proof in the state: it may be renewed."""


class CheckpointsRefused(ResourceError):
    """Without checkpoints the proof would not be in the state when Qlik is asked for a tenant."""

    def __init__(self, variable: str) -> None:
        super().__init__(
            f"{variable} is set: the engine would not save the state before it asks Qlik for a tenant, and "
            "a run that is cut off would leave a tenant that nobody knows. Unset it. Nothing was sent."
        )


class TrialEnded(ResourceError):
    """A trial that has ended gets no tenant."""

    def __init__(self, ends_on: str) -> None:
        super().__init__(ended(ends_on))


def ended(ends_on: str) -> str:
    """Return the message that a trial has ended, and what to do."""
    return (
        f"the trial ended on {LastDay.parse(ends_on).shown}, so no tenant is made or brought back for it. "
        "To go on with it, set a later `ends_on`, or make it a customer with `lifecycle: {kind: "
        "production}`; with `revive: {hostname: …, tenant_id: …}` as well, the tenant that was taken down "
        "comes back with everything in it"
    )


class TenantGone(ResourceError):
    """The tenant to take back, or that the state holds, is not there."""

    def __init__(self, hostname: str, tenant_id: str, cause: QlikError, advice: str = "") -> None:
        advice = advice or (
            "It was purged at the end of its days of grace, or `revive` names it wrongly. Take `revive` "
            "out of the stack file to have a new tenant made."
        )
        super().__init__(
            f"there is no tenant {hostname} with id {tenant_id} any more. {advice}\n{cause.said}"
        )


class AliasRefused(ResourceError):
    """A tenant cannot have the alias that is wanted. `holder`: the tenant that has it, if known."""

    def __init__(self, alias: str, cause: QlikError, holder: str = "") -> None:
        why = (
            f"Tenant {holder} has it:"
            if holder
            else "If another tenant has it, which a deactivated one may do until it is purged:"
        )
        super().__init__(
            f"{cause.said}\nThe tenant cannot have the alias {alias}. {why} choose another alias, or give "
            "that one another first."
        )


class Unfinished(ResourceError):
    """An object exists, but a later step failed; it is recorded, and the next `pulumi up` finishes it."""

    def __init__(self, id: str, properties: dict[str, Any], cause: Exception) -> None:
        super().__init__(f"{cause}\n(The object exists, id {id}; the next `pulumi up` goes on from here.)")
        self.id = id
        self.properties = properties


class UseUnknown(ResourceError):
    """Whether other tenants use an entitlement cannot be known; the text is the reason."""


class OtherLogin(ResourceError):
    """Somebody else's interactive identity provider is active, and a tenant has one at most."""

    def __init__(self, label: str, hostname: str, found: dict[str, Any]) -> None:
        described = f", described as {found['description']!r}" if found.get("description") else ""
        super().__init__(
            f"{label} was not created: users of {hostname} log in with another interactive identity provider "
            f"({found['protocol']} of {found['provider']}, id {found['id']}{described}), which this stack "
            "did not create. Deactivate it at Qlik first, or set `adopt: true` to replace it."
        )


class LoginServiceUnusable(ResourceError):
    """The service where users are to log in does not answer as one. Nothing was changed at Qlik."""

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
            "TenantAdmin besides our bot user. If the login failed, nobody could repair it. Add an "
            "administrator to `admins`, and run `pulumi up` again."
        )
