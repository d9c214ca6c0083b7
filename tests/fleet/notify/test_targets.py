"""The targets of notifications: the allowed syntax, and error messages without the address."""

from __future__ import annotations

import pytest

from tenantry.fleet.notify import Target, UnusableTarget

SLACK = "https://hooks.slack.com/services/T0/B0/s3cr3t"
TEAMS = "https://prod-12.westeurope.logic.azure.com:443/workflows/1/triggers/manual/paths/invoke?sig=s3cr3t"
POWER_AUTOMATE = (
    "https://default0.5a.environment.api.powerplatform.com:443/powerautomate/automations?sig=s3cr3t"
)


@pytest.mark.parametrize(
    ("argument", "form"),
    [
        (SLACK, "slack"),
        (TEAMS, "teams"),
        (POWER_AUTOMATE, "teams"),
        ("https://acme.webhook.office.com/webhookb2/x", "teams"),
        ("https://ops.example/hooks/1", "webhook"),
        ("https://hooks.slack.com.evil.example/x", "webhook"),
        ("https://evil-hooks.slack.com/x", "webhook"),
        ("http://127.0.0.1:8080/x", "webhook"),
        ("http://[::1]:8080/x", "webhook"),
        ("http://localhost/x", "webhook"),
        ("slack:https://mattermost.example/hooks/s3cr3t", "slack"),
        ("teams:https://ops.example/s3cr3t", "teams"),
        (f"webhook:{SLACK}", "webhook"),
    ],
)
def test_the_host_or_a_prefix_determines_the_form(argument: str, form: str) -> None:
    target = Target.parse(argument)
    assert target.form == form
    assert target.url == argument.removeprefix(f"{form}:")
    assert "s3cr3t" not in f"{target} {target!r}"


def test_a_variable_can_hold_the_address(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("WHERE", f" {SLACK}\n")
    assert Target.parse("env:WHERE") == Target("slack", "hooks.slack.com", SLACK)
    assert Target.parse("webhook:env:WHERE").form == "webhook"
    monkeypatch.setenv("WHERE", "teams:https://ops.example/x")
    assert Target.parse("env:WHERE").form == "teams"


@pytest.mark.parametrize(
    ("argument", "value", "words"),
    [
        ("env:WHERE", None, "env:WHERE: the environment variable WHERE is not set"),
        ("env:WHERE", " ", "the environment variable WHERE is not set"),
        ("env:", None, "the name of an environment variable"),
        ("env:A=B", None, "the name of an environment variable"),
        ("s3cr3t", None, "begins with https://, or env:NAME"),
        ("", None, "begins with https://, or env:NAME"),
        ("discord:https://s3cr3t.example", None, "the address is not valid"),
        ("http://ops.example/s3cr3t", None, "must begin with https://"),
        ("ftp://ops.example/s3cr3t", None, "must begin with https://"),
        ("http://127.0.0.1.evil.example/s3cr3t", None, "must begin with https://"),
        ("http://127.0.0.1\\@evil.example/s3cr3t", None, "is not valid"),
        ("https://user:s3cr3t@ops.example/", None, "contains a user or password"),
        ("https://ops.example:s3cr3t/", None, "is not valid"),
        ("https://", None, "is not valid"),
        ("https://[::s3cr3t/", None, "is not valid"),
        ("https://ops.example/s3cr3t\r\nHost: evil", None, "is not valid"),
        ("env:WHERE", "http://ops.example/s3cr3t", "the address in WHERE must begin with https://"),
        ("env:WHERE", "env:OTHER", "the address in WHERE is not valid"),
    ],
)
def test_an_unusable_target_is_an_error_of_one_line_without_the_address(
    monkeypatch: pytest.MonkeyPatch, argument: str, value: str | None, words: str
) -> None:
    monkeypatch.delenv("WHERE", raising=False)
    if value is not None:
        monkeypatch.setenv("WHERE", value)
    with pytest.raises(UnusableTarget) as refused:
        Target.parse(argument)
    assert words in str(refused.value)
    assert "s3cr3t" not in str(refused.value)
    assert "\n" not in str(refused.value)
