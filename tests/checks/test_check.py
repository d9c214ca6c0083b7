"""Tests of `tenantry check` as a whole. It only reads."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.checks.checks import check
from tenantry.providers.lookups.preflight import Preflight
from tenantry.providers.qlik import Cloud
from tenantry.providers.qlik.testing import FakeClock
from tests.checks.bench import CUSTOMER, REGISTER, SOURCE, Bench


def test_a_correct_stack_has_only_ok_findings(bench: Bench) -> None:
    [findings] = bench.check(bench.write()).values()
    assert [(finding.level, finding.about) for finding in findings] == [
        ("ok", "settings"),
        ("ok", "credentials"),
        ("ok", "licence"),
        ("ok", "templates"),
        ("ok", "roles"),
        ("ok", "organisation"),
    ]
    texts = {finding.about: str(finding) for finding in findings}
    assert "1 of at most 8500 tenants in region eu" in texts["organisation"]
    assert "'Sales Overview', version 2.3.0" in texts["templates"]
    assert f"all known on {SOURCE}" in texts["roles"]


def test_many_stacks_share_each_request(bench: Bench) -> None:
    paths = [bench.write(name=f"c{number}", alias=f"customer-{number}") for number in range(12)]
    findings_by_stack = bench.check(*paths)
    assert list(findings_by_stack) == [f"c{number}" for number in range(12)]
    assert {finding.level for findings in findings_by_stack.values() for finding in findings} == {"ok"}
    requests = [
        f"{request['method']} {request['host']}{request['path'].partition('?')[0]}"
        for request in bench.qlik.control.requests()
    ]
    assert len(requests) == len(set(requests)) == 8, requests


def test_all_problems_of_all_stacks_are_found_at_once(bench: Bench) -> None:
    """A broken file does not prevent the checks of other stacks. A problem does not hide another one."""
    broken = bench.write({"name": "Broken", "alias": "x"}, name="broken")
    other = bench.write(
        name="other",
        apps={"Sales": CUSTOMER["apps"]["Sales"] | {"version": "9.9"}},
        groups={"Analysts": {"roles": ["Tenantadmin"]}},
    )
    findings = bench.check(broken, other, bench.write())
    assert [(finding.level, finding.about) for finding in findings["broken"]] == [("error", "settings")]
    assert (
        str(findings["broken"][0])
        == 'Pulumi.broken.yaml:6: customer.alias: "x" has 1 character; an alias has 3 to 63'
    )
    assert [finding.about for finding in findings["other"] if finding.level == "error"] == [
        "templates",
        "roles",
    ]
    assert {finding.level for finding in findings["globex"]} == {"ok"}


LICENCES = [
    ({"status": "Expired"}, f"error licence: has status Expired on {SOURCE}, so no tenant can be created"),
    (
        {"status": "Blacklisted"},
        f"error licence: has status Blacklisted on {SOURCE}, so no tenant can be created",
    ),
    ({"valid": "2020-01-01/2021-01-01"}, f"error licence: ended on 2021-01-01 ({SOURCE})"),
    (
        {"trial": True, "valid": "2020-01-01/2099-01-01"},
        f"warning licence: is a trial until 2099-01-01 ({SOURCE})",
    ),
    ({"valid": "2020-01-01/"}, ""),
]


@pytest.mark.parametrize(("overview", "expected"), LICENCES, ids=[str(overview) for overview, _ in LICENCES])
def test_an_invalid_licence_is_an_error(bench: Bench, overview: dict[str, Any], expected: str) -> None:
    bench.qlik.control.add_fault(path="/api/v1/licenses/overview", merge=overview)
    problems = bench.problems()
    assert problems == ([expected] if expected else [])
    assert "licence-key" not in str(problems)


@pytest.mark.parametrize(
    ("ends", "level", "expected"),
    [
        ("2027-01-14", "error", "ended on"),
        ("2027-01-15", "warning", "ends on"),
        ("2027-02-01", "warning", "ends on"),
        ("2027-02-13", "warning", "ends on"),
        ("2027-02-14", "ok", "valid until"),
    ],
)
def test_a_licence_that_ends_within_30_days_is_a_warning(
    bench: Bench, ends: str, level: str, expected: str
) -> None:
    """A licence is still valid on its last day."""
    bench.qlik.control.add_fault(path="/api/v1/licenses/overview", merge={"valid": f"2026-01-01/{ends}"})
    clock = FakeClock(1_800_000_000)  # 2027-01-15
    with Cloud(bench.environment, clock=clock) as cloud:
        [findings] = check([bench.write()], Preflight(cloud), lambda _: {}).values()
    [found] = [finding for finding in findings if finding.about == "licence"]
    assert (found.level, found.text) == (level, f"{expected} {ends} ({SOURCE})")


def test_a_missing_licence_is_an_error(bench: Bench) -> None:
    bench.qlik.control.add_fault(
        path="/api/v1/licenses/overview",
        status=404,
        body={"errors": [{"code": "L-1", "title": "none"}], "traceId": "t1"},
    )
    [finding] = bench.problems()
    assert finding.startswith(
        "error licence: GET templates.eu.qlikcloud.com/api/v1/licenses/overview answered 404 L-1"
    )


def test_missing_credentials_are_reported_once(bench: Bench) -> None:
    """The checks that need credentials are skipped."""
    bench.environment = {"QLIK_CLOUD_ENDPOINT": bench.qlik.url}
    first, second = bench.problems()
    assert first.startswith("error credentials: No OAuth client for region eu.")
    assert (
        second == "warning credentials: licence, templates, people and roles cannot be checked without them"
    )


def test_a_client_of_another_region_is_an_error(bench: Bench) -> None:
    bench.environment |= {"QLIK_CLIENT_ID": "demo-us", "QLIK_CLIENT_SECRET": "demo-us-secret"}
    first, _ = bench.problems()
    assert first.startswith(f"error credentials: POST {SOURCE}/oauth/token answered 401")
    assert "A region's OAuth client works in its own region only" in first
    assert "demo-us-secret" not in first


def test_a_client_that_the_register_host_refuses_is_an_error(bench: Bench) -> None:
    bench.qlik.control.add_fault(
        host=REGISTER, path="/oauth/token", status=403, body={"errors": [{"code": "X"}]}
    )
    first, _ = bench.problems()
    assert first.startswith(f"error credentials: POST {REGISTER}/oauth/token answered 403 X")


def test_an_ended_trial_is_a_warning(bench: Bench) -> None:
    problems = bench.problems(lifecycle={"kind": "trial", "ends_on": "2020-12-31"})
    assert problems == [
        "warning lifecycle: Pulumi.globex.yaml:9: customer.lifecycle.ends_on: "
        "the trial ended on 2020-12-31 (UTC)"
    ]


def test_a_tenant_in_another_region_is_an_error(bench: Bench) -> None:
    bench.tenant_of = lambda _: "templates.us.qlikcloud.com"
    first, *_ = bench.problems(groups={})
    assert first.startswith(
        "error tenant: Pulumi.globex.yaml:2: qlik:region: the tenant templates.us.qlikcloud.com"
    )
