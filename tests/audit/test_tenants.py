"""Tests of the comparison of the tenants of the organisation with the states."""

from __future__ import annotations

import pytest

from tenantry.audit.findings import Finding, command
from tenantry.audit.holdings import HeldTenant, Holding, Proof, holding
from tenantry.audit.tenants import Ledger, ListedTenant, compare, may_be_of, missing
from tests.audit.states import listed, proof, state, tenant

SOURCES = frozenset({"templates.eu.qlikcloud.com"})


def findings_by_kind(
    tenants: list[ListedTenant], *holdings: Holding, complete: bool = True
) -> dict[str, list[Finding]]:
    """Compare the tenants with the holdings, and return the findings by kind."""
    ledger = Ledger(holdings, SOURCES, complete)
    by_kind: dict[str, list[Finding]] = {}
    for finding in compare(tenants, missing(tenants, ledger), ledger):
        by_kind.setdefault(finding.kind.name, []).append(finding)
    return by_kind


def holding_of(stack: str, *labels: str) -> Holding:
    """Return the holding of a stack with these tenants."""
    return holding(stack, state(*(tenant(label) for label in labels)))


def test_a_tenant_that_one_stack_holds_is_not_a_finding() -> None:
    """A source tenant is not a finding either. Any of its hostnames identifies it."""
    source = listed("x9", hostnames=["x9.eu.qlikcloud.com", "Templates.eu.qlikcloud.com"])
    assert (
        findings_by_kind([listed("x1"), listed("x2"), source], holding_of("a", "x1"), holding_of("b", "x2"))
        == {}
    )


def test_a_held_tenant_is_recognised_by_hostname_or_id() -> None:
    """A state may spell the hostname differently, and an old state may have no tenant id."""
    by_id = Holding("a", (HeldTenant("other.eu.qlikcloud.com", "id-x1"),))
    by_alias = Holding("b", (HeldTenant("shop.eu.qlikcloud.com", ""),))
    alias = listed("x2", hostnames=["x2.eu.qlikcloud.com", "shop.eu.qlikcloud.com"])
    assert findings_by_kind([listed("x1"), alias], by_id, by_alias) == {}


def test_a_tenant_that_no_stack_holds_is_unmanaged() -> None:
    [finding] = findings_by_kind([listed("x1", name="Hooli")])["unmanaged"]
    assert finding.about == "x1.eu.qlikcloud.com"
    assert finding.ways == (
        "tenantry import x1.eu.qlikcloud.com",
        "revive: {hostname: x1.eu.qlikcloud.com, tenant_id: id-x1}",
    )
    assert finding.certain
    assert '"Hooli", active, created 2026-03-01T10:01:00.000Z, id id-x1' in finding.text
    assert finding.facts["region"] == "eu"


def test_with_an_unreadable_state_findings_are_uncertain() -> None:
    by_kind = findings_by_kind([listed("x1", name="Hooli"), listed("x2", name="")], complete=False)
    assert [finding.certain for kind in ("unmanaged", "unnamed") for finding in by_kind[kind]] == [
        False,
        False,
    ]


@pytest.mark.parametrize("name", ["", None, "x1"])
def test_a_tenant_without_a_name_is_unnamed(name: str | None) -> None:
    """The label of its hostname does not count as a name."""
    by_kind = findings_by_kind([listed("x1", name=name)])
    assert by_kind.keys() == {"unnamed"}
    [finding] = by_kind["unnamed"]
    assert finding.text.startswith("created 2026-03-01T10:01:00.000Z")
    assert finding.ways == ("revive: {hostname: x1.eu.qlikcloud.com, tenant_id: id-x1}",)


def test_an_unnamed_tenant_that_a_stack_holds_is_not_a_finding() -> None:
    assert findings_by_kind([listed("x1", name="")], holding_of("a", "x1")) == {}


def test_a_tenant_that_two_stacks_hold_is_held_twice() -> None:
    by_kind = findings_by_kind(
        [listed("x1")], holding_of("globex", "x1"), holding_of("organization/other/acme", "x1")
    )
    assert by_kind.keys() == {"held_twice"}
    [finding] = by_kind["held_twice"]
    assert finding.facts["stacks"] == ["globex", "organization/other/acme"]
    assert finding.ways == (
        "tenantry forget globex",
        "tenantry forget acme  # in the folder of project other",
    )


def test_a_held_tenant_that_is_not_listed_is_missing() -> None:
    by_kind = findings_by_kind([], holding_of("globex", "x1"))
    assert by_kind.keys() == {"missing"}
    [finding] = by_kind["missing"]
    assert (finding.about, finding.ways) == ("x1.eu.qlikcloud.com", ("tenantry forget globex",))


