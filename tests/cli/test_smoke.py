"""Tests of `tenantry smoke`: success for a correct tenant, and failure for each kind of difference."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any

import pytest
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat
from typer.testing import CliRunner

from tenantry.cli.app import app
from tenantry.state.backend import Backend, PulumiFailed
from tests import keys, logins
from tests.cli.site import Site
from tests.emulator.api import REGISTER, SOURCE, Api
from tests.pems import encrypted_pem
from tests.world import writes


def test_each_group_sees_its_published_apps_and_nothing_else(site: Site) -> None:
    output = site.smoke("Analysts", "Viewers", "Data")
    assert "Analysts: ok, sees Overview in Sales, Overview in Board and nothing else" in output
    assert "Viewers: ok, sees Overview in Sales and nothing else" in output
    assert "Data: ok, sees no app and nothing else" in output
    assert "FAILED" not in output
    assert site.tenant.qlik.control.health()["unknown"] == []


def test_all_groups_of_all_customers_have_one_summary(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """A failure does not hide other results. A stack without a tenant is left out unless it is named."""
    text = (site.folder / "stacks" / "Pulumi.globex.yaml").read_text()
    for name in ("acme", "hooli"):
        (site.folder / "stacks" / f"Pulumi.{name}.yaml").write_text(text)
    without_groups = {**site.outputs, "groups": {}}
    outputs = {"acme": without_groups, "globex": site.outputs, "hooli": {}}
    monkeypatch.setattr(Backend, "outputs", lambda self, stack: outputs[stack])
    (site.folder / "globex").mkdir()
    key = site.key.rename(site.folder / "globex" / "key.pem")
    (site.folder / "acme").symlink_to(site.folder / "globex")
    arguments = ["smoke", "--key", str(key).replace("globex", "{stack}"), "--wait", "0"]

    result = CliRunner().invoke(app, [*arguments, "--all"])
    assert result.exit_code == 1
    lines = result.stdout.splitlines()
    assert "globex, Viewers: ok, sees Overview in Sales and nothing else" in lines
    assert not [line for line in lines if "Club" in line], "a custom group has no login"
    assert lines[0] == "acme: FAILED"
    assert lines[-1] == "3 stacks: 1 ok, 1 failed, 1 left out"
    assert "[2/3] globex" in result.stderr
    assert "Logging in to" in result.stderr

    assert CliRunner().invoke(app, [*arguments, "globex"]).stdout.endswith("1 stack: 1 ok\n")
    assert CliRunner().invoke(app, [*arguments, "hooli"]).exit_code == 1
    assert CliRunner().invoke(app, [*arguments, "--ring", "pilot"]).stdout == "0 stacks\n"


def test_up_requires_the_key_before_it_starts(site: Site) -> None:
    result = CliRunner().invoke(app, ["up", "--all", "--smoke", "--yes"])
    assert (result.exit_code, "--smoke needs --key" in result.stderr) == (2, True)


def test_smoke_writes_only_the_login_and_the_deletion_of_its_user(site: Site) -> None:
    before = site.tenant.qlik.control.dump()[site.tenant.host]
    site.smoke("Viewers")
    assert [line.rstrip("0123456789abcdef") for line in writes(site.tenant.qlik.control.requests())] == [
        "POST /login/jwt-session",
        "DELETE /api/v1/users/",
    ]
    after = site.tenant.qlik.control.dump()[site.tenant.host]
    assert {kind: objects for kind, objects in after.items() if kind != "jti"} == before


def test_no_secret_is_printed(site: Site) -> None:
    output = site.smoke("Viewers") + site.smoke(
        "Viewers", code=1, key=logins.private_file(site.folder, "two")
    )
    key_lines = logins.private_pem().decode().splitlines()[1:-1]
    assert not [secret for secret in [*key_lines, "eyJ", "demo-secret"] if secret in output]


@pytest.mark.parametrize(
    ("flags", "words"),
    [
        ((False, False), "the login uses none"),
        ((False, True), "can use an entitlement: this tenant assigns analyzer automatically"),
        ((True, True), "assigns professional or analyzer automatically"),
    ],
)
def test_smoke_prints_the_entitlements_that_a_login_can_use_before_it_logs_in(
    site: Site, flags: tuple[bool, bool], words: str
) -> None:
    professional, analyzer = flags
    settings = {"autoAssignProfessional": professional, "autoAssignAnalyzer": analyzer}
    site.tenant.put("/api/v1/licenses/settings", settings)
    output = site.smoke("Viewers")
    assert words in output
    assert output.index(words) < output.index("Viewers: ok")


def test_logins_use_one_entitlement_and_release_returns_it(site: Site) -> None:
    def used_entitlements() -> int:
        allotments = Api(site.tenant.qlik, SOURCE).login().get("/api/v1/licenses/overview")["allotments"]
        return sum(allotment["unitsUsed"] for allotment in allotments)

    site.tenant.put(
        "/api/v1/licenses/settings", {"autoAssignAnalyzer": True, "autoAssignProfessional": False}
    )
    site.smoke("Viewers", "Analysts")
    site.smoke("Viewers")
    assert used_entitlements() == 1
    assert "released entitlements: analyzer" in site.smoke("Viewers", release="")
    assert used_entitlements() == 0
    site.tenant.put(
        "/api/v1/licenses/settings", {"autoAssignAnalyzer": False, "autoAssignProfessional": False}
    )
    assert "released entitlements: none" in site.smoke("Viewers", release="")


def assignment_path(site: Site, space: str, group: str) -> str:
    """Return the API path of a group's assignment to a space."""
    id = site.world.assignment(space, group)["id"]
    return f"/api/v1/spaces/{site.spaces[space]}/assignments/{id}"


