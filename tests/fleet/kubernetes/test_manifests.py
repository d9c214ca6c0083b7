"""Manifests for the operator, compared with golden files and with the operator's published schema."""

from __future__ import annotations

import itertools
import json
import re
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import jsonschema
import pytest
import yaml

from tenantry.fleet.kubernetes.folder import outdated_files, write
from tenantry.fleet.kubernetes.manifests import HEAD, Setup, Source, manifests
from tenantry.fleet.kubernetes.names import LABEL, MAX_NAME_CHARACTERS, ManifestsRefused, label, labels
from tenantry.fleet.kubernetes.overlay import FIELDS, TYPES
from tenantry.fleet.members import Member
from tests.documents import ROOT
from tests.fleet.kubernetes import golden

SCHEMA = ROOT.parent / "shared" / "specs" / "pulumi-operator-stack.json"
"""The schema of the operator, version 2.9. It is not part of the repository."""


def stack_manifest(files: dict[str, str], name: str) -> dict[str, Any]:
    """Return the manifest of a stack by its Kubernetes name."""
    return yaml.safe_load(files[f"stacks/{name}.yaml"])  # type: ignore[no-any-return]


def test_the_manifests_match_the_golden_files() -> None:
    assert outdated_files(golden.FOLDER, golden.files()) == [], (
        "after an intended change, run: python -m tests.fleet.kubernetes.golden"
    )


def test_values_that_look_like_numbers_are_quoted() -> None:
    text = golden.files()["stacks/globex.yaml"]
    assert 'commit: "12e4567890123456789012345678901234567890"' in text
    assert "value: eu-central-1" in text


def test_a_ring_waits_for_the_previous_ring_that_has_customers() -> None:
    files = golden.files()
    broad = label("Acme.EU")
    assert "prerequisites" not in stack_manifest(files, "globex")["spec"]
    assert stack_manifest(files, broad)["spec"]["prerequisites"] == [{"name": "globex"}, {"name": "initech"}]
    order = yaml.safe_load(files["kustomization.yaml"])
    assert order["sortOptions"] == {"order": "fifo"}
    expected = ["rbac.yaml", *(f"stacks/{name}.yaml" for name in ("globex", "initech", broad, "umbrella"))]
    assert order["resources"] == expected


def test_a_customer_with_an_unknown_ring_is_in_the_first_ring() -> None:
    unknown = Member("zeta", Path("x"), ring="broad", unknown=frozenset(("ring",)))
    files = manifests([*golden.MEMBERS, unknown], "tenants", golden.SETUP)
    assert stack_manifest(files, "zeta")["metadata"]["labels"]["tenantry-ring"] == "pilot"
    assert {"name": "zeta"} in stack_manifest(files, "umbrella")["spec"]["prerequisites"]


def test_a_removed_manifest_deletes_no_tenant() -> None:
    assert stack_manifest(golden.files(), "globex")["spec"]["destroyOnFinalize"] is False


def test_a_stack_in_pulumi_cloud_has_its_full_name() -> None:
    files = manifests(golden.MEMBERS, "tenants", replace(golden.SETUP, organization="oem"))
    assert stack_manifest(files, "globex")["spec"]["stack"] == "oem/tenants/globex"
    assert stack_manifest(golden.files(), "globex")["spec"]["stack"] == "globex"


def test_git_over_https_uses_a_token() -> None:
    source = Source("https://git.example/oem/tenants.git", branch="main", secret="git")
    spec = stack_manifest(
        manifests(golden.MEMBERS, "tenants", replace(golden.SETUP, source=source)), "globex"
    )["spec"]
    assert spec["gitAuth"] == {
        "accessToken": {"type": "Secret", "secret": {"name": "git", "key": "accessToken"}}
    }
    assert (spec["branch"], "commit" in spec) == ("main", False)


def test_an_overlay_removes_and_adds_fields() -> None:
    overlay = {
        **dict.fromkeys(("projectRepo", "commit", "repoDir", "gitAuth")),
        "fluxSource": {"sourceRef": {"apiVersion": "v1", "kind": "GitRepository", "name": "tenants"}},
        "workspaceTemplate": {"spec": {"resources": {"limits": {"memory": "2Gi"}}}},
    }
    spec = stack_manifest(
        manifests(golden.MEMBERS, "tenants", replace(golden.SETUP, overlay=overlay)), "globex"
    )["spec"]
    assert not spec.keys() & {"projectRepo", "commit", "repoDir", "gitAuth"}
    resources = spec["workspaceTemplate"]["spec"]["resources"]
    assert resources == {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "2Gi"}}


def test_a_repository_needs_either_a_commit_or_a_branch() -> None:
    for overlay in ({"branch": "main"}, {"commit": None}):
        with pytest.raises(ManifestsRefused, match="either the commit or the branch"):
            manifests(golden.MEMBERS, "tenants", replace(golden.SETUP, overlay=overlay))


