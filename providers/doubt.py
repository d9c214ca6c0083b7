"""Whether a tenant was made under a proof whose run has ended, and what to tell the person who has to decide.

What counts as "nothing was made": a note on this disk that Qlik refused the request or that it never left;
or the organisation's list, read late enough, without any tenant that could be it. A tenant is never taken
because it looks right: another stack may have made it.
"""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from providers import run
from providers.errors import NothingMade, ResourceError, StateUnreadable, TenantUndecided
from providers.facts import nothing_made, renewal
from providers.lifetime import revive_line
from providers.qlik import Cloud, QlikError
from providers.stack import current_stack, state_resources
from providers.tenant_list import DEACTIVATED, DELETED, Tenant, is_unnamed, listed, shown
from providers.verbs import Properties
from providers.waiting import creation_seconds, lag_seconds

CLOCK_SKEW = timedelta(minutes=2)
"""How far the clocks of two of Qlik's hosts may be apart."""

PLACEHOLDERS = revive_line("…", "…")


def undecided(cloud: Cloud, want: Properties, *, nothing_noted: bool) -> TenantUndecided:
    """Return the error for a proof of an earlier run: NothingMade if that is certain, else what is known.

    `nothing_noted`: a note on this disk says that nothing was made. Sends a request only with the
    organisation's client.
    """
    proof = want["proof"]
    if nothing_noted or proof.get("unused"):
        refuse_namesake(cloud, want)
        return _nothing(
            proof, "the request was refused or never left" if nothing_noted else "none was asked for"
        )
    if not cloud.has_organisation:
        return TenantUndecided(
            f"{_asked(want)} Without the organisation's credentials (QLIK_ORG_CLIENT_ID and "
            "QLIK_ORG_CLIENT_SECRET) "
            "nothing tells whether it was made. Set them, or look for it in My "
            f"Qlik.{_ways(proof['id'], PLACEHOLDERS)}"
        )
    tenants, read_at = listed(cloud, want["region"])
    candidates = [each for each in tenants if _may_be_it(each, want)]
    if candidates:
        lines = "".join(map(shown, candidates))
        return TenantUndecided(f"{_asked(want)} This may be it:{_ways(proof['id'], lines.lstrip())}")
    settled_at = _settled_at(proof)
    if settled_at is None or read_at is None:
        return TenantUndecided(
            f"{_asked(want)} It is not to be seen, and without a date in Qlik's answers nothing tells for "
            "how long to look "
            f"for it.{_ways(proof['id'], PLACEHOLDERS)}"
        )
    if datetime.fromtimestamp(read_at, UTC) < settled_at:
        return TenantUndecided(
            f"{_asked(want)} It is not to be seen yet, but Qlik may still be making it. Run `pulumi up` "
            "again after "
            f"{settled_at:%H:%M:%S} UTC ({settled_at:%Y-%m-%d}): then it is certain whether it was made."
        )
    refuse_namesake(cloud, want, tenants)
    return _nothing(
        proof,
        f"the organisation's list, read after {settled_at:%H:%M:%S} UTC, has no tenant that could be it",
    )


def refuse_namesake(cloud: Cloud, want: Properties, tenants: list[Tenant] | None = None) -> None:
    """Raise where a deactivated tenant has the customer's name: a person says whether that customer comes
    back.

    It is never brought back by its name, which may be that of another stack's. Who renews the proof has
    been asked.
    """
    if not cloud.has_organisation:
        return
    if tenants is None:
        tenants = listed(cloud, want["region"]).tenants
    same = [
        each for each in tenants if each.get("name") == want["name"] and each.get("status") in DEACTIVATED
    ]
    if same and not is_renewed():
        have = "deactivated tenants have" if len(same) > 1 else "deactivated tenant has"
        raise TenantUndecided(
            f'{len(same)} {have} the name "{want["name"]}". Nothing was made. If this customer comes back, '
            "add the "
            f"line to the stack file and run `pulumi up`:{''.join(map(shown, same))}\n"
            f"If it is another customer, {how_to_renew(want['proof']['id'])}"
        )


def refused(proof: str, error: QlikError) -> ResourceError:
    """Return the error for a request that Qlik refused, or that never left: what to do after that is
    settled.
    """
    return ResourceError(
        f"{error}\nNo tenant was made. When that is settled, run `tenantry up{_stack()}`, or "
        f"{how_to_renew(proof)}"
    )