def remove_access(site: Site) -> str:
    site.tenant.delete(assignment_path(site, "Sales", "All viewers"))
    return r"Viewers: FAILED does not see Overview in Sales \(app \S+\) after 0 s"


def add_access(site: Site) -> str:
    body = {"type": "group", "assigneeId": site.groups["Viewers"], "roles": ["consumer"]}
    site.tenant.post(f"/api/v1/spaces/{site.spaces['Board']}/assignments", body)
    words = r"Viewers: FAILED sees Overview in Board \(app \S+\), but the stack file gives it no access"
    return rf"{words} 1 stack: 1 failed$"


def open_to_everyone(site: Site) -> str:
    body = {"type": "group", "assigneeId": "000000000000000000000001", "roles": ["consumer"]}
    site.tenant.post(f"/api/v1/spaces/{site.spaces['Staging']}/assignments", body)
    return rf"sees Overview in space {site.spaces['Staging']} \(app {site.staged_app}\)"


def delete_published_app(site: Site) -> str:
    site.tenant.delete(f"/api/v1/apps/{site.apps['Sales']}", expect=200)
    return r"does not see Overview in Sales"


def publish_another_app(site: Site) -> str:
    published = site.tenant.post(
        f"/api/v1/apps/{site.staged_app}/publish", {"spaceId": site.spaces["Sales"]}, expect=200
    )
    return rf"sees Overview in space {site.spaces['Sales']} \(app {published['attributes']['id']}\)"


def delete_group(site: Site) -> str:
    site.tenant.delete(f"/api/v1/groups/{site.groups['Viewers']}")
    return r'group "Viewers" is gone from \S+; run `pulumi up --refresh`'


def delete_provider(site: Site) -> str:
    site.tenant.delete(f"/api/v1/identity-providers/{site.provider}")
    return r"has no JWT identity provider. Create a key"


def replace_provider(site: Site) -> str:
    delete_provider(site)
    site.tenant.post("/api/v1/identity-providers", logins.provider("two"))
    return r'has: issuer "https://portal\.example", kid "key-1"'


def deactivate(site: Site) -> str:
    site.tenant.on(REGISTER).login().post(
        f"/api/v1/tenants/{site.world.tenant['id']}/actions/deactivate",
        {"purgeAfterDays": 10},
        expect=200,
        headers={"qlik-confirm-hostname": site.tenant.host},
    )
    return "is deactivated. It still exists"


@pytest.mark.parametrize(
    "introduce_difference",
    [
        remove_access,
        add_access,
        open_to_everyone,
        delete_published_app,
        publish_another_app,
        delete_group,
        delete_provider,
        replace_provider,
        deactivate,
    ],
)
def test_differences_at_qlik_are_reported(site: Site, introduce_difference: Callable[[Site], str]) -> None:
    words = introduce_difference(site)
    output = site.smoke("Viewers", code=1, wait="0")
    assert re.search(words, output), output


def test_one_broken_group_does_not_hide_the_others(site: Site) -> None:
    remove_access(site)
    output = site.smoke("Viewers", "Analysts", code=1, wait="0")
    assert "Viewers: FAILED" in output
    assert "Analysts: ok" in output


