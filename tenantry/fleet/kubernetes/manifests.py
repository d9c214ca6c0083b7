"""The manifests: a Stack for each customer, and the resources that all Stacks share.

docs/kubernetes.md describes what the operator does with them.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import yaml

from tenantry.fleet.kubernetes.names import ManifestsRefused, labels
from tenantry.fleet.kubernetes.overlay import merged
from tenantry.fleet.members import RINGS, Member
from tenantry.fleet.waves import BY_RING, split_into_waves
from tenantry.settings.writing import Dumper

HEAD = "# Written by `tenantry operator-manifests`. Do not edit: the command overwrites it.\n"
KUSTOMIZATION = "kustomization.yaml"
RBAC = "rbac.yaml"

DELEGATOR = "system:auth-delegator"
"""The role that lets a workspace pod check with the API server whether the operator is calling."""


@dataclass(frozen=True)
class Source:
    """The source of the project for the operator.

    It is a git repository, its commit or branch, and the folder of Pulumi.yaml. `secret` is the name of the
    Secret with the git credentials, or empty if git needs none.
    """

    repository: str
    commit: str = ""
    branch: str = ""
    folder: str = ""
    secret: str = ""


@dataclass(frozen=True)
class Setup:
    """The settings that all stacks share.

    `secrets` are the names of secret variables. The Secret named `secret` has their values. `values` are the
    other variables. `overlay` is merged into the spec of each Stack.
    """

    source: Source
    namespace: str
    service_account: str
    secret: str
    secrets: Sequence[str]
    values: Mapping[str, str] = field(default_factory=dict)
    organization: str = ""
    backend: str = ""
    secrets_provider: str = ""
    image: str = ""
    refresh: bool = False
    resync: bool = False
    seconds: int = 3600
    overlay: Mapping[str, Any] = field(default_factory=dict)

    @property
    def has_own_image(self) -> bool:
        """Whether the pods run another image than the default image of the operator."""
        spec = (self.overlay.get("workspaceTemplate") or {}).get("spec") or {}
        return bool(self.image or spec.get("image"))


def manifests(members: Sequence[Member], project: str, setup: Setup) -> dict[str, str]:
    """Return the text of each file by its path in the folder. The result depends on the input only.

    The files are in the order of the rings. A Stack waits for all Stacks of the previous ring. A customer
    whose ring is unknown is in the first ring. Raises ManifestsRefused for names that collide, or
    if it is unclear which commit to use.
    """
    names = labels(member.stack for member in members)
    common = merged(_common(setup), setup.overlay)
    if common.get("projectRepo") and bool(common.get("commit")) == bool(common.get("branch")):
        raise ManifestsRefused("set either the commit or the branch of the repository")
    files = {RBAC: _text(*_rbac(setup))}
    previous: list[str] = []
    for number, ring in enumerate(split_into_waves(members, BY_RING)):
        for member in ring.members:
            name = names[member.stack]
            qualified = (
                f"{setup.organization}/{project}/{member.stack}" if setup.organization else member.stack
            )
            spec = {"stack": qualified, **common}
            if previous:
                spec["prerequisites"] = [{"name": name} for name in previous]
            metadata = _metadata(member, name, number, setup.namespace)
            files[f"stacks/{name}.yaml"] = _text(
                {"apiVersion": "pulumi.com/v1", "kind": "Stack", "metadata": metadata, "spec": spec}
            )
        previous = [names[member.stack] for member in ring.members] or previous
    return {KUSTOMIZATION: _text(_kustomization(list(files))), **files}


def _text(*resources: Mapping[str, Any]) -> str:
    # Lines are not folded, so that a changed word changes only one line.
    texts = (
        yaml.dump(resource, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=10_000)
        for resource in resources
    )
    return HEAD + "---\n".join(texts)


def _kustomization(files: Sequence[str]) -> dict[str, Any]:
    # In the order of rings, because a Stack cannot wait for a Stack that does not exist yet.
    return {
        "apiVersion": "kustomize.config.k8s.io/v1beta1",
        "kind": "Kustomization",
        "sortOptions": {"order": "fifo"},
        "resources": list(files),
    }


def _rbac(setup: Setup) -> Iterator[dict[str, Any]]:
    account = {"name": setup.service_account, "namespace": setup.namespace}
    yield {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": account}
    yield {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "ClusterRoleBinding",
        # The binding applies to the whole cluster, so its name includes the namespace.
        "metadata": {"name": f"{setup.namespace}:{setup.service_account}:{DELEGATOR}"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": DELEGATOR},
        "subjects": [{"kind": "ServiceAccount", **account}],
    }


def _metadata(member: Member, name: str, ring: int, namespace: str) -> dict[str, Any]:
    return {
        "name": name,
        "namespace": namespace,
        "labels": {"app.kubernetes.io/managed-by": "tenantry", "tenantry-ring": RINGS[ring]},
        "annotations": {
            "tenantry-stack": member.stack,
            # With this, Argo CD also applies the rings in order.
            "argocd.argoproj.io/sync-wave": str(ring),
        },
    }


def _common(setup: Setup) -> dict[str, Any]:
    return {
        **_source(setup.source),
        **_without_empty(backend=setup.backend, secretsProvider=setup.secrets_provider),
        "envRefs": dict(sorted({**_secrets(setup), **_values(setup)}.items())),
        "serviceAccountName": setup.service_account,
        # The removal of a manifest must not deactivate the tenant.
        "destroyOnFinalize": False,
        "refresh": setup.refresh,
        "continueResyncOnCommitMatch": setup.resync,
        "resyncFrequencySeconds": setup.seconds,
        # A waiting pod would keep its memory. A new pod only has to install the packages again.
        "workspaceReclaimPolicy": "Delete",
        "workspaceTemplate": {
            "spec": {
                **_without_empty(image=setup.image),
                "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
            }
        },
    }


def _source(source: Source) -> dict[str, Any]:
    fields = {
        "projectRepo": source.repository,
        **_without_empty(commit=source.commit, branch=source.branch, repoDir=source.folder),
    }
    if not source.secret:
        return fields
    if source.repository.startswith(("http://", "https://")):
        return fields | {"gitAuth": {"accessToken": _from_secret(source.secret, "accessToken")}}
    return fields | {"gitAuth": {"sshAuth": {"sshPrivateKey": _from_secret(source.secret, "sshPrivateKey")}}}


def _secrets(setup: Setup) -> dict[str, Any]:
    return {name: _from_secret(setup.secret, name) for name in setup.secrets}


def _values(setup: Setup) -> dict[str, Any]:
    return {name: {"type": "Literal", "literal": {"value": value}} for name, value in setup.values.items()}


def _from_secret(secret: str, key: str) -> dict[str, Any]:
    # `namespace` is left out. It defaults to the namespace of the Stack, the only one with secrets that the
    # operator reads.
    return {"type": "Secret", "secret": {"name": secret, "key": key}}


def _without_empty(**fields: str) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value}
