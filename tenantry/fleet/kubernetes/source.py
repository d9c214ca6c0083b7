"""Where the operator gets the project from: the repository around it, as git knows it."""

from __future__ import annotations

from pathlib import Path

from tenantry.fleet.changes import UnknownRef, git
from tenantry.fleet.kubernetes.manifests import Source
from tenantry.fleet.kubernetes.names import ManifestsRefused
from tenantry.state.backend import redacted


def source_of(root: Path, repository: str, commit: str, branch: str, secret: str) -> Source:
    """Return the source of the project in the folder `root`.

    `repository` is the address; empty for that of the remote `origin`. `commit` is anything that git takes
    for a commit, and becomes its hash. Raises ManifestsRefused.
    """
    if bool(commit) == bool(branch):
        raise ManifestsRefused("Which version of the project? Give --commit or --branch.")
    try:
        address = repository or git(root, "remote", "get-url", "origin").strip()
        # Not resolved: a link into the repository would not be found in a clone of it.
        folder = git(root, "rev-parse", "--show-prefix").strip().rstrip("/")
        whole = git(
            root, "rev-parse", "--verify", "--quiet", "--end-of-options", f"{commit or 'HEAD'}^{{commit}}"
        )
    except UnknownRef as error:
        what = f"--commit {commit}" if commit else "--repository"
        raise ManifestsRefused(f"{what}: {error}") from None
    if redacted(address) != address:
        raise ManifestsRefused(
            f"{redacted(address)}: a manifest holds no password or token. Give the address without it as "
            "--repository, and name a Secret with --git-secret."
        )
    return Source(address, whole.strip() if commit else "", branch, folder, secret)
