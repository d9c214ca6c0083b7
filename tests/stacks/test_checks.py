"""What `tenantry check` finds: right and wrong of every kind, by reads alone."""

# ruff: noqa: E501 - a message is one line

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
import yaml

from emulator import Emulator
from providers.preflight import Found, Preflight
from providers.qlik import Cloud
from providers.qlik.testing import FakeClock
from stacks.backend import PulumiFailed
from stacks.checks import check
from stacks.findings import Finding
from tests.world import World

SOURCE = "templates.eu.qlikcloud.com"
REGISTER = "register.eu.qlikcloud.com"
CLIENT = {"QLIK_CLIENT_ID": "demo", "QLIK_CLIENT_SECRET": "demo-secret"}
ORGANISATION = {"QLIK_ORG_CLIENT_ID": "demo-org", "QLIK_ORG_CLIENT_SECRET": "demo-org-secret"}
CUSTOMER: dict[str, Any] = {
    "name": "Globex",
    "alias": "globex",
    "lifecycle": {"kind": "trial", "ends_on": "2099-12-31"},
    "groups": {"Analysts": {"roles": ["AnalyticsAdmin", "Developer"]}, "Viewers": {}},
    "spaces": {"Staging": {"type": "shared"}, "Sales": {"type": "managed"}},
    "apps": {
        "Sales": {
            "template": "Sales Overview",
            "version": "2.3.0",
            "staging": "Staging",
            "publish_to": ["Sales"],
        }
    },
}


def nobody(_: str) -> None:
    """No stack has a tenant."""


class Bench:
    """Stack files, a local Qlik Cloud, and what is found."""

    def __init__(self, qlik: Emulator, folder: Path) -> None:
        self.qlik, self.folder = qlik, folder
        self.environment = {"QLIK_CLOUD_ENDPOINT": qlik.url, **CLIENT, **ORGANISATION}
        self.tenant_of: Callable[[str], str | None] = nobody

    def write(self, customer: dict[str, Any] | None = None, name: str = "globex", **more: Any) -> Path:
        """Write a stack file whose customer differs from the usual one in some keys."""
        config = {
            "qlik:region": "eu",
            "qlik:source_tenant": SOURCE,
            "tenantry:customer": (CUSTOMER if customer is None else customer) | more,
        }
        path = self.folder / f"Pulumi.{name}.yaml"
        path.write_text(yaml.safe_dump({"config": config}, sort_keys=False), "utf-8")
        return path

    def check(self, *paths: Path) -> dict[str, list[Finding]]:
        """Check stacks; whatever is found, nothing was sent that changes anything."""
        before = len(self.qlik.control.requests())
        with Cloud(self.environment) as cloud:
            found = check(paths, Preflight(cloud), self.tenant_of)
        sent = [f"{each['method']} {each['path']}" for each in self.qlik.control.requests()[before:]]
        assert [each for each in sent if not each.startswith("GET ") and each != "POST /oauth/token"] == []
        return found

    def wrong(self, **changes: Any) -> list[str]:
        """Level and text of what is not well with the usual customer and these changes."""
        [findings] = self.check(self.write(**changes)).values()
        return [f"{each.level} {each.about}: {each}" for each in findings if each.level != "ok"]

    def make_tenant(self, name: str = "", alias: str = "") -> dict[str, Any]:
        """Make a tenant with our client, as somebody else's stack would."""
        with Cloud(self.environment) as cloud:
            key = cloud.tenant(SOURCE).get("/api/v1/licenses/overview")["licenseKey"]
            made: dict[str, Any] = cloud.register("eu").post("/api/v1/tenants", {"licenseKey": key})
            changes = {"/name": name} if name else {}
            changes |= {"/hostnames/1": alias} if alias else {}
            patch = [{"op": "replace", "path": path, "value": value} for path, value in changes.items()]
            if patch:
                cloud.tenant(made["hostnames"][0]).patch(f"/api/v1/tenants/{made['id']}", patch)
        return {"hostname": made["hostnames"][0], "tenant_id": made["id"]}

    def deactivate(self, tenant: dict[str, Any]) -> None:
        with Cloud(self.environment) as cloud:
            headers = {"qlik-confirm-hostname": tenant["hostname"]}
            path = f"/api/v1/tenants/{tenant['tenant_id']}/actions/deactivate"
            cloud.register("eu").post(path, {"purgeAfterDays": 10}, headers=headers)


