"""What came of a request for a tenant whose answer is not known, and what to tell the person who has to
decide.

"Nothing was made" counts as certain in two cases: a note on this disk says that Qlik refused the request or
that it never left; or the organisation's list, read late enough, has no tenant that could be it. A tenant is
never taken because it looks right: another stack may have made it.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from tenantry.providers.framework import run
from tenantry.providers.framework.errors import NothingMade, ResourceError, StateUnreadable, TenantUndecided
from tenantry.providers.framework.facts import nothing_made, renewal, revive_line
from tenantry.providers.framework.handlers import Properties
from tenantry.providers.framework.stack import current_stack, state_resources
from tenantry.providers.framework.waiting import creation_seconds, lag_seconds
from tenantry.providers.qlik import Cloud, QlikError
from tenantry.providers.tenants.tenant_list import DEACTIVATED, DELETED, Tenant, is_unnamed, listed, shown

CLOCK_SKEW = timedelta(minutes=2)
"""How far the clocks of two of Qlik's hosts may be apart."""

PASTE = "add its line to the stack file and run `pulumi up`"


def verdict(cloud: Cloud, want: Properties, *, nothing_noted: bool) -> TenantUndecided:
    """Return the error for a proof of an earlier run: NothingMade if that is certain, else what is known.

    `nothing_noted`: a note on this disk says that nothing was made. Only with the organisation's client is
    anything sent. Raises what that raises, and TenantUndecided as `refuse_namesake` does.
    """
    proof = want["proof"]
    if nothing_noted or proof.get("unused"):
        refuse_namesake(cloud, want)
        why = "the request was refused or never left" if nothing_noted else "it was not asked for"
        return _nothing(proof["id"], why)
    asked = _asked(want)
    if not cloud.has_organisation:
        text = (
            "Only the organisation's list would tell whether it was made, and its credentials "
            "(QLIK_ORG_CLIENT_ID and QLIK_ORG_CLIENT_SECRET) are not set. Set them, or look for the "
            "tenant in My Qlik."
        )
        return TenantUndecided(f"{asked} {text}{_ways_out(proof['id'])}")
    tenants, read_at = listed(cloud, want["region"])
    if candidates := [each for each in tenants if _may_be_it(each, want)]:
        return TenantUndecided(f"{asked} {_these(candidates)}\n{_to_have_one_made(proof['id'])}")
    settled_at = _settled_at(proof)
    if settled_at is None or read_at is None:
        text = "There is no such tenant yet, and Qlik's answers had no date to tell how long to look for it."
        return TenantUndecided(f"{asked} {text}{_ways_out(proof['id'])}")
    if datetime.fromtimestamp(read_at, UTC) < settled_at:
        return TenantUndecided(
            f"{asked} There is no such tenant yet, but Qlik may still be making it. Run `pulumi up` again "
            f"after {settled_at:%Y-%m-%d %H:%M:%S} UTC: then it is certain."
        )
    refuse_namesake(cloud, want, tenants)
    why = f"the organisation's list of {settled_at:%H:%M:%S} UTC or later has no tenant that could be it"
    return _nothing(proof["id"], why)


def refuse_namesake(
    cloud: Cloud, want: Properties, tenants: Iterable[Tenant] | None = None, *, unless_renewed: bool = False
) -> None:
    """Raise TenantUndecided if a deactivated tenant has the customer's name: is this the customer coming
    back?

    It is never brought back by its name, since it may be another stack's. `tenants`: the list, if it was
    read. `unless_renewed`: for the run that made the proof. If that was in the place of another one, a person
    or an earlier run has settled the question.
    """
    if not cloud.has_organisation:
        return
    tenants = listed(cloud, want["region"]).tenants if tenants is None else tenants
    same = [each for each in tenants if each.get("name") == want["name"]]
    same = [each for each in same if each.get("status") in DEACTIVATED]
    if same and not (unless_renewed and is_renewed()):
        have = f"{len(same)} deactivated tenants have" if len(same) > 1 else "A deactivated tenant has"
        raise TenantUndecided(
            f'{have} the name "{want["name"]}". Nothing was made. If this customer comes back, {PASTE}:'
            f"{''.join(map(shown, same))}\nIf it is another customer, this makes a new tenant:"
            f"\n  {renewal(want['proof']['id'], current_stack().name)}"
        )


def refused(proof: str, error: QlikError) -> ResourceError:
    """Return the error for a request that Qlik refused, or that never left, with what to do after that."""
    up = f"`tenantry up {current_stack().name}`".replace(" `", "`")
    return ResourceError(
        f"{error}\nNo tenant was made. Once that is settled, run {up}, or with Pulumi alone:"
        f"\n  {renewal(proof, current_stack().name)}"
    )