def answer_lost(cloud: Cloud, want: Properties, error: QlikError) -> TenantUndecided:
    """Return the error for a request of this run that may have been carried out, with what can be seen by
    now.
    """
    seen = ""
    if cloud.has_organisation:
        try:
            candidates = [each for each in listed(cloud, want["region"]).tenants if _may_be_it(each, want)]
        except QlikError as failed:
            seen = f"\nThe organisation's list could not be read: {failed}"
        else:
            seen = _these(candidates)
    advice = (
        ""
        if seen.startswith("\nThis may be it")
        else "\nRun `pulumi up` again: it finds out, and makes no second one."
    )
    return TenantUndecided(f"{error}\nA tenant may have been made, and its answer was lost.{seen}{advice}")


def made_and_gone(want: Properties, found: tuple[str, str, bool], error: QlikError) -> TenantUndecided:
    """Return the error for a tenant that was made under the proof, and does not answer now."""
    line = revive_line(found[0], found[1])
    return TenantUndecided(
        f"{error}\nAn earlier run made tenant {found[0]} under this proof.{_ways(want['proof']['id'], line)}"
    )


def refuse_forced_replacement() -> None:
    """Raise where the state has a living tenant in this place: a replacement of the tenant alone was asked
    for.
    """
    current = run.current().urn
    try:
        resources = state_resources()
    except StateUnreadable:
        return
    mine = [each for each in resources if each.get("urn") == current and not each.get("delete")]
    if mine:
        proof = current.replace("qlik:Tenant::", "qlik:TenantProof::").rpartition("::")[0] + "::proof"
        raise ResourceError(
            f"tenant {mine[0].get('id')} is in the state and was to be replaced, by `--replace` or a "
            "taint. Its proof allows no "
            "second tenant. To have a new one made, which starts empty, and this one deactivated, replace "
            "both:\n"
            f"  pulumi up{_stack(' --stack ')} --replace '{proof}' --replace '{current}'\n"
            f"To undo a taint: pulumi state untaint{_stack(' --stack ')} '{current}'"
        )


def is_renewed() -> bool:
    """Tell whether the proof replaces an earlier one, whose last moments are still in the state."""
    try:
        proofs = [
            each for each in state_resources() if str(each.get("type")).endswith("dynamic/qlik:TenantProof")
        ]
    except StateUnreadable:
        return False
    return len(proofs) > 1


def how_to_renew(proof: str) -> str:
    """Return what has a new tenant made: the command that renews this very proof, however often it is run."""
    return f"to have a new tenant made, run\n  {renewal(proof, current_stack().name)}"


def _nothing(proof: Properties, why: str) -> NothingMade:
    return NothingMade(
        f"An earlier run was about to ask for a tenant, and none was made: {why}. `tenantry up{_stack()}` "
        "has one made now; "
        f"with Pulumi alone, {how_to_renew(proof['id'])}\n{nothing_made(proof['id'])}"
    )


def _asked(want: Properties) -> str:
    made_at = want["proof"].get("made_at", "a time that is not known")
    register = f"register.{want['region']}.qlikcloud.com"
    return f"A run asked {register} for a tenant after {made_at}, and its answer is not known."


def _ways(proof: str, lines: str) -> str:
    return (
        "\nTo go on with a tenant that you know to be this customer's, add its line to the stack file and "
        "run `pulumi up`:\n"
        f"  {lines}\nIf you know that none was made, {how_to_renew(proof)}"
    )


def _these(candidates: list[Tenant]) -> str:
    if not candidates:
        return ""
    lines = "".join(map(shown, candidates))
    advice = "If you know that it is, add its line to the stack file and run `pulumi up`"
    return f"\nThis may be it. {advice}:{lines}"


def _stack(before: str = " ") -> str:
    name = current_stack().name
    return f"{before}{name}" if name else ""


def _may_be_it(tenant: Tenant, want: Properties) -> bool:
    """Tell whether a tenant may have been made under the proof: made since, and unnamed or named so, by
    whomever.
    """
    proof = want["proof"]
    if tenant.get("status") == DELETED:
        return False
    if not is_unnamed(tenant) and tenant.get("name") not in (want["name"], proof.get("name")):
        return False
    since, made = _moment(proof.get("made_at")), _moment(tenant.get("createdAt"))
    return since is None or made is None or made >= since - CLOCK_SKEW


def _settled_at(proof: Properties) -> datetime | None:
    """Return when nothing can come of the proof any more, and the list would show it: by Qlik's clock."""
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
