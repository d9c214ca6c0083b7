"""Valid settings, from a file and from the engine's values."""

from __future__ import annotations

import random
from datetime import date
from typing import Any

import pytest
import yaml
from pydantic import ValidationError

import tenantry.settings
from tenantry.demo.example import FILES
from tenantry.providers.framework.facts import revive_line
from tenantry.settings.document import read
from tenantry.settings.project import Project
from tests.keys import public_pem
from tests.settings.conftest import HEAD, Folder

CONFIG: dict[str, Any] = {
    "qlik:region": "eu",
    "qlik:source_tenant": "templates.eu.qlikcloud.com",
    "tenantry:customer": {"name": "Globex", "groups": {"Analysts": {"roles": ["Developer"]}}},
}


def test_the_stack_file_of_the_demo_is_read() -> None:
    settings = tenantry.settings.load_file(FILES / "Pulumi.globex.yaml")
    customer = settings.customer
    assert (settings.region, settings.source_tenant) == ("eu", "templates.eu.qlikcloud.com")
    assert settings.alias_hostname == "globex-demo.eu.qlikcloud.com"
    assert customer.name == "Globex"
    assert customer.lifecycle.ends_on == date(2026, 12, 31)
    assert not customer.protected
    assert set(customer.groups) == {"Analysts", "Planners"}
    assert customer.spaces["Sales"].access == {"Analysts": ["consumer", "contributor"]}
    assert customer.apps["Sales Overview"].version == "2.4.0"
    assert customer.apps["Inventory"].version == "1.0.0"


def test_the_smallest_customer_has_every_default(folder: Folder) -> None:
    customer = folder.write().customer()
    assert customer.model_dump() == {
        "name": "Globex",
        "plan": None,
        "alias": None,
        "revive": None,
        "tenant": dict.fromkeys(type(customer.tenant).model_fields),
        "lifecycle": {
            "kind": "production",
            "ends_on": None,
            "time_zone": "UTC",
            "grace_days": 30,
            "release_entitlements": False,
        },
        "protect": None,
        "ring": "broad",
        "tags": {},
        "group_settings": None,
        "license_settings": None,
        "brands": {},
        "themes": {},
        "extensions": {},
        "pinned_links": {},
        "web_integrations": {},
        "csp_origins": {},
        "webhooks": {},
        "oidc_identity_providers": {},
        "saml_identity_providers": {},
        "jwt_identity_providers": {},
        "oauth_clients": {},
        "users": {},
        "admins": {},
        "groups": {},
        "spaces": {},
        "data_connections": {},
        "data_files": {},
        "apps": {},
        "reload_tasks": {},
        "automations": {},
    }
    assert customer.protected


def test_the_smallest_entry_has_every_default(folder: Folder) -> None:
    (folder.path / "one.pem").write_text(public_pem())
    customer = folder.write(
        """
        groups: {Analysts: {}}
        users: {Ada: {subject: a1}}
        admins: {Support: {email: s@x.com}}
        spaces: {Staging: {type: shared}}
        apps: {Sales: {template_id: 1a2b, version: "1", staging: Staging}}
        group_settings: {}
        license_settings: {}
        web_integrations: {Portal: {origins: [https://portal.example]}}
        jwt_identity_providers: {signer: {issuer: us, kid: one, pem_file: one.pem}}
        """
    ).customer()
    assert customer.group_settings is not None
    assert set(customer.group_settings.model_dump().values()) == {None}
    assert customer.license_settings is not None
    assert set(customer.license_settings.model_dump().values()) == {None}
    common = {"renamed_from": None, "adopt": False}
    assert customer.groups["Analysts"].model_dump() == {
        "name": "Analysts", "description": None, "provider_type": "idp", "roles": [], **common
    }  # fmt: skip
    assert customer.spaces["Staging"].model_dump() == {
        "name": "Staging", "type": "shared", "description": None, "access": {}, "user_access": {},
        "bot_access": {}, "owner": None, "protect": None, **common
    }  # fmt: skip
    assert customer.apps["Sales"].model_dump() == {
        "name": "Sales", "template": None, "template_id": "1a2b", "version": "1", "staging": "Staging",
        "publish_to": [], "data": True, "join_template_space": False, "description": None, "protect": None,
        "script": None, "replace": None, "reload": None, "expect": None, **common,
    }  # fmt: skip
    assert customer.users["Ada"].model_dump() == {
        "subject": "a1", "name": None, "email": None, "roles": None, "status": "active", "renamed_from": None
    }  # fmt: skip
    assert customer.admins["Support"].model_dump() == {
        "email": "s@x.com", "subject": None, "renamed_from": None
    }  # fmt: skip
    assert customer.web_integrations["Portal"].model_dump() == {
        "name": "Portal", "origins": ["https://portal.example"], **common
    }  # fmt: skip
    assert customer.jwt_identity_providers["signer"].model_dump() == {
        "issuer": "us", "kid": "one", "pem": public_pem(), "pem_file": "one.pem", "description": None,
        "clock_tolerance_seconds": 5, **common,
    }  # fmt: skip


