"""Tests of `tenantry check`: the service where users log in."""

from __future__ import annotations

from tests.checks.bench import Bench
from tests.providers.test_saml_identity_provider import EXAMPLE

ADMINS = {"Support": {"email": "ada@example.com"}}


def test_an_available_login_service_is_ok(bench: Bench) -> None:
    [findings] = bench.check(bench.write(saml_identity_providers=EXAMPLE, admins=ADMINS)).values()
    assert [(finding.level, str(finding)) for finding in findings if finding.about == "login"] == [
        ("ok", "SAML identity provider Login answers")
    ]


def test_an_unavailable_login_service_is_an_error(bench: Bench) -> None:
    bench.qlik.control.add_fault(path="/sso", status=502, body={})
    [finding] = bench.problems(saml_identity_providers=EXAMPLE, admins=ADMINS)
    assert "customer.saml_identity_providers.Login: GET https://login.globex.example/sso failed" in finding
    assert finding.endswith("it answered 502")


def test_a_login_without_an_administrator_is_a_warning(bench: Bench) -> None:
    """It is only a warning, because the tenant may have an administrator that the file does not name."""
    [finding] = bench.problems(saml_identity_providers=EXAMPLE)
    assert finding.startswith("warning login: ")
    assert finding.endswith("add one to `admins`")
