"""GitHub and GitLab: entries are looked for by their marker, made or changed, and never there twice."""

from __future__ import annotations

from functools import cached_property
from urllib.parse import quote

from tenantry.fleet.forges.api import Api, Endpoint, Entry, ForgeError

CUT_NOTE = "\n\n… the rest does not fit here.\n"


class MarkedForge:
    """What GitHub and GitLab have in common: entries are looked for first, and again after one was made."""

    limit: int

    def __init__(self, api: Api) -> None:
        self._api = api

    @cached_property
    def _me(self) -> str:
        """The login of the token, or nothing where the token may not ask for it."""
        try:
            user = self._api.send(Endpoint("Asking who the token is of", ""), "GET", "/user")
        except ForgeError as error:
            if error.status in (401, 403, 404):
                return ""
            raise
        known = user if isinstance(user, dict) else {}  # whatever an address that is none of a forge answers
        return str(known.get("login") or known.get("username") or "")

    def _is_ours(self, entry: Entry) -> bool:
        raise NotImplementedError

    def _find(self, place: Endpoint, marker: str) -> list[Entry]:
        """Return what is ours and starts with the marker, the oldest first."""
        marked = (
            entry for entry in self._api.pages(place) if (entry.get(place.text) or "").startswith(marker)
        )
        return sorted(filter(self._is_ours, marked), key=lambda entry: int(entry["id"]))

    def _keep(self, place: Endpoint, marker: str, text: str, **more: str) -> str:
        """Make an entry or change the one there is. Of those that two runs made at once, the first stays."""
        text = text if text.startswith(marker) else f"{marker}\n{text}"
        text = text if len(text) <= self.limit else text[: self.limit - len(CUT_NOTE)] + CUT_NOTE
        wanted = {**more, place.text: text}
        found = self._find(place, marker)
        if not found:
            made = self._api.send(place, "POST", place.every, wanted)
            found = self._find(place, marker) or [made]
        first, *others = found
        for entry in others:
            self._remove(place, entry)
        if any(not _same(first.get(name) or "", value) for name, value in wanted.items()):
            first = self._api.send(place, place.change, place.path(first), wanted)
        return _url(first)

    def _remove(self, place: Endpoint, entry: Entry) -> None:
        method = place.change if place.closing else "DELETE"
        try:
            self._api.send(place, method, place.path(entry), place.closing)
        except ForgeError as error:
            if error.status not in (404, 410):  # else another run was faster
                raise

    def _keep_issue(self, place: Endpoint, marker: str, title: str, text: str | None) -> str:
        if text is not None:
            return self._keep(place, marker, text, title=title)
        found = self._find(place, marker)
        for entry in found:
            self._remove(place, entry)
        return _url(found[0]) if found else ""


def _same(one: str, other: str) -> bool:
    return one.replace("\r\n", "\n").rstrip() == other.rstrip()


def _url(entry: Entry) -> str:
    return str(entry.get("html_url") or entry.get("web_url") or "")


class GitHub(MarkedForge):
    """A repository ("owner/name") at GitHub or at a GitHub Enterprise Server."""

    limit = 65_536

    def __init__(self, url: str, repository: str, token: str) -> None:
        super().__init__(Api(url.rstrip("/"), "Authorization", token))
        self._repository = repository
        self._path = f"/repos/{quote(repository)}/issues"

    def comment(self, number: int, marker: str, text: str) -> str:
        """Write the comment with this marker on a pull request, or change it. Return its URL."""
        place = Endpoint(
            what=f"Commenting on pull request {number} of {self._repository}",
            every=f"{self._path}/{number}/comments",
            one=f"{self._path}/comments",
            advice=self._advice("pull-requests", f"pull request {number}"),
        )
        return self._keep(place, marker, text)

    def issue(self, marker: str, title: str, text: str | None) -> str:
        """Open the issue with this marker, or change it; None closes it. Return its URL, if there is one."""
        place = Endpoint(
            what=f"Keeping an issue of {self._repository}",
            every=self._path,
            one=self._path,
            query="&state=open&sort=created&direction=asc",
            key="number",
            closing={"state": "closed"},
            advice=self._advice("issues", "repository"),
        )
        return self._keep_issue(place, marker, title, text)

    def _is_ours(self, entry: Entry) -> bool:
        """The token of a workflow may not ask who it is: it is of a bot, which nobody can write as."""
        user = entry.get("user") or {}
        ours = user.get("login") == self._me if self._me else user.get("type") == "Bot"
        return ours and "pull_request" not in entry

    def _advice(self, permission: str, what: str) -> Entry:
        return {
            "401": "Is GITHUB_TOKEN right, and not expired?",
            "403": f"The workflow needs `permissions: {permission}: write`, which it does not get for a pull "
            "request from a fork.",
            "404": f"Is there such a {what} in {self._repository}, and may the token see it?",
            "410": "Are issues switched off in the repository?",
        }


class GitLab(MarkedForge):
    """A project (its id) at GitLab. `header` is the one for the sort of token."""

    limit = 1_000_000

    def __init__(self, url: str, project: str, token: str, *, header: str = "PRIVATE-TOKEN") -> None:
        super().__init__(Api(url.rstrip("/"), header, token))
        self._project = project
        self._path = f"/projects/{quote(project, safe='')}"

    def comment(self, number: int, marker: str, text: str) -> str:
        """Write the note with this marker on a merge request, or change it. Return its URL, if it has one."""
        notes = f"{self._path}/merge_requests/{number}/notes"
        place = Endpoint(
            what=f"Commenting on merge request {number} of project {self._project}",
            every=notes,
            one=notes,
            query="&sort=asc&order_by=created_at",
            change="PUT",
            advice=self._advice(f"merge request {number}"),
        )
        return self._keep(place, marker, text)

    def issue(self, marker: str, title: str, text: str | None) -> str:
        """Open the issue with this marker, or change it; None closes it. Return its URL, if there is one."""
        place = Endpoint(
            what=f"Keeping an issue of project {self._project}",
            every=f"{self._path}/issues",
            one=f"{self._path}/issues",
            query="&state=opened&scope=all&sort=asc&order_by=created_at",
            key="iid",
            text="description",
            change="PUT",
            closing={"state_event": "close"},
            advice=self._advice("project"),
        )
        return self._keep_issue(place, marker, title, text)

    def _is_ours(self, entry: Entry) -> bool:
        author = (entry.get("author") or {}).get("username")
        return not entry.get("system") and self._me in ("", author)

    def _advice(self, what: str) -> Entry:
        needed = "GITLAB_TOKEN has to be a project access token with the role Reporter and the scope `api`"
        return {
            "401": f"{needed}; a job token may not write here."
            if self._api.header == "JOB-TOKEN"
            else f"{needed}.",
            "403": f"{needed}.",
            "404": f"Is there such a {what}, and may the token see it? {needed}.",
        }