@pytest.mark.parametrize(
    ("customer", "protected"),
    [
        ("", True),
        ("protect: false", False),
        ('lifecycle: {kind: trial, ends_on: "2026-12-31"}', False),
        ('lifecycle: {kind: trial, ends_on: "2026-12-31"}\nprotect: true', True),
    ],
)
def test_a_production_customer_is_protected_by_default(
    folder: Folder, customer: str, protected: bool
) -> None:
    assert folder.write(customer).customer().protected is protected


@pytest.mark.parametrize("text", ['"2026-12-31"', "2026-12-31", '"2026-12-31 00:00:00 +0000 UTC"'])
def test_a_date_is_read_with_and_without_quotes_and_as_rewritten_by_the_engine(
    folder: Folder, text: str
) -> None:
    customer = folder.write(f"lifecycle: {{kind: trial, ends_on: {text}}}").customer()
    assert customer.lifecycle.ends_on == date(2026, 12, 31)


@pytest.mark.parametrize("days", [10, 90, 30.0])
def test_a_whole_number_can_be_a_float(folder: Folder, days: float) -> None:
    customer = {"name": "Globex", "lifecycle": {"grace_days": days}}
    settings = tenantry.settings.load(
        {**CONFIG, "tenantry:customer": customer}, stack="globex", directory=folder.path
    )
    assert settings.customer.lifecycle.grace_days == days
    assert type(settings.customer.lifecycle.grace_days) is int


@pytest.mark.parametrize("alias", ["abc", "globex-analytics-2", "a" * 63, "7up"])
def test_a_valid_alias_is_accepted(folder: Folder, alias: str) -> None:
    assert folder.write(f"alias: {alias}").load().alias_hostname == f"{alias}.eu.qlikcloud.com"


@pytest.mark.parametrize("version", ["2.3.0", "7", "2024-06", "1.0.0-rc.1+build5", "R2"])
def test_a_valid_version_is_accepted(folder: Folder, version: str) -> None:
    app = f"{{template: T, version: '{version}', staging: S}}"
    customer = folder.write(f"spaces: {{S: {{type: shared}}}}\napps: {{A: {app}}}").customer()
    assert customer.apps["A"].version == version


def test_a_new_region_of_qlik_is_accepted(folder: Folder) -> None:
    assert folder.write(head=HEAD.replace(": eu", ": ca").replace(".eu.", ".ca.")).load().region == "ca"


def test_the_printed_revive_line_is_accepted(folder: Folder) -> None:
    """A destroy or an error prints this line."""
    line = revive_line("x1y2.eu.qlikcloud.com", "T1")
    revive = folder.write(line).customer().revive
    assert revive is not None
    assert revive.model_dump() == {"hostname": "x1y2.eu.qlikcloud.com", "tenant_id": "T1"}
    assert folder.write("revive: null").customer().revive is None


def test_settings_cannot_be_changed(folder: Folder) -> None:
    settings = folder.write().load()
    with pytest.raises(ValidationError, match="frozen"):
        settings.region = "us"
    with pytest.raises(ValidationError, match="frozen"):
        settings.customer.name = "Other"


def test_the_order_of_lines_never_matters(folder: Folder) -> None:
    document = read(FILES / "Pulumi.globex.yaml").value
    plan = (FILES / "plans" / "standard.yaml").read_text("utf-8")
    (folder.path / "plans" / "standard.yaml").write_text(
        yaml.safe_dump(_shuffled(yaml.safe_load(plan))), "utf-8"
    )
    folder.stack_file.write_text(yaml.safe_dump(_shuffled(document), sort_keys=False), "utf-8")
    assert folder.load() == tenantry.settings.load_file(FILES / "Pulumi.globex.yaml")


def _shuffled(value: Any) -> Any:
    if not isinstance(value, dict):
        return value
    keys = list(value)
    random.Random(7).shuffle(keys)
    return {key: _shuffled(value[key]) for key in keys}


