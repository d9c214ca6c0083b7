"""Comments and issues at GitHub and GitLab. Each exists once, whatever other clients write."""

from __future__ import annotations

import socket
from collections.abc import Iterator
from itertools import islice
from pathlib import Path
from typing import Any

import pytest
import requests

from tenantry.fleet.forges import (
    Forge,
    ForgeError,
    GitHub,
    GitLab,
    NoForge,
    api,
    from_environment,
    marker_for,
)
from tests.fleet.forge_server import TOKEN, Server, serving

MARKER = marker_for("tenantry preview")


@pytest.fixture(autouse=True)
def _no_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "RETRY_PAUSES_SECONDS", (0.0, 0.0))


@pytest.fixture
def server() -> Iterator[Server]:
    with serving() as server:
        yield server


@pytest.fixture(params=["GitHub", "GitLab"])
def forge(request: pytest.FixtureRequest, server: Server) -> Forge:
    if request.param == "GitHub":
        return GitHub(server.url, "acme/customers", TOKEN)
    return GitLab(server.url, "77", TOKEN)


def test_the_marker_cannot_be_closed_early() -> None:
    assert marker_for("tenantry preview") == "<!-- tenantry preview -->"
    assert marker_for("a --> b\n<c>") == "<!-- a - b -c- -->"


def test_a_comment_is_created_once_and_then_updated(server: Server, forge: Forge) -> None:
    url = forge.comment(7, MARKER, "first")
    second_url = forge.comment(7, MARKER, "second")
    [comment] = server.comments
    assert comment["body"] == f"{MARKER}\nsecond"
    assert url == second_url == comment["html_url"]
    assert [request.split()[0] in ("POST", "PATCH", "PUT") for request in server.writes] == [True, True]


def test_an_unchanged_comment_is_not_written_again(server: Server, forge: Forge) -> None:
    forge.comment(7, MARKER, f"{MARKER}\nfirst")
    server.comments[0]["body"] = f"{MARKER}\r\nfirst"
    forge.comment(7, MARKER, "first\n")
    assert len(server.writes) == 1


def test_an_old_comment_is_found_after_many_others(server: Server, forge: Forge) -> None:
    server.comments = [server.entry(f"other {n}") for n in range(75)]
    server.comments.insert(70, server.entry(f"{MARKER}\nold"))
    forge.comment(7, MARKER, "new")
    assert len(server.comments) == 76
    assert server.comments[70]["body"] == f"{MARKER}\nnew"


def test_comments_of_others_are_not_changed(server: Server, forge: Forge) -> None:
    others = [
        server.entry(f"{MARKER}\nmine now", login="mallory"),
        server.entry(f"> {MARKER}\nquoted"),
        server.entry(f" {MARKER}"),
        server.entry("<!-- tenantry preview 2 -->\nanother one"),
    ]
    server.comments = [dict(other) for other in others]
    forge.comment(7, MARKER, "text")
    assert server.comments[:4] == others
    assert server.comments[4]["body"] == f"{MARKER}\ntext"


def test_with_a_token_that_cannot_read_its_user_only_bot_comments_are_updated(server: Server) -> None:
    server.may_read_user = False
    server.comments = [server.entry(f"{MARKER}\nmine", login="mallory"), server.entry(f"{MARKER}\nold")]
    GitHub(server.url, "acme/customers", TOKEN).comment(7, MARKER, "new")
    assert [comment["body"] for comment in server.comments] == [f"{MARKER}\nmine", f"{MARKER}\nnew"]


def test_system_notes_of_gitlab_are_ignored(server: Server) -> None:
    server.comments = [server.entry(f"{MARKER}\nchanged title", system=True)]
    GitLab(server.url, "77", TOKEN).comment(7, MARKER, "text")
    assert len(server.comments) == 2


def test_the_first_of_two_concurrent_comments_stays(server: Server, forge: Forge) -> None:
    server.concurrent_entry = server.entry(f"{MARKER}\nof the other run")
    forge.comment(7, MARKER, "text")
    [comment] = server.comments
    assert comment["id"] == server.concurrent_entry["id"]
    assert comment["body"] == f"{MARKER}\ntext"