def lost(cloud: Cloud, want: Properties, error: QlikError) -> TenantUndecided:
    """Return the error for a request of this run that Qlik may have carried out, with what can be seen."""
    seen = "Run `pulumi up` again: it finds out, and makes no second one."
    if cloud.has_organisation:
        try:
            tenants = listed(cloud, want["region"]).tenants
        except QlikError as failed:
            seen = f"{seen}\nThe organisation's list could not be read: {failed}"
        else:
            candidates = [each for each in tenants if _may_be_it(each, want)]
            seen = _these(candidates) if candidates else seen
    return TenantUndecided(f"{error}\nA tenant may have been made. {seen}")


def made_and_gone(want: Properties, hostname: str, tenant_id: str, error: QlikError) -> TenantUndecided:
    """Return the error for a tenant that was made under the proof and does not answer now."""
    return TenantUndecided(
        f"{error}\nAn earlier run made tenant {hostname} under this proof. To go on with it, {PASTE}:"
        f"\n  {revive_line(hostname, tenant_id)}\n{_to_have_one_made(want['proof']['id'])}"
    )


def refuse_forced_replacement() -> None:
    """Raise ResourceError if the state has a living tenant in this place: it alone was to be replaced."""
    current, stack = run.current().urn, current_stack().name
    try:
        resources = state_resources()
    except StateUnreadable:
        return
    mine = [each for each in resources if each.get("urn") == current and not each.get("delete")]
    if mine:
        proof = current.replace("qlik:Tenant::", "qlik:TenantProof::").rpartition("::")[0] + "::proof"
        raise ResourceError(
            f"`--replace` or a taint asks for another tenant in the place of {mine[0].get('id')}. Its "
            "proof allows only one. This replaces both: a new tenant is made, which is empty, and the "
            "present one is deactivated.\n"
            f"  pulumi up --stack {stack} --replace '{proof}' --replace '{current}'\n"
            f"To undo a taint: pulumi state untaint --stack {stack} '{current}'"
        )


def is_renewed() -> bool:
    """Tell whether the proof replaces an earlier one: until the end of the run the state has both."""
    try:
        types = [str(each.get("type")) for each in state_resources()]
    except StateUnreadable:
        return False
    return sum(each.endswith("dynamic/qlik:TenantProof") for each in types) > 1


def _nothing(proof: str, why: str) -> NothingMade:
    stack = current_stack().name
    up = f"`tenantry up {stack}`".replace(" `", "`")
    return NothingMade(
        f"An earlier run was about to ask for a tenant, and none was made: {why}. {up} makes one now; with "
        "Pulumi alone:\n"
        f"  {renewal(proof, stack)}\n"
        f"{nothing_made(proof)}"
    )


def _asked(want: Properties) -> str:
    made_at = want["proof"].get("made_at", "a time that is not known")
    register = f"register.{want['region']}.qlikcloud.com"
    return f"A run asked {register} for a tenant after {made_at}, and its answer is not known."


def _these(candidates: list[Tenant]) -> str:
    which = "One of these may be it" if len(candidates) > 1 else "This may be it"
    lines = "".join(map(shown, candidates))
    return f"{which}. If you know that it is this customer's, {PASTE}:{lines}"


def _ways_out(proof: str) -> str:
    placeholders = revive_line("…", "…")
    return (
        f"\nTo go on with a tenant that you know to be this customer's, {PASTE}:\n  {placeholders}"
        f"\n{_to_have_one_made(proof)}"
    )


def _to_have_one_made(proof: str) -> str:
    return f"If you know that none was made, this makes one:\n  {renewal(proof, current_stack().name)}"


def _may_be_it(tenant: Tenant, want: Properties) -> bool:
    """Tell whether a tenant may be the one: made since the proof, and without a name or with the customer's.

    Who made it does not count: whether Qlik's `createdBy` means what it seems to is not published.
    """
    proof = want["proof"]
    if tenant.get("status") == DELETED:
        return False
    if not is_unnamed(tenant) and tenant.get("name") not in (want["name"], proof.get("name")):
        return False
    since, made = _moment(proof.get("made_at")), _moment(tenant.get("createdAt"))
    return since is None or made is None or made >= since - CLOCK_SKEW


def _settled_at(proof: Properties) -> datetime | None:
    """Return when nothing can come of the proof any more and the list would show it, by Qlik's clock."""
    valid_until = _moment(proof.get("valid_until"))
    if valid_until is None:
        return None
    return valid_until + CLOCK_SKEW + timedelta(seconds=creation_seconds() + lag_seconds())


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(str(text))
    except ValueError:
        return None
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
