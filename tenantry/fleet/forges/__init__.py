"""What a run says where people work: one comment on a pull request or merge request, and one open issue.

Each is found again by the marker that it starts with, an HTML comment, and is kept up to date: there is never
a second one. What somebody else wrote is left alone, also where it starts with the marker.
"""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from typing import NoReturn, Protocol

from tenantry.fleet.forges.api import ForgeError, NoForge
from tenantry.fleet.forges.keeping import GitHub, GitLab

__all__ = ["Forge", "ForgeError", "GitHub", "GitLab", "NoForge", "from_environment", "hidden"]


class Forge(Protocol):
    """GitHub or GitLab. Every method raises ForgeError."""

    def comment(self, number: int, marker: str, text: str) -> str:
        """Write the comment with this marker on a pull request, or change it. Return its URL."""
        ...

    def issue(self, marker: str, title: str, text: str | None) -> str:
        """Open the issue with this marker, or change it; None closes it. Return its URL, if there is one."""
        ...


def hidden(name: str) -> str:
    """Return the marker with a name: an HTML comment, which nobody sees."""
    return f"<!-- {re.sub(r'[-<>]{2,}|[<>]', '-', ' '.join(name.split()))} -->"


def from_environment(environment: Mapping[str, str] | None = None) -> Forge:
    """Return the forge that this job of GitHub Actions or GitLab CI runs at. Raises ForgeError."""
    env = os.environ if environment is None else environment
    if repository := env.get("GITHUB_REPOSITORY"):
        url = env.get("GITHUB_API_URL") or "https://api.github.com"
        if token := env.get("GITHUB_TOKEN"):
            return GitHub(url, repository, token)
        _missing("GITHUB_TOKEN", "in a workflow, `env: {GITHUB_TOKEN: ${{ github.token }}}`")
    api, project = env.get("CI_API_V4_URL"), env.get("CI_PROJECT_ID")
    if api and project:
        if token := env.get("GITLAB_TOKEN"):
            return GitLab(api, project, token)
        if token := env.get("CI_JOB_TOKEN"):
            return GitLab(api, project, token, header="JOB-TOKEN")
        _missing("GITLAB_TOKEN", "a project access token with the scope `api`")
    raise NoForge(
        "There is neither GitHub nor GitLab to write to: set GITHUB_REPOSITORY and GITHUB_TOKEN, or "
        "CI_API_V4_URL, CI_PROJECT_ID and GITLAB_TOKEN."
    )


def _missing(name: str, what: str) -> NoReturn:
    raise NoForge(f"{name} is not set, without which nothing can be written: set it to {what}.")
