"""GitHub and GitLab. An entry is found by its marker, then created or updated, so it never exists twice."""

from __future__ import annotations

from functools import cached_property
from urllib.parse import quote

from tenantry.fleet.forges.api import Api, Endpoint, Entry, ForgeError

CUT_NOTE = "\n\n… the rest does not fit here.\n"


class MarkedForge:
    """The common part of GitHub and GitLab.

    It searches for an entry first, and again after it has created one.
    """

    limit: int

    def __init__(self, api: Api) -> None:
        self._api = api

    @cached_property
    def _login(self) -> str:
        """The login of the token's user, or an empty string if the token cannot read it."""
        try:
            user = self._api.send(Endpoint("Reading the user of the token", ""), "GET", "/user")
        except ForgeError as error:
            if error.status in (401, 403, 404):
                return ""
            raise
        properties = user if isinstance(user, dict) else {}  # another server may respond with anything
        return str(properties.get("login") or properties.get("username") or "")

    def _is_own(self, entry: Entry) -> bool:
        raise NotImplementedError

    def _find(self, endpoint: Endpoint, marker: str) -> list[Entry]:
        """Return the entries of this user that start with the marker, the oldest first."""
        marked = (
            entry
            for entry in self._api.pages(endpoint)
            if (entry.get(endpoint.text) or "").startswith(marker)
        )
        return sorted(filter(self._is_own, marked), key=lambda entry: int(entry["id"]))

    def _create_or_update(self, endpoint: Endpoint, marker: str, text: str, **properties: str) -> str:
        """Create an entry, or update the existing one. If two runs create one each, keep the first."""
        text = text if text.startswith(marker) else f"{marker}\n{text}"
        text = text if len(text) <= self.limit else text[: self.limit - len(CUT_NOTE)] + CUT_NOTE
        body = {**properties, endpoint.text: text}
        entries = self._find(endpoint, marker)
        if not entries:
            created = self._api.send(endpoint, "POST", endpoint.collection_path, body)
            entries = self._find(endpoint, marker) or [created]
        first, *duplicates = entries
        for entry in duplicates:
            self._remove(endpoint, entry)
        if any(not _same(first.get(name) or "", value) for name, value in body.items()):
            first = self._api.send(endpoint, endpoint.change, endpoint.path(first), body)
        return _url(first)

    def _remove(self, endpoint: Endpoint, entry: Entry) -> None:
        method = endpoint.change if endpoint.closing else "DELETE"
        try:
            self._api.send(endpoint, method, endpoint.path(entry), endpoint.closing)
        except ForgeError as error:
            if error.status not in (404, 410):  # another run may have removed it
                raise

    def _update_issue(self, endpoint: Endpoint, marker: str, title: str, text: str | None) -> str:
        if text is not None:
            return self._create_or_update(endpoint, marker, text, title=title)
        entries = self._find(endpoint, marker)
        for entry in entries:
            self._remove(endpoint, entry)
        return _url(entries[0]) if entries else ""


def _same(current: str, desired: str) -> bool:
    return current.replace("\r\n", "\n").rstrip() == desired.rstrip()


def _url(entry: Entry) -> str:
    return str(entry.get("html_url") or entry.get("web_url") or "")


class GitHub(MarkedForge):
    """A repository ("owner/name") on GitHub or a GitHub Enterprise Server."""

    limit = 65_536

    def __init__(self, url: str, repository: str, token: str) -> None:
        super().__init__(Api(url.rstrip("/"), "Authorization", token))
        self._repository = repository
        self._path = f"/repos/{quote(repository)}/issues"

    def comment(self, number: int, marker: str, text: str) -> str:
        """Create or update the comment with this marker on a pull request. Return its URL."""
        endpoint = Endpoint(
            purpose=f"Commenting on pull request {number} of {self._repository}",
            collection_path=f"{self._path}/{number}/comments",
            entry_path=f"{self._path}/comments",
            advice=self._advice("pull-requests", f"pull request {number} of {self._repository}"),
        )
        return self._create_or_update(endpoint, marker, text)

    def issue(self, marker: str, title: str, text: str | None) -> str:
        """Create or update the issue with this marker. A `text` of None closes it. Return its URL, if any."""
        endpoint = Endpoint(
            purpose=f"Updating the issue in {self._repository}",
            collection_path=self._path,
            entry_path=self._path,
            query="&state=open&sort=created&direction=asc",
            key="number",
            closing={"state": "closed"},
            advice=self._advice("issues", f"the repository {self._repository}"),
        )
        return self._update_issue(endpoint, marker, title, text)

    def _is_own(self, entry: Entry) -> bool:
        """Tell whether the entry belongs to the token's user.

        The token of a workflow cannot read its user. Its user is a bot, and only tokens can write as a bot.
        """
        user = entry.get("user") or {}
        belongs_to_user = user.get("login") == self._login if self._login else user.get("type") == "Bot"
        return belongs_to_user and "pull_request" not in entry

    def _advice(self, permission: str, target: str) -> Entry:
        return {
            "401": "Check that GITHUB_TOKEN is correct and not expired.",
            "403": f"The workflow needs `permissions: {permission}: write`. It does not get that for a pull "
            "request from a fork.",
            "404": f"Check that {target} exists, and that the token may see it.",
            "410": "Issues are probably disabled in the repository. Enable them.",
        }


class GitLab(MarkedForge):
    """A project (its id) on GitLab. `header` is the header for this type of token."""

    limit = 1_000_000

    def __init__(self, url: str, project: str, token: str, *, header: str = "PRIVATE-TOKEN") -> None:
        super().__init__(Api(url.rstrip("/"), header, token))
        self._project = project
        self._path = f"/projects/{quote(project, safe='')}"

    def comment(self, number: int, marker: str, text: str) -> str:
        """Create or update the note with this marker on a merge request. Return its URL, if it has one."""
        notes = f"{self._path}/merge_requests/{number}/notes"
        endpoint = Endpoint(
            purpose=f"Commenting on merge request {number} of project {self._project}",
            collection_path=notes,
            entry_path=notes,
            query="&sort=asc&order_by=created_at",
            change="PUT",
            advice=self._advice(f"merge request {number}"),
        )
        return self._create_or_update(endpoint, marker, text)

    def issue(self, marker: str, title: str, text: str | None) -> str:
        """Create or update the issue with this marker. A `text` of None closes it. Return its URL, if any."""
        endpoint = Endpoint(
            purpose=f"Updating the issue in project {self._project}",
            collection_path=f"{self._path}/issues",
            entry_path=f"{self._path}/issues",
            query="&state=opened&scope=all&sort=asc&order_by=created_at",
            key="iid",
            text="description",
            change="PUT",
            closing={"state_event": "close"},
            advice=self._advice(f"the project {self._project}"),
        )
        return self._update_issue(endpoint, marker, title, text)

    def _is_own(self, entry: Entry) -> bool:
        author = (entry.get("author") or {}).get("username")
        return not entry.get("system") and self._login in ("", author)

    def _advice(self, target: str) -> Entry:
        requirement = (
            "GITLAB_TOKEN must be a project access token with the role Reporter and the scope `api`."
        )
        is_job_token = self._api.header == "JOB-TOKEN"
        return {
            "401": f"{requirement} A job token may not write here." if is_job_token else requirement,
            "403": requirement,
            "404": f"Check that {target} exists, and that the token may see it. {requirement}",
        }
