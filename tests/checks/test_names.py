"""Tests of `tenantry check`: roles, and names that are taken."""

# ruff: noqa: E501 - a message is one line

from __future__ import annotations

import pytest
import yaml

from tenantry.state.backend import PulumiFailed
from tests.checks.bench import CLIENT, SOURCE, Bench
from tests.world import World


class TestRoles:
    """Roles must exist in the tenant. Before the tenant exists, the roles of the source tenant count."""

    def add_custom_role(self, world: World) -> None:
        world.request("POST", "roles", {"name": "Planner"})

    def test_without_a_tenant_the_roles_of_the_source_tenant_count(self, bench: Bench) -> None:
        self.add_custom_role(World(bench.qlik, SOURCE))
        unknown, custom = bench.problems(groups={"Analysts": {"roles": ["analyticsadmin", "Planner"]}})
        assert unknown.startswith("error roles: Pulumi.globex.yaml:12: customer.groups.Analysts.roles: role ")
        assert 'names are case-sensitive; the closest is "AnalyticsAdmin"' in unknown
        assert custom.startswith("warning roles: ")
        assert f'role "Planner" is custom on {SOURCE}. The new tenant has only built-in roles' in custom

    def test_with_a_tenant_its_roles_count(self, bench: Bench) -> None:
        tenant = bench.create_tenant("Globex", "globex.eu.qlikcloud.com")
        bench.tenant_of = lambda _: str(tenant["hostname"])
        [unknown] = bench.problems(groups={"Analysts": {"roles": ["Planner"]}})
        assert f'role "Planner" does not exist on {tenant["hostname"]}' in unknown
        self.add_custom_role(World(bench.qlik, tenant["hostname"]))
        assert bench.problems(groups={"Analysts": {"roles": ["Planner"]}}) == []

    def test_with_a_deactivated_tenant_the_roles_of_the_source_tenant_count(self, bench: Bench) -> None:
        tenant = bench.create_tenant("Globex")
        bench.deactivate(tenant)
        bench.tenant_of = lambda _: str(tenant["hostname"])
        assert bench.problems() == [
            f"warning tenant: {tenant['hostname']} is deactivated, so roles are checked on {SOURCE} instead"
        ]

    def test_roles_of_users_are_checked(self, bench: Bench) -> None:
        users = {"bob": {"subject": "bob", "roles": ["Develper"]}, "eve": {"subject": "eve"}}
        [unknown] = bench.problems(users=users)
        assert 'customer.users.bob.roles: role "Develper" does not exist on' in unknown

    def test_roles_of_everyone_are_checked(self, bench: Bench) -> None:
        [unknown] = bench.problems(group_settings={"everyone_roles": ["Developer", "Steword"]}, groups={})
        assert 'customer.group_settings.everyone_roles: role "Steword" does not exist on' in unknown

    def test_unreadable_roles_are_an_error(self, bench: Bench) -> None:
        bench.qlik.control.add_fault(path="/api/v1/roles", status=403, body={"errors": [{"code": "no"}]})
        [finding] = bench.problems()
        assert finding.startswith(f"error roles: GET {SOURCE}/api/v1/roles answered 403 no")


