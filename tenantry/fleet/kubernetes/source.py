"""The source of the project for the operator: the git repository around it."""

from __future__ import annotations

from pathlib import Path

from tenantry.fleet.changes import UnknownRef, git
from tenantry.fleet.kubernetes.manifests import Source
from tenantry.fleet.kubernetes.names import ManifestsRefused
from tenantry.state.backend import redacted


def source_of(root: Path, repository: str, commit: str, branch: str, secret: str) -> Source:
    """Return the source of the project in the folder `root`.

    `repository` is its address, or empty for the remote `origin`. `commit` is any git revision. The result
    has its hash. Raises ManifestsRefused.
    """
    if bool(commit) == bool(branch):
        raise ManifestsRefused("--commit or --branch is required, but not both.")
    try:
        address = repository or git(root, "remote", "get-url", "origin").strip()
        # The path is not resolved, because a clone does not have the target of a link into the repository.
        folder = git(root, "rev-parse", "--show-prefix").strip().rstrip("/")
        full_hash = git(
            root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit or 'HEAD'}^{{commit}}"
        )
    except UnknownRef as error:
        option = f"--commit {commit}" if commit else "--repository"
        raise ManifestsRefused(f"{option}: {error}") from None
    if redacted(address) != address:
        raise ManifestsRefused(
            f"{redacted(address)}: a manifest must not contain a password or token. Pass the address without "
            "it to --repository, and the name of a Secret to --git-secret."
        )
    return Source(address, full_hash.strip() if commit else "", branch, folder, secret)
