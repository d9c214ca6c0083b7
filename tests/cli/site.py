"""A tenant for `tenantry smoke`, and the project in which the command runs."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml
from typer.testing import CliRunner

from tenantry.cli.app import app
from tests import logins
from tests.emulator.api import SOURCE, Api
from tests.world import World

CUSTOMER: dict[str, Any] = {
    "name": "Globex",
    "lifecycle": {"kind": "trial", "ends_on": "2999-12-31"},
    "groups": {
        "Analysts": {"roles": ["AnalyticsAdmin"]},
        "Viewers": {"name": "All viewers"},
        "Data": {},
        "Club": {"provider_type": "custom"},
    },
    "spaces": {
        "Staging": {"type": "shared", "access": {"Analysts": ["producer"]}},
        "Sales": {"type": "managed", "access": {"Analysts": ["consumer"], "Viewers": ["basicconsumer"]}},
        "Board": {"type": "managed", "access": {"Analysts": ["consumer"], "Data": ["dataconsumer"]}},
    },
    "apps": {
        "Overview": {
            "template": "Sales Overview",
            "version": "2.3.0",
            "staging": "Staging",
            "publish_to": ["Sales", "Board"],
        }
    },
}


class Site:
    """A tenant with an identity provider, as `pulumi up` creates it from CUSTOMER, and its project."""

    def __init__(self, tenant: Api, folder: Path) -> None:
        self.tenant, self.folder = tenant, folder
        self.provider = tenant.post("/api/v1/identity-providers", logins.provider())["id"]
        self.groups = {key: self._create_group(key, group) for key, group in CUSTOMER["groups"].items()}
        self.spaces = {key: self._create_space(key, space) for key, space in CUSTOMER["spaces"].items()}
        self.staged_app = self._import_app("Staging")
        self.apps = {space: self._publish(space) for space in ("Sales", "Board")}
        self.key = logins.private_file(folder)

    @property
    def world(self) -> World:
        """The objects of the tenant in the emulator."""
        return World(self.tenant.qlik, self.tenant.host)

    @property
    def outputs(self) -> dict[str, Any]:
        """The outputs of the stack."""
        return {
            "hostname": self.tenant.host,
            "groups": self.groups,
            "spaces": self.spaces,
            "apps": {"Overview": {space: {"id": id, "url": ""} for space, id in self.apps.items()}},
        }

    def smoke(
        self, *groups: str, code: int = 0, key: Path | None = None, clean: bool = True, **options: str
    ) -> str:
        """Run the command and return its output, with single spaces.

        `code` is the expected exit code. `clean` is false if the user of the login remains in the tenant.
        """
        option_words = [word for name, value in options.items() for word in (f"--{name}", value) if word]
        group_words = [word for group in groups for word in ("--group", group)]
        arguments = ["smoke", "globex", "--key", str(key or self.key), *group_words, *option_words]
        result = CliRunner().invoke(app, arguments, catch_exceptions=False)
        assert result.exit_code == code, result.output
        users = [user for user in self.world.every("user") if user["subject"] == "tenantry-smoke"]
        assert bool(users) is not clean
        return " ".join(result.output.split())

    def _create_group(self, key: str, group: dict[str, Any]) -> str:
        body = {"name": group.get("name", key), "providerType": group.get("provider_type", "idp")}
        return self.tenant.post("/api/v1/groups", body)["id"]  # type: ignore[no-any-return]

    def _create_space(self, key: str, space: dict[str, Any]) -> str:
        id: str = self.tenant.post("/api/v1/spaces", {"name": key, "type": space["type"]})["id"]
        for group, roles in space["access"].items():
            body = {"type": "group", "assigneeId": self.groups[group], "roles": roles}
            self.tenant.post(f"/api/v1/spaces/{id}/assignments", body)
        return id

    def _import_app(self, space: str) -> str:
        params = {"spaceId": self.spaces[space], "name": "Overview"}
        app = self.tenant.post("/api/v1/apps/import", data=b"x", params=params, expect=200)
        return app["attributes"]["id"]  # type: ignore[no-any-return]

    def _publish(self, space: str) -> str:
        body = {"spaceId": self.spaces[space]}
        published = self.tenant.post(f"/api/v1/apps/{self.staged_app}/publish", body, expect=200)
        return published["attributes"]["id"]  # type: ignore[no-any-return]

    def load_data(self, script: str, variables: dict[str, str]) -> None:
        """Reload the staged app with a script, and publish it again."""
        self.tenant.post(f"/api/v1/apps/{self.staged_app}/scripts", {"script": script}, expect=200)
        self.tenant.post("/api/v1/reloads", {"appId": self.staged_app, "variables": variables})
        for id in self.apps.values():
            self.tenant.put(f"/api/v1/apps/{self.staged_app}/publish", {"targetId": id})

    def expect(self, **expectations: Any) -> None:
        """Write the expected data of the app into the stack file."""
        apps = {"Overview": CUSTOMER["apps"]["Overview"] | {"expect": expectations}}
        self.write_stack_file(CUSTOMER | {"apps": apps})

    def write_project(self) -> None:
        """Write the project and its stack file into the folder."""
        (self.folder / "stacks").mkdir()
        project = {"name": "tenantry", "runtime": "python", "stackConfigDir": "stacks"}
        (self.folder / "Pulumi.yaml").write_text(yaml.safe_dump(project))
        self.write_stack_file(CUSTOMER)

    def write_stack_file(self, customer: dict[str, Any]) -> None:
        """Write the stack file with the settings of a customer."""
        config = {"qlik:region": "eu", "qlik:source_tenant": SOURCE, "tenantry:customer": customer}
        file = self.folder / "stacks" / "Pulumi.globex.yaml"
        file.write_text(yaml.safe_dump({"config": config}))