STACKS = (
    "acme",
    "Acme",
    "ACME",
    "acme.",
    "acme-",
    "a_cme",
    "a.cme",
    "a-cme",
    "_",
    "__",
    "é",
    "1",
    "x" * 42,
    "x" * 43,
)
"""Names that become equal or empty without the characters that Kubernetes refuses."""


def test_each_stack_has_a_unique_kubernetes_name() -> None:
    derived = {name for name in map(label, STACKS) if name not in STACKS}
    stacks = [*STACKS, *derived, *map(label, derived)]
    names = labels(stacks)
    assert len(set(names.values())) == len(set(stacks))
    assert [
        name for name in names.values() if not LABEL.fullmatch(name) or len(name) > MAX_NAME_CHARACTERS
    ] == []
    assert (label("acme"), label("x" * 42)) == ("acme", "x" * 42)


def test_two_stacks_with_one_kubernetes_name_are_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("tenantry.fleet.kubernetes.names.label", lambda stack: stack.lower())
    with pytest.raises(ManifestsRefused, match="acme and Acme would both be named acme"):
        labels(["acme", "Acme"])


def test_leftover_files_are_deleted_and_foreign_files_stay(tmp_path: Path) -> None:
    files = golden.files()
    assert write(tmp_path, files) == sorted(files)
    (tmp_path / "stacks" / "gone.yaml").write_text(f"{HEAD}x: 1\n")
    (tmp_path / "stacks" / "own.yaml").write_text("x: 1\n")
    (tmp_path / "rbac.yaml").write_text(f"{HEAD}changed: 1\n")
    assert outdated_files(tmp_path, files) == ["rbac.yaml", "stacks/gone.yaml"]
    write(tmp_path, files)
    assert outdated_files(tmp_path, files) == []
    assert not (tmp_path / "stacks" / "gone.yaml").exists()
    assert (tmp_path / "stacks" / "own.yaml").exists()


@pytest.fixture(scope="module")
def schema() -> dict[str, Any]:
    if not SCHEMA.is_file():
        pytest.skip(f"the operator's schema is not here: {SCHEMA}")
    return json.loads(SCHEMA.read_text("utf-8"))["openAPIV3Schema"]  # type: ignore[no-any-return]


def strict(schema: Any) -> Any:
    """Return a schema that refuses unknown fields, as `kubectl` does."""
    if isinstance(schema, list):
        return [strict(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    result = {key: strict(value) for key, value in schema.items()}
    if isinstance(schema.get("properties"), dict) and not schema.get("x-kubernetes-preserve-unknown-fields"):
        result.setdefault("additionalProperties", False)
    return result


OVERLAYS: tuple[dict[str, Any], ...] = ({}, {"preview": True}, {"environment": ["a"], "shallow": True})


@pytest.mark.parametrize("overlay", OVERLAYS)
@pytest.mark.parametrize(
    "setup", [golden.SETUP, replace(golden.SETUP, image="", backend="", organization="oem")]
)
def test_the_manifests_match_the_operators_schema(
    schema: dict[str, Any], setup: Setup, overlay: dict[str, Any]
) -> None:
    spec_schema = strict(schema)["properties"]["spec"]
    for member in golden.MEMBERS:
        manifest = stack_manifest(
            manifests(golden.MEMBERS, "tenants", replace(setup, overlay=overlay)), label(member.stack)
        )
        jsonschema.validate(manifest["spec"], spec_schema)
        assert len(manifest["metadata"]["name"]) <= MAX_NAME_CHARACTERS
    assert re.search(rf"<= {MAX_NAME_CHARACTERS}\b", str(schema["x-kubernetes-validations"]))
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate({**manifest["spec"], "imagee": "x"}, spec_schema)


def differing_fields(known: Any, schema: dict[str, Any], prefix: str = "") -> Iterator[str]:
    """Yield the paths of known overlay fields that the schema lacks or defines with another type."""
    names = {str: "string", bool: "boolean", int: "integer", dict: "object", list: "array"}
    for name, kind in known.items():
        field = schema["properties"].get(name)
        is_nested = isinstance(kind, dict)
        if field is None or field["type"] != ("object" if is_nested else names[kind]):
            yield f"{prefix}{name}"
        elif is_nested:
            yield from differing_fields(kind, field, f"{prefix}{name}.")


def test_an_overlay_may_have_the_fields_of_the_operators_schema(schema: dict[str, Any]) -> None:
    assert list(differing_fields(FIELDS, schema["properties"]["spec"])) == []
    assert list(differing_fields({"refresh": str, "x": str}, schema["properties"]["spec"])) == [
        "refresh",
        "x",
    ]
    kinds = set(itertools.chain.from_iterable(_kinds(FIELDS)))
    assert kinds <= TYPES.keys()


def _kinds(known: Any) -> Iterator[set[Any]]:
    for kind in known.values():
        if isinstance(kind, dict):
            yield from _kinds(kind)
        else:
            yield {kind}