@pytest.fixture
def bench(qlik: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Bench:
    monkeypatch.chdir(tmp_path)
    return Bench(qlik, tmp_path)


def test_all_is_well(bench: Bench) -> None:
    [findings] = bench.check(bench.write()).values()
    assert [(each.level, each.about) for each in findings] == [
        ("ok", "settings"),
        ("ok", "credentials"),
        ("ok", "licence"),
        ("ok", "templates"),
        ("ok", "roles"),
        ("ok", "organisation"),
    ]
    texts = {each.about: str(each) for each in findings}
    assert "1 of at most 8500 tenants in region eu" in texts["organisation"]
    assert "'Sales Overview', version 2.3.0" in texts["templates"]
    assert f"all known on {SOURCE}" in texts["roles"]


def test_however_many_stacks_each_thing_is_asked_once(bench: Bench) -> None:
    paths = [bench.write(name=f"c{number}", alias=f"customer-{number}") for number in range(12)]
    found = bench.check(*paths)
    assert list(found) == [f"c{number}" for number in range(12)]
    assert {each.level for findings in found.values() for each in findings} == {"ok"}
    asked = [
        f"{each['method']} {each['host']}{each['path'].partition('?')[0]}"
        for each in bench.qlik.control.requests()
    ]
    assert len(asked) == len(set(asked)) == 8, asked


def test_every_problem_of_every_stack_at_once(bench: Bench) -> None:
    """A stack with a broken file does not keep the others from being checked, nor one problem another."""
    broken = bench.write({"name": "Broken", "alias": "x"}, name="broken")
    other = bench.write(
        name="other",
        apps={"Sales": CUSTOMER["apps"]["Sales"] | {"version": "9.9"}},
        groups={"Analysts": {"roles": ["Tenantadmin"]}},
    )
    found = bench.check(broken, other, bench.write())
    assert [(each.level, each.about) for each in found["broken"]] == [("error", "settings")]
    assert (
        str(found["broken"][0])
        == 'Pulumi.broken.yaml:6: customer.alias: "x" has 1 characters; an alias has 3 to 63'
    )
    assert [each.about for each in found["other"] if each.level == "error"] == ["templates", "roles"]
    assert {each.level for each in found["globex"]} == {"ok"}


TEMPLATES = [
    (
        {"version": "9.9"},
        "error templates: Pulumi.globex.yaml:23: customer.apps.Sales.template: template 'Sales Overview', version 9.9, on "
        f"{SOURCE}: the app is there, but not in that version. Versions found: 2.3.0, 2.4.0 (a template's version is "
        "`{v…}` at the end of its description).",
    ),
    (
        {"template": "Board Report", "version": "1.0.0"},
        "error templates: Pulumi.globex.yaml:23: customer.apps.Sales.template: template 'Board Report', version 1.0.0, on "
        f"{SOURCE}: this client may not export it. Give its bot user an edit role, such as `producer`, in space ",
    ),
    (
        {"template": "sales overview"},
        "error templates: Pulumi.globex.yaml:23: customer.apps.Sales.template: template 'sales overview', version 2.3.0, on "
        f"{SOURCE}: no such app is to be seen there. The name must be exact, and the bot user of this client must be a "
        "member of the space that the template is in.",
    ),
]


@pytest.mark.parametrize(("change", "told"), TEMPLATES, ids=["version", "not exportable", "name"])
def test_templates(bench: Bench, change: dict[str, str], told: str) -> None:
    [said] = bench.wrong(apps={"Sales": CUSTOMER["apps"]["Sales"] | change})
    assert said.startswith(told)


def test_two_templates_of_one_name_and_version(bench: Bench) -> None:
    source = World(bench.qlik, SOURCE)
    space = source.spaces["Templates"]["id"]
    source.join(space)
    attributes = {"name": "Sales Overview", "description": "Copy {v2.3.0}", "spaceId": space}
    source.request("POST", "apps", {"attributes": attributes})
    [told] = bench.wrong()
    assert "2 apps fit; name the one you mean by `template_id`" in told


def test_a_template_that_may_not_be_opened_is_not_exportable(bench: Bench) -> None:
    bench.qlik.control.add_fault(host=SOURCE, path="/api/v1/apps/*", status=403, body={"errors": []})
    [told] = bench.wrong()
    assert "this client may not export it" in told


def test_a_template_whose_space_the_bot_may_join(bench: Bench) -> None:
    """That is said, and left to `up`."""
    app = CUSTOMER["apps"]["Sales"] | {"template": "Board Report", "version": "1.0.0"}
    assert bench.wrong(apps={"Sales": app | {"join_template_space": True}}) == []


def test_a_template_in_a_personal_space_has_none_that_the_bot_could_join(
    bench: Bench, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(Preflight, "template", lambda *_: Found(None, False))
    [told] = bench.wrong(apps={"Sales": CUSTOMER["apps"]["Sales"] | {"join_template_space": True}})
    assert told.endswith(
        "this client may not export it. It is in somebody's personal space: move it to a shared "
        "one in which its bot user may edit"
    )


def test_administrators_are_people_of_the_source_tenant(bench: Bench) -> None:
    known = {"email": "Ada@example.com"}
    assert bench.wrong(admins={"ada": known, "again": {"subject": "auth0|ada"}}) == []
    [told] = bench.wrong(admins={"ada": known, "bob": {"email": "bob@example.com"}})
    assert told.startswith("error people: Pulumi.globex.yaml:")
    assert "customer.admins.bob.email: no user of templates.eu.qlikcloud.com has the e-mail address" in told


LICENCES = [
    ({"status": "Expired"}, f"error licence: has status Expired on {SOURCE}: no tenant can be made"),
    ({"status": "Blacklisted"}, f"error licence: has status Blacklisted on {SOURCE}: no tenant can be made"),
    ({"valid": "2020-01-01/2021-01-01"}, f"error licence: ended on 2021-01-01 ({SOURCE})"),
    (
        {"trial": True, "valid": "2020-01-01/2099-01-01"},
        f"warning licence: is a trial until 2099-01-01 ({SOURCE})",
    ),
    ({"valid": "2020-01-01/"}, ""),
]


@pytest.mark.parametrize(("answer", "told"), LICENCES, ids=[str(answer) for answer, _ in LICENCES])
def test_licences(bench: Bench, answer: dict[str, Any], told: str) -> None:
    bench.qlik.control.add_fault(path="/api/v1/licenses/overview", merge=answer)
    wrong = bench.wrong()
    assert wrong == ([told] if told else [])
    assert "licence-key" not in str(wrong)


def test_a_licence_that_ends_soon(bench: Bench) -> None:
    bench.qlik.control.add_fault(path="/api/v1/licenses/overview", merge={"valid": "2026-01-01/2027-02-01"})
    clock = FakeClock(1_800_000_000)  # 2027-01-15
    with Cloud(bench.environment, clock=clock) as cloud:
        [findings] = check([bench.write()], Preflight(cloud), nobody).values()
    assert [str(each) for each in findings if each.level == "warning"] == [f"ends on 2027-02-01 ({SOURCE})"]


def test_a_source_tenant_without_licence(bench: Bench) -> None:
    bench.qlik.control.add_fault(
        path="/api/v1/licenses/overview",
        status=404,
        body={"errors": [{"code": "L-1", "title": "none"}], "traceId": "t1"},
    )
    [told] = bench.wrong()
    assert told.startswith(
        "error licence: GET templates.eu.qlikcloud.com/api/v1/licenses/overview answered 404 L-1"
    )


def test_no_credentials(bench: Bench) -> None:
    """Told once; what cannot be looked at without them is not told as wrong."""
    bench.environment = {"QLIK_CLOUD_ENDPOINT": bench.qlik.url}
    first, second = bench.wrong()
    assert first.startswith("error credentials: No OAuth client for region eu.")
    assert second == "warning credentials: licence, templates, people and roles are not checked without them"


def test_the_client_of_another_region(bench: Bench) -> None:
    bench.environment |= {"QLIK_CLIENT_ID": "demo-us", "QLIK_CLIENT_SECRET": "demo-us-secret"}
    first, _ = bench.wrong()
    assert first.startswith(f"error credentials: POST {SOURCE}/oauth/token answered 401")
    assert "A region's OAuth client works in its own region only" in first
    assert "demo-us-secret" not in first


def test_a_client_that_the_register_host_refuses(bench: Bench) -> None:
    bench.qlik.control.add_fault(
        host=REGISTER, path="/oauth/token", status=403, body={"errors": [{"code": "X"}]}
    )
    first, _ = bench.wrong()
    assert first.startswith(f"error credentials: POST {REGISTER}/oauth/token answered 403 X")


class TestRoles:
    """By the tenant's own list where there is one."""

    def custom(self, world: World) -> None:
        world.request("POST", "roles", {"name": "Planner"})

    def test_without_a_tenant_those_of_the_source(self, bench: Bench) -> None:
        self.custom(World(bench.qlik, SOURCE))
        unknown, custom = bench.wrong(groups={"Analysts": {"roles": ["analyticsadmin", "Planner"]}})
        assert unknown.startswith("error roles: Pulumi.globex.yaml:12: customer.groups.Analysts.roles: role ")
        assert 'names are case-sensitive; did you mean "AnalyticsAdmin"?' in unknown
        assert custom.startswith("warning roles: ")
        assert f'role "Planner" is {SOURCE}\'s own; make it on the new tenant' in custom

    def test_with_a_tenant_its_own(self, bench: Bench) -> None:
        tenant = bench.make_tenant("Globex", "globex.eu.qlikcloud.com")
        bench.tenant_of = lambda _: str(tenant["hostname"])
        [unknown] = bench.wrong(groups={"Analysts": {"roles": ["Planner"]}})
        assert f'role "Planner" is not known on {tenant["hostname"]}' in unknown
        self.custom(World(bench.qlik, tenant["hostname"]))
        assert bench.wrong(groups={"Analysts": {"roles": ["Planner"]}}) == []

    def test_with_a_tenant_that_is_deactivated(self, bench: Bench) -> None:
        tenant = bench.make_tenant("Globex")
        bench.deactivate(tenant)
        bench.tenant_of = lambda _: str(tenant["hostname"])
        assert bench.wrong() == [
            f"warning tenant: {tenant['hostname']} is deactivated; roles are looked up on {SOURCE} instead"
        ]

    def test_of_users(self, bench: Bench) -> None:
        users = {"bob": {"subject": "bob", "roles": ["Develper"]}, "eve": {"subject": "eve"}}
        [unknown] = bench.wrong(users=users)
        assert 'customer.users.bob.roles: role "Develper" is not known on' in unknown

    def test_of_everyone(self, bench: Bench) -> None:
        [unknown] = bench.wrong(group_settings={"everyone_roles": ["Developer", "Steword"]}, groups={})
        assert 'customer.group_settings.everyone_roles: role "Steword" is not known on' in unknown

    def test_that_may_not_be_read(self, bench: Bench) -> None:
        bench.qlik.control.add_fault(path="/api/v1/roles", status=403, body={"errors": [{"code": "no"}]})
        [told] = bench.wrong()
        assert told.startswith(f"error roles: GET {SOURCE}/api/v1/roles answered 403 no")


class TestNames:
    """What the organisation's list tells."""

    def test_an_alias_that_is_taken(self, bench: Bench) -> None:
        tenant = bench.make_tenant("Initech", "globex.eu.qlikcloud.com")
        [told] = bench.wrong()
        assert told == (
            "error organisation: Pulumi.globex.yaml:6: customer.alias: globex.eu.qlikcloud.com is taken by active tenant "
            f'{tenant["hostname"]} ("Initech", id {tenant["tenant_id"]}); give another alias'
        )

    def test_an_alias_that_the_stacks_own_tenant_has(self, bench: Bench) -> None:
        tenant = bench.make_tenant("Globex", "globex.eu.qlikcloud.com")
        bench.tenant_of = lambda _: str(tenant["hostname"])
        assert bench.wrong() == []

    def test_with_a_state_that_cannot_be_read_it_may_be_the_stacks_own(self, bench: Bench) -> None:
        def unreadable(_: str) -> str | None:
            raise PulumiFailed("pulumi stack export", "no backend")

        bench.make_tenant("Globex", "globex.eu.qlikcloud.com")
        bench.tenant_of = unreadable
        state, alias, name = bench.wrong()
        assert state.endswith("a tenant that the stack has is not looked at. pulumi stack export: no backend")
        assert alias.startswith("warning organisation: ")
        assert name.startswith("warning organisation: ")

    def test_an_active_tenant_of_that_name(self, bench: Bench) -> None:
        tenant = bench.make_tenant("Globex")
        [told] = bench.wrong()
        assert told.startswith("warning organisation: Pulumi.globex.yaml:5: customer.name: active tenant ")
        assert tenant["hostname"] in told

    def test_a_deactivated_tenant_of_that_name_comes_back(self, bench: Bench) -> None:
        """Its alias is no obstacle then."""
        tenant = bench.make_tenant("Globex", "globex.eu.qlikcloud.com")
        bench.deactivate(tenant)
        [told] = bench.wrong()
        assert told.startswith(
            "warning organisation: Pulumi.globex.yaml:5: customer.name: `pulumi up` brings back disabled"
        )
        assert "which is possible until 20" in told
        assert told.endswith("with `revive: new` it makes another")

    def test_one_that_somebody_else_made_and_deactivated_stays_where_it_is(self, bench: Bench) -> None:
        """As `up` leaves it alone; but its alias is taken."""
        tenant = bench.make_tenant("Globex", "globex.eu.qlikcloud.com")
        bench.deactivate(tenant)
        bench.qlik.control.add_fault(host=SOURCE, path="/api/v1/users/*", merge={"id": "another"})
        [told] = bench.wrong()
        assert told.startswith("error organisation: ")
        assert f"globex.eu.qlikcloud.com is taken by disabled tenant {tenant['hostname']}" in told

    def test_several_deactivated_tenants_of_that_name(self, bench: Bench) -> None:
        made = [bench.make_tenant("Globex"), bench.make_tenant("Globex")]
        for tenant in made:
            bench.deactivate(tenant)
        [told] = bench.wrong()
        assert told.startswith("error organisation: ")
        assert all(tenant["hostname"] in told for tenant in made)

    def test_the_tenant_to_revive(self, bench: Bench) -> None:
        tenant = bench.make_tenant("Globex", "globex.eu.qlikcloud.com")
        assert bench.wrong(revive=tenant) == []
        [told] = bench.wrong(revive=tenant | {"tenant_id": "other"})
        assert f"has the id {tenant['tenant_id']}, not other" in told
        told = bench.wrong(
            revive={"hostname": "gone.eu.qlikcloud.com", "tenant_id": "x"}, groups={}, alias=None
        )[-1]
        assert told.startswith("error organisation: Pulumi.globex.yaml:")
        assert "customer.revive: there is no tenant gone.eu.qlikcloud.com any more" in told

    def test_a_region_that_is_full(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("stacks.organisation.TENANTS_PER_REGION", 1)
        assert bench.wrong() == [
            "error organisation: 1 of at most 1 tenants in region eu: no other can be made"
        ]
        tenant = bench.make_tenant("Globex")
        bench.tenant_of = lambda _: str(tenant["hostname"])
        assert bench.wrong() == ["warning organisation: 2 of at most 1 tenants in region eu"]

    def test_without_the_organisations_client(self, bench: Bench) -> None:
        bench.environment = {"QLIK_CLOUD_ENDPOINT": bench.qlik.url, **CLIENT}
        [findings] = bench.check(bench.write()).values()
        assert str(findings[-1]) == "names and counts are not checked: no organisation client is set"
        assert {each.level for each in findings} == {"ok"}


def test_a_trial_that_has_ended(bench: Bench) -> None:
    told = bench.wrong(lifecycle={"kind": "trial", "ends_on": "2020-12-31"})
    assert told == [
        "warning lifecycle: Pulumi.globex.yaml:9: customer.lifecycle.ends_on: the trial ended on 2020-12-31"
    ]


def test_a_tenant_in_another_region(bench: Bench) -> None:
    bench.tenant_of = lambda _: "templates.us.qlikcloud.com"
    told = bench.wrong(groups={})
    assert told[0].startswith(
        "error tenant: Pulumi.globex.yaml:2: qlik:region: the stack's tenant templates.us.qlikcloud.com"
    )