class TestFileAndEngine:
    """The values come from the engine. The file supplies only the line numbers."""

    def load(self, folder: Folder, config: dict[str, Any]) -> str:
        with pytest.raises(tenantry.settings.SettingsError) as caught:
            tenantry.settings.load(config, stack="globex", directory=folder.path)
        return str(caught.value).splitlines()[1]

    def test_file_and_engine_give_the_same_settings(self) -> None:
        path = FILES / "Pulumi.globex.yaml"
        config = read(path).value["config"]
        assert tenantry.settings.load(config, stack="globex", directory=FILES) == tenantry.settings.load_file(
            path
        )

    def test_without_a_file_there_are_no_line_numbers(self, folder: Folder) -> None:
        bad = {**CONFIG, "tenantry:customer": {"name": "Globex", "alias": "ab"}}
        expected = 'stacks/Pulumi.globex.yaml: customer.alias: "ab" has 2 characters; an alias has 3 to 63'
        assert self.load(folder, bad) == expected

    def test_with_a_file_there_are_line_numbers(self, folder: Folder) -> None:
        bad = {**CONFIG, "tenantry:customer": {"name": "Globex", "alias": "ab"}}
        folder.write("alias: ab")
        expected = 'stacks/Pulumi.globex.yaml:6: customer.alias: "ab" has 2 characters; an alias has 3 to 63'
        assert self.load(folder, bad) == expected

    def test_a_file_with_another_value_gives_no_line_number(self, folder: Folder) -> None:
        bad = {**CONFIG, "tenantry:customer": {"name": "Globex", "alias": "ab"}}
        folder.write("alias: globex")
        assert self.load(folder, bad).startswith("stacks/Pulumi.globex.yaml: customer.alias: ")

    def test_a_file_that_is_not_yaml_gives_no_line_numbers(self, folder: Folder) -> None:
        bad = {**CONFIG, "tenantry:customer": {"name": "Globex", "alias": "ab"}}
        folder.stack_file.write_text("config: [", "utf-8")
        assert self.load(folder, bad).startswith("stacks/Pulumi.globex.yaml: customer.alias: ")

    def test_the_advice_for_a_number_considers_that_it_may_have_lost_zeros(self, folder: Folder) -> None:
        app = {"template": "T", "staging": "S", "version": 2.1}
        customer = {"name": "Globex", "spaces": {"S": {"type": "shared"}}, "apps": {"A": app}}
        message = self.load(folder, {**CONFIG, "tenantry:customer": customer})
        assert message == (
            "stacks/Pulumi.globex.yaml: customer.apps.A.version: "
            "YAML reads 2.1 as a number; put it in quotes: "
            'version: "2.1"; if Pulumi rewrote the file, quote the original instead, such as 2.10'
        )

    def test_an_empty_value_from_the_engine_counts_as_missing(self, folder: Folder) -> None:
        message = self.load(folder, {**CONFIG, "qlik:region": ""})
        assert message == "stacks/Pulumi.globex.yaml: qlik:region: is missing; for example qlik:region: eu"

    def test_other_keys_of_the_configuration_are_ignored(self, folder: Folder) -> None:
        head = "  tenantry:secrets_database: {secure: v1:abc}\n  aws:region: eu-west-1\n"
        folder.write(head=HEAD.replace("  qlik:region", head + "  qlik:region"))
        assert folder.load().customer.name == "Globex"

    def test_neither_the_values_nor_the_file_are_changed(self, folder: Folder) -> None:
        folder.write("plan: team\ngroups: {Viewers: null}", team="groups: {Viewers: {}}\n")
        config = read(folder.stack_file).value["config"]
        before, text = repr(config), folder.stack_file.read_text()
        tenantry.settings.load(config, stack="globex", directory=folder.path)
        assert (repr(config), folder.stack_file.read_text()) == (before, text)


class TestProject:
    """Shared values in Pulumi.yaml, which have the same priority as in the engine."""

    def write(self, folder: Folder, text: str) -> None:
        (folder.path.parent / "Pulumi.yaml").write_text(f"name: tenantry\nruntime: python\n{text}", "utf-8")

    def test_shared_values_are_read(self, folder: Folder) -> None:
        self.write(folder, "config:\n  qlik:region: {value: eu}\n  qlik:source_tenant: t.eu.qlikcloud.com\n")
        folder.write(head="config:\n  tenantry:customer:\n    name: Globex\n")
        settings = folder.load()
        assert (settings.region, settings.source_tenant) == ("eu", "t.eu.qlikcloud.com")

    def test_a_value_of_the_stack_replaces_the_shared_value(self, folder: Folder) -> None:
        self.write(folder, "config:\n  qlik:region: us\n  customer: {value: {name: Shared, alias: shared}}\n")
        folder.write()
        assert folder.load().region == "eu"
        assert folder.customer().alias is None

    def test_a_key_without_a_namespace_belongs_to_the_project(self, folder: Folder) -> None:
        self.write(folder, "config:\n  customer: {default: {name: Shared}}\n")
        head = "config:\n  qlik:region: eu\n  qlik:source_tenant: t.eu.qlikcloud.com\n"
        assert folder.write(head=head).customer().name == "Shared"
        assert folder.write(head=head + "  customer: {name: Own}\n").customer().name == "Own"

    def test_the_project_names_the_folder_of_stack_files(self, folder: Folder) -> None:
        self.write(folder, "stackConfigDir: stacks\n")
        project = Project.of(folder.stack_file)
        assert project
        assert (project.name, project.stacks) == ("tenantry", folder.path)
        self.write(folder, "")
        project = Project.at(folder.path.parent)
        assert project
        assert project.stacks == folder.path.parent

    def test_a_folder_without_pulumi_yaml_has_no_project(self, folder: Folder) -> None:
        assert Project.at(folder.path) is None
