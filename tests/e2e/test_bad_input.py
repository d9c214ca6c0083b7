"""Each mistake causes one clear error before any change. After a correction, the next `up` succeeds."""

from __future__ import annotations

import socket
from collections.abc import Callable
from pathlib import Path

import pytest

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, settings
from tests.e2e.harness import Stack
from tests.e2e.operations import renewal
from tests.e2e.result import Result

BROKEN = """\
config:
  qlik:region: eu
  qlik:source_tenant: templates.us.qlikcloud.com
  tenantry:customer:
    name: Globex
    alias: gx
    lifecycle: {kind: trial, grace_days: 5}
    groups:
      Analysts: {rolls: [AnalyticsAdmin]}
    spaces:
      Staging: {type: shared}
      "Sales: North": {type: managed, access: {Analysts: [viewer], Nobody: [consumer]}}
    apps:
      Sales Overview: {template: Sales Overview, version: 2.3, staging: Sales, publish_to: [Staging]}
"""
PROBLEMS = {
    3: "qlik:source_tenant",
    6: "customer.alias",
    7: "customer.lifecycle.grace_days",
    9: "customer.groups.Analysts",
    12: "customer.spaces",
    14: "customer.apps.Sales Overview",
}
PROGRAM = Path(__file__).parent / "programs" / "direct"


@pytest.mark.parametrize("command", ["up", "preview"])
def test_all_problems_of_a_stack_file_are_reported(stack: Stack, qlik: Emulator, command: str) -> None:
    """Each problem has its line. The run registers no resource and sends no request."""
    stack.write(text=BROKEN)
    failed = getattr(stack, command)(expect=None)
    assert failed.rc != 0
    errors = "\n".join(failed.errors)
    lines = [line for line in errors.splitlines() if f"Pulumi.{stack.name}.yaml:" in line]
    for number, path in PROBLEMS.items():
        lines_at = [line for line in lines if f"Pulumi.{stack.name}.yaml:{number}: " in line]
        assert any(path in line for line in lines_at), f"line {number}: {errors}"
    for words in ('the closest is "roles"', "10 to 90", "consumer", 'version: "2.3"'):
        assert words in errors
    assert f"{len(lines)} problems in the settings of stack {stack.name}" in errors
    assert_harmless(failed)
    assert failed.operations == []
    assert failed.requests == []
    assert stack.resources() == {}


def assert_harmless(failed: Result) -> None:
    """Check that there is no traceback, and that each problem appears once."""
    assert "Traceback" not in failed.output
    assert len(failed.errors) == len(set(failed.errors))


def test_a_preview_validates_resources_of_a_custom_program(
    make_stack: Callable[..., Stack], qlik: Emulator
) -> None:
    """A program that uses the resources directly gets an error for each invalid property."""
    stack = make_stack("direct", qlik=qlik, program=PROGRAM)
    failed = stack.preview(expect=None)
    assert failed.rc != 0
    errors = "\n".join(failed.errors)
    for words in (
        "Space has no property 'descripton' (the closest is description)",
        "'Sales: North' is not allowed; allowed: 1 to 256 characters",
        "'private': input should be 'shared', 'managed' or 'data'",
        "owner_id value {u123} has a problem: only Qlik can set this property; a program can only read it",
    ):
        assert words in errors
    assert_harmless(failed)
    assert failed.requests == []


REFUSALS: dict[str, tuple[dict[str, str], tuple[str, ...]]] = {
    "wrong secret": (
        {"QLIK_CLIENT_SECRET": "not-the-secret"},
        ("POST templates.eu.qlikcloud.com/oauth/token answered 401", "traceId", "QLIK_CLIENT_SECRET"),
    ),
    "a client of another region": (
        {"QLIK_CLIENT_ID": "demo-us", "QLIK_CLIENT_SECRET": "demo-us-secret"},
        ("/oauth/token answered 401", "traceId", "in its own region only", "QLIK_CLIENT_ID_EU"),
    ),
    "no credentials": (
        {"QLIK_CLIENT_ID": "", "QLIK_CLIENT_SECRET": ""},
        ("No OAuth client for region eu", "QLIK_CLIENT_ID", "QLIK_CLIENT_SECRET", "Set one of these"),
    ),
    "an endpoint on another machine": (
        {"QLIK_CLOUD_ENDPOINT": "http://qlik.example.com:8080"},
        ("QLIK_CLOUD_ENDPOINT=http://qlik.example.com:8080 is refused", "not a loopback address", "Unset it"),
    ),
    "no emulator at the endpoint": (
        {"QLIK_CLOUD_ENDPOINT": "http://127.0.0.1:{closed_port}"},
        (
            "POST templates.eu.qlikcloud.com/oauth/token failed: Connection refused",
            "QLIK_CLOUD_ENDPOINT is http://127.0.0.1:",
            "Check that the emulator is running there",
        ),
    ),
}


def test_each_connection_problem_has_its_own_error(stack: Stack, qlik: Emulator) -> None:
    """The run creates nothing. When the obstacle is gone, `up` succeeds."""
    stack.write(**settings(GLOBEX))
    with socket.socket() as bound:
        bound.bind(("127.0.0.1", 0))  # not listening, so connections are refused
        closed_port = str(bound.getsockname()[1])
        for obstacle, (environment, expected) in REFUSALS.items():
            env = {key: value.replace("{closed_port}", closed_port) for key, value in environment.items()}
            failed = stack.up(expect=None, **env)
            assert_one_failed(obstacle, failed, "TenantProof proof", expected)
            assert stack.resources().keys() <= {"QlikCustomerTenant globex"}, obstacle
    qlik.control.settings(tenant_quota=0)
    expected = (
        "POST register.eu.qlikcloud.com/api/v1/tenants answered 403 TENANTS-22",
        "traceId",
        "Take down ended trials",
    )
    assert_one_failed("quota", stack.up(expect=None), "Tenant tenant", expected)
    assert stack.resources().keys() == {"QlikCustomerTenant globex", "TenantProof proof"}
    qlik.control.settings(tenant_quota=1)
    refused = stack.up(expect=None)
    assert refused.requests == []
    assert "none was created: the request was refused" in str(refused.errors)
    stack.up(expect=0, **renewal(refused))


def assert_one_failed(obstacle: str, failed: Result, name: str, expected: tuple[str, ...]) -> None:
    """Check that one resource failed, with one message that has all expected words and no secret."""
    assert failed.rc != 0, obstacle
    assert failed.failed == [name], obstacle
    (error,) = [error for error in failed.errors if expected[0] in error]
    assert all(words in error for words in expected), f"{obstacle}: {error}"
    assert_harmless(failed)
    assert not any(secret in failed.output for secret in ("demo-secret", "not-the-secret", "demo-us-secret"))