def test_roles_that_may_give_additional_access_are_named(site: Site) -> None:
    space = site.tenant.post("/api/v1/spaces", {"name": "Other", "type": "managed"})["id"]
    body = {"type": "group", "assigneeId": site.groups["Analysts"], "roles": ["consumer"]}
    site.tenant.post(f"/api/v1/spaces/{space}/assignments", body)
    site.tenant.post(f"/api/v1/apps/{site.staged_app}/publish", {"spaceId": space}, expect=200)
    assert "the group's roles (AnalyticsAdmin) may open it" in site.smoke("Analysts", code=1)


def test_apps_of_other_users_in_a_shared_space_are_ignored(site: Site) -> None:
    site.tenant.post(
        "/api/v1/apps", {"attributes": {"name": "New", "spaceId": site.spaces["Staging"]}}, expect=200
    )
    site.smoke("Analysts")


def test_a_refused_login_is_reported_with_the_error_of_qlik(site: Site) -> None:
    body = {"errors": [{"code": "LOGIN-401", "title": "Unauthorized"}], "traceId": "abc"}
    site.tenant.qlik.control.add_fault(path="/login/jwt-session", status=401, body=body)
    output = site.smoke("Viewers", code=1)
    assert "POST" in output
    assert "answered 401 LOGIN-401 Unauthorized (traceId abc)" in output
    assert "this machine's clock" in output


def test_smoke_waits_for_an_app_that_opens_late(site: Site) -> None:
    site.tenant.qlik.control.add_fault(path=f"/api/v1/apps/{site.apps['Sales']}", status=403, times=2)
    assert "Viewers: ok" in site.smoke("Viewers")


def test_the_user_of_a_killed_run_is_replaced(site: Site) -> None:
    remaining_user = {
        "subject": "tenantry-smoke",
        "email": "tenantry-smoke@tenantry.invalid",
        "status": "active",
    }
    user = site.tenant.post("/api/v1/users", remaining_user)["id"]
    site.tenant.patch(f"/api/v1/users/{user}", {"/status": "disabled"})
    site.smoke("Viewers")


def test_a_deletion_of_the_user_with_a_lost_response_is_a_success(site: Site) -> None:
    site.tenant.qlik.control.add_fault(path="/api/v1/users/*", method="DELETE", drop_after=True, times=1)
    assert "Viewers: ok" in site.smoke("Viewers")


def test_a_user_that_cannot_be_deleted_is_named(site: Site) -> None:
    site.tenant.qlik.control.add_fault(path="/api/v1/users/*", method="DELETE", status=403)
    output = site.smoke("Viewers", code=1, clean=False)
    assert f"the user tenantry-smoke may still be in {site.tenant.host}: DELETE" in output
    site.tenant.qlik.control.clear_faults()
    site.smoke("Viewers")


@pytest.mark.parametrize(
    ("group", "words"),
    [
        ("Viewer", 'no group "Viewer" in the stack file; the closest is "Viewers"'),
        ("Club", 'group "Club" is a custom group'),
    ],
)
def test_an_unknown_or_custom_group_is_refused_without_requests(site: Site, group: str, words: str) -> None:
    assert words in site.smoke("Analysts", group, code=1)
    assert site.tenant.qlik.control.requests() == []


def elliptic_private_pem() -> str:
    key = ec.generate_private_key(ec.SECP256R1())
    return key.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()).decode()


@pytest.mark.parametrize(
    ("content", "words"),
    [
        (None, "cannot be read: No such file"),
        ("hello", "is not a private key in PEM format"),
        (keys.public_pem(), "is a public key"),
        (encrypted_pem(), "is encrypted"),
        (elliptic_private_pem(), "is not an RSA key"),
    ],
)
def test_a_key_that_cannot_sign_is_refused_without_requests(
    site: Site, content: str | None, words: str
) -> None:
    key = site.folder / "other.pem"
    if content is not None:
        key.write_text(content)
    output = site.smoke("Viewers", code=1, key=key)
    assert words in output
    assert "other.pem" in output
    assert site.tenant.qlik.control.requests() == []


def test_a_stack_without_tenant_or_group_needs_an_up_first(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Backend, "outputs", lambda self, stack: {**site.outputs, "groups": {}})
    assert "not in the outputs of the stack" in site.smoke("Viewers", code=1)
    monkeypatch.setattr(Backend, "outputs", lambda self, stack: {})
    assert "no tenant yet: run `pulumi up --stack globex`" in site.smoke("Viewers", code=1)


def test_errors_of_pulumi_are_printed(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    def outputs(self: Backend, stack: str) -> dict[str, Any]:
        raise PulumiFailed("pulumi stack output", "no stack named 'globex' found")

    monkeypatch.setattr(Backend, "outputs", outputs)
    assert "no stack named 'globex' found" in site.smoke("Viewers", code=1)
