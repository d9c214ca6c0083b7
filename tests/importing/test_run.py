"""The first and last steps of an import, including errors and the cleanup after them."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tenantry.importing import ImportRefused, run, state
from tenantry.importing.findings import Found
from tenantry.importing.run import ImportRequest
from tenantry.pulumi_internals.unknown_values import PLACEHOLDER
from tenantry.settings.project import Project
from tenantry.state.backend import Backend, PulumiFailed

HOST = "acme.eu.qlikcloud.com"


@pytest.fixture
def project(tmp_path: Path) -> Project:
    (tmp_path / "stacks").mkdir()
    return Project("tenantry", tmp_path / "stacks")


def add_stack(project: Project, name: str, region: str, source: str) -> None:
    text = f"config:\n  qlik:region: {region}\n  qlik:source_tenant: {source}\n"
    (project.stacks / f"Pulumi.{name}.yaml").write_text(text)


def test_the_source_tenant_comes_from_the_other_stacks_in_the_region(project: Project) -> None:
    add_stack(project, "a", "eu", "templates.eu.qlikcloud.com")
    add_stack(project, "b", "eu", "templates.eu.qlikcloud.com")
    add_stack(project, "c", "us", "templates.us.qlikcloud.com")
    assert run._source_tenant(project, ImportRequest(HOST)) == "templates.eu.qlikcloud.com"
    assert run._source_tenant(
        project, ImportRequest(HOST, source_tenant="other.eu.qlikcloud.com")
    ).startswith("other")
    with_common_source = Project("tenantry", project.stacks, {"qlik:source_tenant": "all.eu.qlikcloud.com"})
    assert run._source_tenant(with_common_source, ImportRequest(HOST)) == "all.eu.qlikcloud.com"


def test_an_ambiguous_source_tenant_is_an_error(project: Project) -> None:
    with pytest.raises(
        ImportRefused, match=r"no stack in region eu names one\. Name it with --source-tenant"
    ):
        run._source_tenant(project, ImportRequest(HOST))
    add_stack(project, "a", "eu", "one.eu.qlikcloud.com")
    add_stack(project, "b", "eu", "two.eu.qlikcloud.com")
    with pytest.raises(ImportRefused, match="the stacks in region eu name 2 different"):
        run._source_tenant(project, ImportRequest(HOST))


@pytest.mark.parametrize("name", ["a/b", "", "-a", "../x", "ä"])
def test_an_invalid_stack_name_is_refused(project: Project, name: str) -> None:
    with pytest.raises(ImportRefused, match="is not a valid stack name"):
        run._check_free(project, name)


class FailingBackend(Backend):
    """A backend in which one command fails."""

    commands: list[str]
    failing: str

    def run(self, *arguments: str, stdin: str = "") -> str:
        self.commands.append(" ".join(arguments))
        if self.commands[-1].startswith(self.failing):
            raise PulumiFailed(self.failing, "no")
        return "[]"


def failing_backend(folder: Path, failing: str) -> FailingBackend:
    backend = FailingBackend(folder)
    object.__setattr__(backend, "commands", [])
    object.__setattr__(backend, "failing", failing)
    return backend


@pytest.mark.parametrize(
    ("failing", "removed"),
    [("stack init", []), ("stack import", ["stack rm acme --force --preserve-config --yes"])],
)
def test_a_failure_of_the_last_step_is_undone(tmp_path: Path, failing: str, removed: list[str]) -> None:
    file, backend = tmp_path / "Pulumi.acme.yaml", failing_backend(tmp_path, failing)
    with pytest.raises(PulumiFailed):
        run._put_in_place(backend, "acme", file, "config: {}\n", {"deployment": {}})
    assert not file.exists()
    assert [command for command in backend.commands if command.startswith("stack rm")] == removed


def test_a_stack_file_that_appears_meanwhile_is_not_overwritten(tmp_path: Path) -> None:
    file, backend = tmp_path / "Pulumi.acme.yaml", failing_backend(tmp_path, "nothing")
    file.write_text("another file")
    with pytest.raises(FileExistsError):
        run._put_in_place(backend, "acme", file, "config: {}\n", {})
    assert (file.read_text(), backend.commands) == ("another file", [])


def test_a_remaining_difference_is_an_error() -> None:
    steps = [
        {"op": "same", "urn": "urn::a"},
        {"op": "update", "urn": "urn::Sales", "detailedDiff": {"name": {}}},
        {"op": "create", "urn": "urn::New", "detailedDiff": None},
    ]
    with pytest.raises(ImportRefused, match=r"update Sales \(name\); create New \(all\)"):
        run._check_no_difference({"steps": steps})
    run._check_no_difference({"steps": steps[:1]})


SPACE: dict[str, Any] = {
    "urn": "urn:pulumi:acme::tenantry::c$space::Sales",
    "type": "pulumi-python:dynamic/qlik:Space",
    "inputs": {"name": "Sales", "type": "managed", "tenant": PLACEHOLDER, "description": ""},
    "propertyDependencies": {"tenant": ["urn:pulumi:acme::tenantry::c$tenant::tenant"]},
}
TENANT: dict[str, Any] = {
    "urn": "urn:pulumi:acme::tenantry::c$tenant::tenant",
    "type": "pulumi-python:dynamic/qlik:Tenant",
    "inputs": {"name": "Acme"},
}
SKELETON: dict[str, Any] = {
    "resources": [
        {"type": "qlik:index:QlikCustomerTenant", "name": "Sales", "component": True},
        {"type": TENANT["type"], "name": "tenant", "id": "<PLACEHOLDER>"},
        {"type": SPACE["type"], "name": "Sales2", "logicalName": "Sales", "id": "<PLACEHOLDER>"},
    ]
}


def filled_skeleton(live: dict[str, Any], *others: Found) -> dict[str, Any]:
    """Return the import file for a tenant with a space of these properties, and other objects."""
    objects = [Found("Tenant", HOST, {"name": "Acme"}), Found("Space", "s1", live, ("name",)), *others]
    preview = {"steps": [{"newState": TENANT}, {"newState": SPACE}]}
    return state.fill(SKELETON, preview, objects)


def test_resources_get_the_ids_inputs_and_outputs_of_the_found_objects() -> None:
    component, tenant, space = filled_skeleton({"name": "Sales", "owner_id": "u1", "owner": "u1"})[
        "resources"
    ]
    assert component == SKELETON["resources"][0]
    assert tenant["id"] == HOST
    assert space["id"] == "s1"
    assert space["inputs"] == SPACE["inputs"] | {"tenant": HOST}
    assert space["outputs"] == space["inputs"] | {"owner_id": "u1"}, "an unmanaged property is omitted"


def test_an_object_that_would_change_or_is_ambiguous_is_refused() -> None:
    with pytest.raises(ImportRefused, match=r'would change description of Space "Sales" \(s1\)'):
        filled_skeleton({"name": "Sales", "description": "other"})
    with pytest.raises(ImportRefused, match="but the tenant has no matching object"):
        filled_skeleton({"name": "Else"})
    with pytest.raises(ImportRefused, match="but the tenant has 2 matching objects"):
        filled_skeleton({"name": "Sales"}, Found("Space", "s2", {"name": "Sales"}, ("name",)))


PROOF = {"id": "0123456789abcdef0123456789abcdef", "name": "Acme", "unused": True}


def step(kind: str, name: str, inputs: dict[str, Any], **references: str) -> dict[str, Any]:
    """Return a resource in a preview. `references` are inputs with an output of another new resource."""
    path = "urn:pulumi:acme::tenantry::c$pulumi-python:dynamic/qlik"
    dependencies = {name: [f"{path}:{resource}"] for name, resource in references.items()}
    return {
        "newState": {
            "urn": f"{path}:{kind}::{name}",
            "type": f"pulumi-python:dynamic/qlik:{kind}",
            "inputs": inputs | dict.fromkeys(references, PLACEHOLDER),
            "propertyDependencies": dependencies,
        }
    }


def test_references_between_imported_resources_are_resolved() -> None:
    """An imported tenant has the same state as a tenant that the stack created, so `up` has nothing to do.

    The tenant has the proof, and its lifecycle and activation have the tenant's id.
    """
    of_tenant = {"tenant": "Tenant::tenant", "tenant_id": "Tenant::tenant"}
    steps = [
        step("TenantProof", "proof", {"name": "Acme"}),
        step("Tenant", "tenant", {"name": "Acme"}, proof="TenantProof::proof"),
        step("TenantLifecycle", "lifecycle", {"kind": "production"}, **of_tenant),
        step("TenantActivation", "activation", {}, **of_tenant),
    ]
    objects = [
        Found("TenantProof", str(PROOF["id"]), {"proof": PROOF}),
        Found("Tenant", HOST, {"name": "Acme", "tenant_id": "T1", "hostname": HOST}),
        Found("TenantLifecycle", HOST, {"tenant_id": "T1"}),
        Found("TenantActivation", HOST, {"tenant_id": "T1"}),
    ]
    names = [step["newState"]["urn"].rpartition("::")[2] for step in steps]
    skeleton = [
        {"type": step["newState"]["type"], "name": name, "id": "<PLACEHOLDER>"}
        for step, name in zip(steps, names, strict=True)
    ]
    resources = state.fill({"resources": skeleton}, {"steps": steps}, objects)["resources"]
    proof, tenant, lifecycle, activation = resources
    assert (proof["id"], proof["outputs"]) == (PROOF["id"], {"name": "Acme", "proof": PROOF})
    assert tenant["inputs"] == {"name": "Acme", "proof": PROOF}
    assert tenant["outputs"] == tenant["inputs"] | {"tenant_id": "T1", "hostname": HOST}
    for resource, own_inputs in (lifecycle, {"kind": "production"}), (activation, {}):
        assert resource["id"] == HOST
        assert resource["inputs"] == resource["outputs"] == {"tenant": HOST, "tenant_id": "T1"} | own_inputs


@pytest.mark.parametrize("kind", ["TenantProof", "TenantActivation"])
def test_a_missing_proof_or_activation_is_refused(kind: str) -> None:
    """Otherwise, the next `up` would create it."""
    with pytest.raises(ImportRefused, match=f'declares {kind} "it", but the tenant has no matching object'):
        state.fill({"resources": []}, {"steps": [step(kind, "it", {})]}, [Found("Tenant", HOST, {})])