def test_earlier_duplicates_are_deleted(server: Server, forge: Forge) -> None:
    server.comments = [server.entry(f"{MARKER}\n{n}") for n in range(3)]
    first = server.comments[0]["id"]
    forge.comment(7, MARKER, "text")
    assert [comment["id"] for comment in server.comments] == [first]


def test_an_issue_is_opened_updated_and_closed(server: Server, forge: Forge) -> None:
    assert forge.issue(MARKER, "Drift", None) == ""
    assert server.writes == []
    url = forge.issue(MARKER, "Drift in 2 customers", "acme, globex")
    forge.issue(MARKER, "Drift in 1 customer", "acme")
    [issue] = server.open
    assert (issue["title"], issue["body"]) == ("Drift in 1 customer", f"{MARKER}\nacme")
    assert forge.issue(MARKER, "Drift", None) == url
    assert server.open == []
    forge.issue(MARKER, "Drift again", "acme")
    assert len(server.issues) == 2
    assert len(server.open) == 1


def test_a_duplicate_issue_is_closed(server: Server, forge: Forge) -> None:
    server.issues = [server.entry(f"{MARKER}\n{n}", title="Drift") for n in range(2)]
    forge.issue(MARKER, "Drift", "text")
    assert [issue["state"] for issue in server.issues] == ["open", "closed"]


def test_a_pull_request_is_not_an_issue(server: Server) -> None:
    server.issues = [server.entry(f"{MARKER}\ntext", title="x", pull_request={})]
    GitHub(server.url, "acme/customers", TOKEN).issue(MARKER, "Drift", None)
    assert len(server.open) == 1


def test_a_text_that_is_too_long_is_cut_with_a_note(server: Server) -> None:
    GitHub(server.url, "acme/customers", TOKEN).comment(7, MARKER, "x" * 70_000)
    text = server.comments[0]["body"]
    assert len(text) == 65_536
    assert text.startswith(MARKER)
    assert text.endswith("does not fit here.\n")


@pytest.mark.parametrize(("forge_class", "limit"), [(GitHub, 65_536), (GitLab, 1_000_000)])
@pytest.mark.parametrize("excess", [0, 1])
def test_a_text_that_just_fits_is_not_cut(
    server: Server, forge_class: type[GitHub] | type[GitLab], limit: int, excess: int
) -> None:
    text = f"{MARKER}\n".ljust(limit + excess, "x")
    forge_class(server.url, "77", TOKEN).comment(7, MARKER, text)
    written = server.comments[0]["body"]
    assert len(written) == limit
    assert (written == text) is (excess == 0)


def test_a_failing_server_gets_at_most_three_requests(server: Server, forge: Forge) -> None:
    server.failures = [(502, {}), (503, {})]
    forge.comment(7, MARKER, "text")
    assert len(server.comments) == 1
    server.failures = [(502, {"message": "down"})] * 3
    with pytest.raises(ForgeError, match=r"Commenting on .* 7 .*GET http.* answered 502 down\.$"):
        forge.comment(7, MARKER, "more")


def test_a_create_with_an_error_response_creates_no_duplicate(server: Server, forge: Forge) -> None:
    respond = server.respond

    def fail_after_create(method: str, *arguments: object) -> tuple[int, object]:
        status, content = respond(method, *arguments)  # type: ignore[arg-type]
        if method == "POST" and len(server.comments) == 1:
            return 502, {}
        return status, content

    server.respond = fail_after_create  # type: ignore[assignment,method-assign]
    forge.comment(7, MARKER, "text")
    assert len(server.comments) == 1


def test_errors_name_the_request_and_the_next_step(server: Server) -> None:
    github, gitlab = GitHub(server.url, "acme/customers", TOKEN), GitLab(server.url, "77", TOKEN)
    server.failures = [(403, {"message": f"Resource not accessible by {TOKEN}"})]
    with pytest.raises(ForgeError) as refused:
        github.comment(7, MARKER, "text")
    assert str(refused.value) == (
        "Commenting on pull request 7 of acme/customers: "
        f"GET {server.url}/repos/acme/customers/issues/7/comments "
        "answered 403 Resource not accessible by [secret]. The workflow needs `permissions: pull-requests: "
        "write`. It does not get that for a pull request from a fork."
    )
    for status, forge, words in (
        (401, github, "GITHUB_TOKEN is correct"),
        (404, github, "the repository acme/customers exists"),
        (403, gitlab, "scope `api`"),
        (302, gitlab, "answered 302"),
    ):
        server.failures = [(status, {"message": "a\nb"})]
        with pytest.raises(ForgeError, match=words) as failed:
            forge.issue(MARKER, "Drift", "text")
        assert "\n" not in str(failed.value)
        assert TOKEN not in str(failed.value)