class TestNames:
    """Names and aliases are compared with the list of the organisation."""

    def test_a_taken_alias_is_an_error(self, bench: Bench) -> None:
        tenant = bench.create_tenant("Initech", "globex.eu.qlikcloud.com")
        [finding] = bench.problems()
        assert finding == (
            "error organisation: Pulumi.globex.yaml:6: customer.alias: globex.eu.qlikcloud.com is taken by active tenant "
            f'{tenant["hostname"]} ("Initech", id {tenant["tenant_id"]}). Choose another alias'
        )

    def test_the_alias_of_the_own_tenant_is_accepted(self, bench: Bench) -> None:
        tenant = bench.create_tenant("Globex", "globex.eu.qlikcloud.com")
        bench.tenant_of = lambda _: str(tenant["hostname"])
        assert bench.problems() == []

    def test_with_an_unreadable_state_a_taken_alias_is_only_a_warning(self, bench: Bench) -> None:
        def raise_error(_: str) -> str | None:
            raise PulumiFailed("pulumi stack export", "no backend")

        bench.create_tenant("Globex", "globex.eu.qlikcloud.com")
        bench.tenant_of = raise_error
        state, alias, name = bench.problems()
        assert state.endswith("the tenant of the stack is not checked. pulumi stack export: no backend")
        assert alias.startswith("warning organisation: ")
        assert name.startswith("warning organisation: ")

    def test_an_active_tenant_with_the_name_is_a_warning(self, bench: Bench) -> None:
        tenant = bench.create_tenant("Globex")
        [finding] = bench.problems()
        assert finding.startswith("warning organisation: Pulumi.globex.yaml:5: customer.name: active tenant ")
        assert tenant["hostname"] in finding

    def test_a_deactivated_tenant_with_the_name_is_reported_with_its_revive_line(self, bench: Bench) -> None:
        """`up` stops, because only a person knows whether the tenant belongs to this customer.

        The alias of the tenant is taken until the line is in the file.
        """
        tenant = bench.create_tenant("Globex", "globex.eu.qlikcloud.com")
        bench.deactivate(tenant)
        alias, name = bench.problems()
        assert alias.startswith("error organisation: Pulumi.globex.yaml:6: customer.alias: ")
        assert f"globex.eu.qlikcloud.com is taken by disabled tenant {tenant['hostname']}" in alias
        assert name.startswith("warning organisation: Pulumi.globex.yaml:5: customer.name: disabled tenant ")
        assert "and can be brought back until 20" in name
        assert "`pulumi up` stops once" in name
        line = name[name.index("revive: ") :]
        assert yaml.safe_load(line) == {"revive": tenant}
        assert bench.problems(**yaml.safe_load(line), groups={}) == []

    def test_the_creator_of_a_deactivated_tenant_does_not_matter(self, bench: Bench) -> None:
        """`up` does not consider the creator either, because another stack may have created the tenant."""
        tenant = bench.create_tenant("Globex")
        bench.deactivate(tenant)
        problems = bench.problems()
        bench.qlik.control.add_fault(host=SOURCE, path="/api/v1/users/*", merge={"id": "another"})
        assert bench.problems() == problems
        assert len(problems) == 1

    def test_each_deactivated_tenant_with_the_name_has_its_own_line(self, bench: Bench) -> None:
        """Tenants with another name are not listed."""
        tenants = [
            bench.create_tenant("Globex"),
            bench.create_tenant("Globex"),
            bench.create_tenant("Initech"),
        ]
        for tenant in tenants:
            bench.deactivate(tenant)
        problems = bench.problems()
        assert {problem.partition(":")[0] for problem in problems} == {"warning organisation"}
        lines = [yaml.safe_load(problem[problem.index("revive: ") :])["revive"] for problem in problems]
        assert sorted(lines, key=str) == sorted(tenants[:2], key=str)

    def test_a_deactivated_tenant_with_the_name_is_ignored_if_the_stack_has_a_tenant(
        self, bench: Bench
    ) -> None:
        bench.deactivate(bench.create_tenant("Globex"))
        tenant = bench.create_tenant("Globex", "globex.eu.qlikcloud.com")
        bench.tenant_of = lambda _: str(tenant["hostname"])
        assert bench.problems() == []

    def test_the_tenant_to_revive_must_exist_and_match_its_id(self, bench: Bench) -> None:
        tenant = bench.create_tenant("Globex", "globex.eu.qlikcloud.com")
        assert bench.problems(revive=tenant) == []
        [finding] = bench.problems(revive=tenant | {"tenant_id": "other"})
        assert f"has the id {tenant['tenant_id']}, not other" in finding
        finding = bench.problems(
            revive={"hostname": "gone.eu.qlikcloud.com", "tenant_id": "x"}, groups={}, alias=None
        )[-1]
        assert finding.startswith("error organisation: Pulumi.globex.yaml:")
        assert "customer.revive: the tenant gone.eu.qlikcloud.com no longer exists" in finding

    def test_a_full_region_is_an_error(self, bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr("tenantry.checks.organisation.TENANTS_PER_REGION", 1)
        assert bench.problems() == [
            "error organisation: 1 of at most 1 tenants in region eu, and 1 more to create: no more can be created"
        ]
        tenant = bench.create_tenant("Globex")
        bench.tenant_of = lambda _: str(tenant["hostname"])
        assert bench.problems() == ["warning organisation: 2 of at most 1 tenants in region eu"]

    def test_without_an_organisation_client_names_are_not_checked(self, bench: Bench) -> None:
        bench.environment = {"QLIK_CLOUD_ENDPOINT": bench.qlik.url, **CLIENT}
        [findings] = bench.check(bench.write()).values()
        assert str(findings[-1]) == "names and counts are not checked: no organisation client is set"
        assert {finding.level for finding in findings} == {"ok"}
