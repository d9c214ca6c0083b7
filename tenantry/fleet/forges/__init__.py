"""Posts about the result of a run: one comment on a pull request or merge request, and one open issue.

Both start with a marker, an HTML comment, by which a later run finds and updates them. So there is never a
second one. Posts of other people are never changed, even if they start with the marker.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import NoReturn, Protocol

from tenantry.fleet.forges.api import ForgeError, NoForge
from tenantry.fleet.forges.marked_comments import GitHub, GitLab

__all__ = ["Forge", "ForgeError", "GitHub", "GitLab", "NoForge", "from_environment", "marker_for"]


class Forge(Protocol):
    """GitHub or GitLab. Every method can raise ForgeError."""

    def comment(self, number: int, marker: str, text: str) -> str:
        """Create or update the comment with this marker on a pull request. Return its URL."""
        ...

    def issue(self, marker: str, title: str, text: str | None) -> str:
        """Create or update the issue with this marker. A `text` of None closes it.

        Return its URL; empty if there was no issue to close.
        """
        ...


def marker_for(name: str) -> str:
    """Return the marker for a name. It is an HTML comment, so readers do not see it."""
    return f"<!-- {re.sub(r'[-<>]{2,}|[<>]', '-', ' '.join(name.split()))} -->"


def from_environment(environment: Mapping[str, str] | None = None) -> Forge:
    """Return the forge of this GitHub Actions or GitLab CI job. Raises ForgeError."""
    env = os.environ if environment is None else environment
    if repository := env.get("GITHUB_REPOSITORY"):
        url = env.get("GITHUB_API_URL") or "https://api.github.com"
        if token := env.get("GITHUB_TOKEN"):
            return GitHub(url, repository, token)
        _missing("GITHUB_TOKEN", "the token of the workflow, `env: {GITHUB_TOKEN: ${{ github.token }}}`")
    api, project = env.get("CI_API_V4_URL"), env.get("CI_PROJECT_ID")
    if api and project:
        if token := env.get("GITLAB_TOKEN"):
            return GitLab(api, project, token)
        if token := env.get("CI_JOB_TOKEN"):
            return GitLab(api, project, token, header="JOB-TOKEN")
        _missing("GITLAB_TOKEN", "a project access token with the scope `api`")
    raise NoForge(
        "The environment names neither GitHub nor GitLab. For GitHub, set GITHUB_REPOSITORY and "
        "GITHUB_TOKEN. For GitLab, set CI_API_V4_URL, CI_PROJECT_ID and GITLAB_TOKEN."
    )


def _missing(name: str, value: str) -> NoReturn:
    raise NoForge(f"{name} is required. Set it to {value}.")
