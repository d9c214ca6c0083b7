"""The resources themselves: a Stack for each customer, and what all of them share.

What the operator does with them is told in docs/kubernetes.md.
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

HEAD = "# Written by `tenantry operator-manifests`. Do not edit: it is written anew.\n"
KUSTOMIZATION = "kustomization.yaml"
RBAC = "rbac.yaml"

DELEGATOR = "system:auth-delegator"
"""The role with which a workspace pod asks the API server whether it is the operator that calls it."""


@dataclass(frozen=True)
class Source:
    """Where the operator gets the project: a git repository, a commit of it or a branch, and the folder of
    Pulumi.yaml in it. `secret` names the Secret with the credentials for git; empty if it takes none.
    """

    repository: str
    commit: str = ""
    branch: str = ""
    folder: str = ""
    secret: str = ""


@dataclass(frozen=True)
class Setup:
    """What all stacks have in common. `secret` names the Secret with the values of the variables `secrets`;
    `values` are variables that are not secrets. `overlay` is merged into the spec of each Stack.
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
    def own_image(self) -> bool:
        """Whether the pods run another image than the operator's own."""
        spec = (self.overlay.get("workspaceTemplate") or {}).get("spec") or {}
        return bool(self.image or spec.get("image"))


def manifests(members: Sequence[Member], project: str, setup: Setup) -> dict[str, str]:
    """Return the text of each file by its path in the folder, the same for the same input.

    The rings are in their order, and a Stack waits for all those of the ring before its own. A customer whose
    file does not tell its ring is of the first. Raises ManifestsRefused for names that cannot be told apart,
    and where it is not clear which commit is meant.
    """
    names = labels(member.stack for member in members)
    common = merged(_common(setup), setup.overlay)
    if common.get("projectRepo") and bool(common.get("commit")) == bool(common.get("branch")):
        raise ManifestsRefused("a repository takes either a commit or a branch")
    files = {RBAC: _text(*_rbac(setup))}
    before: list[str] = []
    for number, ring in enumerate(split_into_waves(members, BY_RING)):
        for member in ring.members:
            name = names[member.stack]
            qualified = (
                f"{setup.organization}/{project}/{member.stack}" if setup.organization else member.stack
            )
            spec = {"stack": qualified, **common}
            if before:
                spec["prerequisites"] = [{"name": name} for name in before]
            metadata = _metadata(member, name, number, setup.namespace)
            files[f"stacks/{name}.yaml"] = _text(
                {"apiVersion": "pulumi.com/v1", "kind": "Stack", "metadata": metadata, "spec": spec}
            )
        before = [names[member.stack] for member in ring.members] or before
    return {KUSTOMIZATION: _text(_kustomization(list(files))), **files}


def _text(*resources: Mapping[str, Any]) -> str:
    # Wide enough that nothing is folded: a changed word is one changed line.
    texts = (
        yaml.dump(resource, Dumper=Dumper, sort_keys=False, allow_unicode=True, width=10_000)
        for resource in resources
    )
    return HEAD + "---\n".join(texts)


def _kustomization(files: Sequence[str]) -> dict[str, Any]:
    # In the order of rings: a Stack that is applied before the ring it waits for would not wait.
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
        # Such a binding is of the whole cluster, so its name says whose it is.
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
            # Argo CD applies the rings one after the other, too.
            "argocd.argoproj.io/sync-wave": str(ring),
        },
    }


def _common(setup: Setup) -> dict[str, Any]:
    return {
        **_source(setup.source),
        **_given(backend=setup.backend, secretsProvider=setup.secrets_provider),
        "envRefs": dict(sorted({**_secrets(setup), **_values(setup)}.items())),
        "serviceAccountName": setup.service_account,
        # A manifest that is taken away, by mistake or with its stack file, takes no tenant down.
        "destroyOnFinalize": False,
        "refresh": setup.refresh,
        "continueResyncOnCommitMatch": setup.resync,
        "resyncFrequencySeconds": setup.seconds,
        # A pod that waits for its next run would keep its memory; a new one costs its installation.
        "workspaceReclaimPolicy": "Delete",
        "workspaceTemplate": {
            "spec": {
                **_given(image=setup.image),
                "resources": {"requests": {"cpu": "100m", "memory": "512Mi"}, "limits": {"memory": "1Gi"}},
            }
        },
    }


def _source(source: Source) -> dict[str, Any]:
    said = {
        "projectRepo": source.repository,
        **_given(commit=source.commit, branch=source.branch, repoDir=source.folder),
    }
    if not source.secret:
        return said
    if source.repository.startswith(("http://", "https://")):
        return said | {"gitAuth": {"accessToken": _from_secret(source.secret, "accessToken")}}
    return said | {"gitAuth": {"sshAuth": {"sshPrivateKey": _from_secret(source.secret, "sshPrivateKey")}}}


def _secrets(setup: Setup) -> dict[str, Any]:
    return {name: _from_secret(setup.secret, name) for name in setup.secrets}


def _values(setup: Setup) -> dict[str, Any]:
    return {name: {"type": "Literal", "literal": {"value": value}} for name, value in setup.values.items()}


def _from_secret(secret: str, key: str) -> dict[str, Any]:
    # Without a namespace it is that of the Stack, the only one from which the operator reads secrets.
    return {"type": "Secret", "secret": {"name": secret, "key": key}}


def _given(**fields: str) -> dict[str, str]:
    return {name: value for name, value in fields.items() if value}
