"""The first and last steps of an import: refusals, and the cleanup after an error."""

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


def with_stack(project: Project, name: str, region: str, source: str) -> None:
    text = f"config:\n  qlik:region: {region}\n  qlik:source_tenant: {source}\n"
    (project.stacks / f"Pulumi.{name}.yaml").write_text(text)


def test_the_source_tenant_is_that_of_the_other_stacks_in_the_region(project: Project) -> None:
    with_stack(project, "a", "eu", "templates.eu.qlikcloud.com")
    with_stack(project, "b", "eu", "templates.eu.qlikcloud.com")
    with_stack(project, "c", "us", "templates.us.qlikcloud.com")
    assert run._source_tenant(project, ImportRequest(HOST)) == "templates.eu.qlikcloud.com"
    assert run._source_tenant(
        project, ImportRequest(HOST, source_tenant="other.eu.qlikcloud.com")
    ).startswith("other")
    of_all = Project("tenantry", project.stacks, {"qlik:source_tenant": "all.eu.qlikcloud.com"})
    assert run._source_tenant(of_all, ImportRequest(HOST)) == "all.eu.qlikcloud.com"


def test_a_source_tenant_that_is_not_clear_is_asked_for(project: Project) -> None:
    with pytest.raises(
        ImportRefused, match=r"no stack in region eu names one\. Name it with --source-tenant"
    ):
        run._source_tenant(project, ImportRequest(HOST))
    with_stack(project, "a", "eu", "one.eu.qlikcloud.com")
    with_stack(project, "b", "eu", "two.eu.qlikcloud.com")
    with pytest.raises(ImportRefused, match="the stacks in region eu name 2 different"):
        run._source_tenant(project, ImportRequest(HOST))


@pytest.mark.parametrize("name", ["a/b", "", "-a", "../x", "ä"])
def test_a_name_that_no_stack_can_have(project: Project, name: str) -> None:
    with pytest.raises(ImportRefused, match="is not a valid stack name"):
        run._check_free(project, name)


class Engine(Backend):
    """A backend in which one command fails."""

    commands: list[str]
    failing: str

    def run(self, *arguments: str, given: str = "") -> str:
        self.commands.append(" ".join(arguments))
        if self.commands[-1].startswith(self.failing):
            raise PulumiFailed(self.failing, "no")
        return "[]"


def engine(folder: Path, failing: str) -> Engine:
    made = Engine(folder)
    object.__setattr__(made, "commands", [])
    object.__setattr__(made, "failing", failing)
    return made


@pytest.mark.parametrize(
    ("failing", "removed"),
    [("stack init", []), ("stack import", ["stack rm acme --force --preserve-config --yes"])],
)
def test_the_last_step_is_taken_back_where_it_fails(tmp_path: Path, failing: str, removed: list[str]) -> None:
    file, backend = tmp_path / "Pulumi.acme.yaml", engine(tmp_path, failing)
    with pytest.raises(PulumiFailed):
        run._put_in_place(backend, "acme", file, "config: {}\n", {"deployment": {}})
    assert not file.exists()
    assert [line for line in backend.commands if line.startswith("stack rm")] == removed


def test_a_file_that_came_meanwhile_is_left_as_it_is(tmp_path: Path) -> None:
    file, backend = tmp_path / "Pulumi.acme.yaml", engine(tmp_path, "nothing")
    file.write_text("somebody's")
    with pytest.raises(FileExistsError):
        run._put_in_place(backend, "acme", file, "config: {}\n", {})
    assert (file.read_text(), backend.commands) == ("somebody's", [])


def test_a_difference_that_is_left_is_an_end() -> None:
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


def filled(live: dict[str, Any], *more: Found) -> dict[str, Any]:
    objects = [Found("Tenant", HOST, {"name": "Acme"}), Found("Space", "s1", live, ("name",)), *more]
    preview = {"steps": [{"newState": TENANT}, {"newState": SPACE}]}
    return state.fill(SKELETON, preview, objects)


def test_resources_get_the_ids_inputs_and_outputs_of_what_was_found() -> None:
    component, tenant, space = filled({"name": "Sales", "owner_id": "u1", "owner": "u1"})["resources"]
    assert component == SKELETON["resources"][0]
    assert tenant["id"] == HOST
    assert space["id"] == "s1"
    assert space["inputs"] == SPACE["inputs"] | {"tenant": HOST}
    assert space["outputs"] == space["inputs"] | {"owner_id": "u1"}, "what is not managed is left out"


def test_what_would_change_or_is_not_certain_is_refused() -> None:
    with pytest.raises(ImportRefused, match=r'would change description of Space "Sales" \(s1\)'):
        filled({"name": "Sales", "description": "other"})
    with pytest.raises(ImportRefused, match="but the tenant has no matching object"):
        filled({"name": "Else"})
    with pytest.raises(ImportRefused, match="but the tenant has 2 matching objects"):
        filled({"name": "Sales"}, Found("Space", "s2", {"name": "Sales"}, ("name",)))


PROOF = {"id": "0123456789abcdef0123456789abcdef", "name": "Acme", "unused": True}


def step(kind: str, name: str, inputs: dict[str, Any], **references: str) -> dict[str, Any]:
    """A resource in a preview: what `references` names is the output of another one, which is not made."""
    path = "urn:pulumi:acme::tenantry::c$pulumi-python:dynamic/qlik"
    known = {each: [f"{path}:{of}"] for each, of in references.items()}
    return {
        "newState": {
            "urn": f"{path}:{kind}::{name}",
            "type": f"pulumi-python:dynamic/qlik:{kind}",
            "inputs": inputs | dict.fromkeys(references, PLACEHOLDER),
            "propertyDependencies": known,
        }
    }


def test_the_proof_goes_along_from_resource_to_resource() -> None:
    """So that the state of an imported tenant is that of one which the stack made, and `up` finds no more to
    do there: the tenant has the proof, and what ends it has the tenant's id.
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
    names = [each["newState"]["urn"].rpartition("::")[2] for each in steps]
    skeleton = [
        {"type": each["newState"]["type"], "name": name, "id": "<PLACEHOLDER>"}
        for each, name in zip(steps, names, strict=True)
    ]
    filled = state.fill({"resources": skeleton}, {"steps": steps}, objects)["resources"]
    proof, tenant, lifecycle, activation = filled
    assert (proof["id"], proof["outputs"]) == (PROOF["id"], {"name": "Acme", "proof": PROOF})
    assert tenant["inputs"] == {"name": "Acme", "proof": PROOF}
    assert tenant["outputs"] == tenant["inputs"] | {"tenant_id": "T1", "hostname": HOST}
    for each, more in (lifecycle, {"kind": "production"}), (activation, {}):
        assert each["id"] == HOST
        assert each["inputs"] == each["outputs"] == {"tenant": HOST, "tenant_id": "T1"} | more


@pytest.mark.parametrize("kind", ["TenantProof", "TenantActivation"])
def test_a_state_without_what_goes_along_is_none(kind: str) -> None:
    """The next `up` would create it, with requests."""
    with pytest.raises(ImportRefused, match=f'declares {kind} "it", but the tenant has no matching object'):
        state.fill({"resources": []}, {"steps": [step(kind, "it", {})]}, [Found("Tenant", HOST, {})])