@pytest.mark.parametrize("status", ["disabled", "deactivated"])
def test_a_deactivated_tenant_is_a_finding_with_and_without_a_stack(status: str) -> None:
    deactivated = {"status": status, "deletionStartsAt": "2026-04-01T00:00:00Z"}
    by_kind = findings_by_kind(
        [listed("x1", **deactivated), listed("x2", **deactivated)], holding_of("globex", "x1")
    )
    assert by_kind.keys() == {"deactivated"}
    held, not_held = by_kind["deactivated"]
    assert held.ways[0] == "pulumi up --refresh --stack globex"
    assert held.ways[1:] == ("revive: {hostname: x1.eu.qlikcloud.com, tenant_id: id-x1}",)
    assert not_held.ways == ("revive: {hostname: x2.eu.qlikcloud.com, tenant_id: id-x2}",)
    assert [finding.facts["purged_on"] for finding in (held, not_held)] == ["2026-04-01"] * 2
    assert "purged on 2026-04-01; held by globex" in held.text


def test_a_name_of_several_active_tenants_is_a_finding() -> None:
    """Deactivated tenants, source tenants and tenants without a name do not count."""
    tenants_with_name = [
        listed("x1", name="Hooli"),
        listed("x2", name="Hooli"),
        listed("x3", name="Hooli", status="disabled"),
    ]
    tenants_without_name = [listed("x4", name=""), listed("x5", name="")]
    by_kind = findings_by_kind(
        [*tenants_with_name, *tenants_without_name],
        holding_of("a", "x1"),
        holding_of("b", "x2"),
        holding_of("c", "x4", "x5"),
    )
    [finding] = by_kind["same_name"]
    assert (finding.about, finding.text) == ('"Hooli"', "x1.eu.qlikcloud.com (a), x2.eu.qlikcloud.com (b)")
    sources = frozenset({"x1.eu.qlikcloud.com", "x2.eu.qlikcloud.com"})
    assert list(compare(tenants_with_name[:2], [], Ledger([], sources))) == []


def test_a_proof_without_a_tenant_is_cut_off_with_its_candidates() -> None:
    """A candidate was created after the proof, in its region, and has no name or the customer's name."""
    cut_off = holding("globex", state(proof("2026-03-01T10:00:00Z", "Globex")))
    tenants = [
        listed("x1", name=""),
        listed("x2", name="Globex"),
        listed("x3", name="Hooli"),
        listed("x4", name="", createdAt="2026-03-01T09:00:00Z"),
        listed("x5", name="", hostnames=["x5.us.qlikcloud.com"]),
        listed("x6", name=""),
    ]
    by_kind = findings_by_kind(tenants, cut_off, holding_of("hooli", "x6"))
    [finding] = by_kind["cut_off"]
    assert (finding.about, finding.facts["made_at"]) == ("globex", "2026-03-01T10:00:00Z")
    assert 'was about to request a tenant "Globex" in region eu at 2026-03-01T10:00:00Z' in finding.text
    assert finding.ways == (
        "tenantry up globex",
        "revive: {hostname: x1.eu.qlikcloud.com, tenant_id: id-x1}",
        "revive: {hostname: x2.eu.qlikcloud.com, tenant_id: id-x2}",
    )
    named_in_text = {
        finding.about: "stack globex was about to request one" in finding.text
        for finding in by_kind["unnamed"]
    }
    assert named_in_text == {
        "x1.eu.qlikcloud.com": True,
        "x4.eu.qlikcloud.com": False,
        "x5.us.qlikcloud.com": False,
    }


def test_an_interrupted_revival_has_no_candidates() -> None:
    """The interrupted run did not request a tenant."""
    cut_off = Holding("globex", proofs=(Proof("2026-03-01T10:00:00Z", "eu", "Globex", unused=True),))
    by_kind = findings_by_kind([listed("x1", name="")], cut_off)
    assert "was about to revive a tenant" in by_kind["cut_off"][0].text
    assert by_kind["cut_off"][0].ways == ("tenantry up globex",)
    assert "globex" not in by_kind["unnamed"][0].text


@pytest.mark.parametrize(
    ("created_at", "fits"),
    [
        ("2026-03-01T09:58:30Z", True),  # within the clock skew
        ("2026-03-01T09:57:30Z", False),
        ("2026-03-01T11:58:30+02:00", True),
        ("", True),  # unknown, so it may match
    ],
)
def test_a_candidate_may_seem_older_than_the_proof_by_the_clock_skew(created_at: str, fits: bool) -> None:
    [proof_of_stack] = holding("globex", state(proof("2026-03-01T10:00:00Z"))).proofs
    assert may_be_of(listed("x1", name="", createdAt=created_at), proof_of_stack) is fits


def test_a_tenant_without_a_hostname_is_reported_by_its_id() -> None:
    [finding] = findings_by_kind([listed("x1", hostnames=[], name="Hooli")])["unmanaged"]
    assert (finding.about, finding.ways) == ("id-x1", ())


@pytest.mark.parametrize(
    ("stack", "line"),
    [
        ("globex", "tenantry forget globex"),
        ("oem/globex", "tenantry forget oem/globex"),
        ("oem/other/globex", "tenantry forget globex  # in the folder of project other"),
    ],
)
def test_a_command_for_another_project_names_its_folder(stack: str, line: str) -> None:
    assert command("tenantry forget", stack) == line