def test_an_unreachable_server_is_an_error_of_one_line() -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(
        ForgeError, match=r"got no response \(ConnectionError\)\. Check the network"
    ) as failed:
        GitHub(f"http://127.0.0.1:{port}", "a/b", TOKEN).comment(7, MARKER, "text")
    assert failed.value.__cause__ is None
    assert TOKEN not in str(failed.value)


def test_the_token_is_not_sent_to_another_host(server: Server) -> None:
    server.comments = [server.entry("other") for _ in range(31)]
    server.links_to_other_host = True
    with pytest.raises(ForgeError, match="another host"):
        GitHub(server.url, "acme/customers", TOKEN).comment(7, MARKER, "text")


def test_a_netrc_does_not_replace_the_token(
    server: Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = tmp_path / "netrc"
    netrc.write_text("machine 127.0.0.1 login somebody password else\n", "utf-8")
    monkeypatch.setenv("NETRC", str(netrc))
    GitHub(server.url, "acme/customers", TOKEN).comment(7, MARKER, "text")
    assert server.tokens == {f"Authorization: Bearer {TOKEN}"}


@pytest.mark.parametrize(
    ("environment", "sent"),
    [
        (
            {"GITHUB_REPOSITORY": "a/b", "GITHUB_TOKEN": "t", "GITHUB_API_URL": "URL"},
            "Authorization: Bearer t",
        ),
        (
            {"CI_API_V4_URL": "URL", "CI_PROJECT_ID": "7", "GITLAB_TOKEN": "t", "CI_JOB_TOKEN": "j"},
            "PRIVATE-TOKEN: t",
        ),
        ({"CI_API_V4_URL": "URL", "CI_PROJECT_ID": "7", "CI_JOB_TOKEN": "j"}, "JOB-TOKEN: j"),
    ],
)
def test_the_environment_determines_the_forge(server: Server, environment: dict[str, str], sent: str) -> None:
    forge = from_environment({name: value.replace("URL", server.url) for name, value in environment.items()})
    forge.comment(7, MARKER, "text")
    assert server.tokens == {sent}
    assert len(server.comments) == 1


@pytest.mark.parametrize(
    ("environment", "words"),
    [
        ({}, "neither GitHub nor GitLab"),
        ({"GITHUB_REPOSITORY": "a/b"}, "GITHUB_TOKEN is required"),
        ({"CI_API_V4_URL": "x", "CI_PROJECT_ID": "7"}, "GITLAB_TOKEN is required"),
    ],
)
def test_without_a_forge_the_error_names_the_variables(environment: dict[str, str], words: str) -> None:
    with pytest.raises(NoForge, match=words):
        from_environment(environment)


def test_the_user_is_not_guessed_while_the_server_is_down(server: Server, forge: Forge) -> None:
    """A wrong guess would miss Tenantry's own comment and create it a second time."""
    server.login = "operator"
    forge.comment(7, MARKER, "first")
    respond = server.respond

    def fail_for_user(method: str, path: str, *arguments: object) -> tuple[int, object]:
        return (502, {}) if path == "/user" else respond(method, path, *arguments)  # type: ignore[arg-type]

    server.respond = fail_for_user  # type: ignore[assignment,method-assign]
    later_run = type(forge)(server.url, "77", TOKEN)  # type: ignore[call-arg]
    with pytest.raises(ForgeError, match="the user of the token"):
        later_run.comment(7, MARKER, "second")
    assert [comment["body"] for comment in server.comments] == [f"{MARKER}\nfirst"]


def test_an_entry_removed_by_another_run_is_not_a_failure(server: Server, forge: Forge) -> None:
    server.comments = [server.entry(f"{MARKER}\n{n}") for n in range(2)]
    respond = server.respond

    def delete_too_late(method: str, *arguments: object) -> tuple[int, object]:
        status, content = respond(method, *arguments)  # type: ignore[arg-type]
        return (404, {"message": "Not Found"}) if method == "DELETE" else (status, content)

    server.respond = delete_too_late  # type: ignore[assignment,method-assign]
    forge.comment(7, MARKER, "text")
    assert [comment["body"] for comment in server.comments] == [f"{MARKER}\ntext"]


@pytest.mark.parametrize(
    ("status", "headers", "wait"),
    [
        (429, {"Retry-After": "7"}, 7),
        (403, {"Retry-After": "7"}, 7),
        (403, {"x-ratelimit-remaining": "0", "x-ratelimit-reset": "1800000020"}, 20),
        (429, {"RateLimit-Reset": "1800000030"}, 30),
        (429, {"RateLimit-Reset": "1700000000"}, 0),
        (429, {"Retry-After": "180"}, 180),
        (429, {}, 60),
    ],
)
def test_after_too_many_requests_the_client_waits(
    server: Server, monkeypatch: pytest.MonkeyPatch, status: int, headers: dict[str, str], wait: int
) -> None:
    """A header of the forge states the seconds to wait or the time of the next request."""
    waits: list[float] = []
    monkeypatch.setattr(api, "sleep", waits.append)
    monkeypatch.setattr("tenantry.fleet.forges.api.time.time", lambda: 1_800_000_000.0)
    server.failures, server.failure_headers = [(status, {"message": "slow down"})], headers
    assert list(api.Api(server.url, "Authorization", TOKEN).pages(api.Endpoint("a comment", "/notes"))) == []
    assert waits == [wait]


@pytest.mark.parametrize(
    ("failures", "headers"),
    [(3, {"Retry-After": "7"}), (1, {"Retry-After": "181"}), (1, {"Retry-After": "3600"})],
    ids=["three times", "slightly above the limit", "far above the limit"],
)
def test_too_many_refusals_or_a_long_wait_are_an_error(
    server: Server, monkeypatch: pytest.MonkeyPatch, failures: int, headers: dict[str, str]
) -> None:
    monkeypatch.setattr(api, "sleep", lambda _: None)
    server.failures, server.failure_headers = [(429, {})] * failures, headers
    seconds = headers["Retry-After"]
    with pytest.raises(
        api.ForgeError, match=rf"answered 429, too many requests\. Run it again in {seconds} s"
    ):
        list(api.Api(server.url, "Authorization", TOKEN).pages(api.Endpoint("a comment", "/notes")))
    assert len(server.requests) == failures


def test_a_forbidden_request_is_not_retried(server: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(api, "sleep", lambda _: pytest.fail("the client waits without a reason"))
    server.failures, server.failure_headers = [(403, {"message": "no"})], {"x-ratelimit-remaining": "17"}
    with pytest.raises(api.ForgeError, match="answered 403 no"):
        list(api.Api(server.url, "Authorization", TOKEN).pages(api.Endpoint("a comment", "/notes")))


def test_every_request_has_a_timeout(monkeypatch: pytest.MonkeyPatch) -> None:
    """The client waits at most half a minute for a response."""
    timeouts: list[float] = []

    def silent(*_: Any, timeout: float, **__: Any) -> requests.Response:
        timeouts.append(timeout)
        raise requests.ReadTimeout

    monkeypatch.setattr(requests, "request", silent)
    with pytest.raises(ForgeError, match=r"got no response \(ReadTimeout\)"):
        api.Api("https://forge.example", "Authorization", TOKEN).send(api.Endpoint("x", "/x"), "GET", "/x")
    assert timeouts == [30, 30, 30]


def test_endless_pages_are_limited(monkeypatch: pytest.MonkeyPatch) -> None:
    response = requests.Response()
    response.headers["x-next-page"] = "2"
    monkeypatch.setattr(api.Api, "_exchange", lambda *_: ([{}], response))
    client = api.Api("https://forge.example", "Authorization", TOKEN)
    assert sum(1 for _ in islice(client.pages(api.Endpoint("x", "/x")), 2000)) == 500
