"""Templates: the search for the app, and its file in the cache."""

from __future__ import annotations

import threading
from pathlib import Path
from typing import Any

import pytest

from tenantry.providers.framework.errors import TemplateAmbiguous, TemplateNotFound
from tenantry.providers.lookups import templates
from tenantry.providers.lookups.templates import Template, cache_directory, fetch, find, version_of
from tenantry.providers.qlik import ConfigurationError, ConnectionFailed, QlikError
from tests.providers.resource_driver import Tenancy
from tests.world import World

SOURCE = "templates.eu.qlikcloud.com"
SIZE = 40_000
SALES = Template(SOURCE, "Sales Overview", None, "2.3.0")


@pytest.fixture
def source(tenancy: Tenancy) -> World:
    """Return the source tenant."""
    return World(tenancy.qlik, SOURCE)


def templates_by_version(source: World) -> dict[str, Any]:
    """Return the apps of the space Templates by name and version, for example "Inventory 1.0.0"."""
    space = source.spaces["Templates"]["id"]
    apps = [app for app in source.every("app") if app["spaceId"] == space]
    return {f"{app['name']} {version_of(app['description'])}": app for app in apps}


def count_exports(tenancy: Tenancy) -> int:
    return sum("/export" in request["path"] for request in tenancy.qlik.control.requests())


def test_the_path_of_a_file_stays_in_the_cache(tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch) -> None:
    """This protects even if Tenantry has not refused the invalid id in the response."""
    item = {"resourceId": "../../x", "resourceAttributes": {}, "updatedAt": "2026"}
    monkeypatch.setattr(templates, "find", lambda *_: item)
    monkeypatch.setattr(templates, "_fetch", lambda *_, **__: None)
    assert fetch(tenancy.cloud, SALES, data=True) == cache_directory() / SOURCE / "______x-2026.qvf"


def test_the_error_of_a_cache_that_cannot_be_written_names_its_variable(
    tenancy: Tenancy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TENANTRY_CACHE", str(tmp_path / "file"))
    with pytest.raises(ConfigurationError, match=r"cannot be written: Not a directory\. Set TENANTRY_CACHE"):
        fetch(tenancy.cloud, SALES, data=True)


@pytest.mark.parametrize(
    ("description", "version"),
    [
        ("Revenue {v2.3.0}", "2.3.0"),
        ("{v1}", "1"),
        ("{v1} and {v2}\n", "2"),
        ("{v2.3.0} at the front", ""),
        ("", ""),
    ],
)
def test_the_version_is_at_the_end_of_the_description(description: str, version: str) -> None:
    assert version_of(description) == version


def test_a_template_is_found_by_name_and_version(tenancy: Tenancy, source: World) -> None:
    host = tenancy.cloud.tenant(SOURCE)
    assert find(host, SALES)["resourceId"] == templates_by_version(source)["Sales Overview 2.3.0"]["id"]


def test_a_template_with_an_id_must_have_the_version(tenancy: Tenancy, source: World) -> None:
    """A stack file can have the new version but still the id of the old app."""
    host = tenancy.cloud.tenant(SOURCE)
    id = templates_by_version(source)["Sales Overview 2.3.0"]["id"]
    assert find(host, Template(SOURCE, None, id, "2.3.0"))["resourceId"] == id
    with pytest.raises(TemplateNotFound, match=r"not in that version.*Versions found: 2\.3\.0"):
        find(host, Template(SOURCE, None, id, "2.4.0"))


def test_a_published_copy_is_no_template(tenancy: Tenancy, source: World) -> None:
    """The space Gallery has a published copy of Inventory. The template is in the space Templates."""
    host = tenancy.cloud.tenant(SOURCE)
    found = find(host, Template(SOURCE, "Inventory", None, "1.0.0"))
    assert found["resourceId"] == templates_by_version(source)["Inventory 1.0.0"]["id"]


def test_the_error_of_an_ambiguous_template_lists_all_apps(tenancy: Tenancy, source: World) -> None:
    """Tenantry never guesses."""
    space = source.spaces["Templates"]["id"]
    source.join(space)
    body = {"attributes": {"name": "Sales Overview", "description": "Twin {v2.3.0}", "spaceId": space}}
    duplicate = source.request("POST", "apps", body)["attributes"]["id"]
    with pytest.raises(TemplateAmbiguous) as caught:
        find(tenancy.cloud.tenant(SOURCE), SALES)
    for words in ("2 apps match", "template_id", duplicate, f'space "Templates" ({space})', str(SALES)):
        assert words in str(caught.value)
    assert str(caught.value).count("\n  - app ") == 2


REPORT = Template(SOURCE, "Board Report", None, "1.0.0")


def members(source: World) -> list[tuple[str, list[str]]]:
    """Return the type and roles of each member of the space whose apps our bot can see but not export."""
    space = source.spaces["Locked templates"]["id"]
    assignments = [found for found in source.every("assignment") if found["spaceId"] == space]
    return [(assignment["type"], assignment["roles"]) for assignment in assignments]


def test_the_error_of_a_template_in_several_spaces_names_the_spaces(tenancy: Tenancy, source: World) -> None:
    """Each of the apps can be found by its id."""
    archive_id = source.request("POST", "spaces", {"name": "Archive", "type": "shared"})["id"]
    body = {"attributes": {"name": "Sales Overview", "description": "Old {v2.3.0}", "spaceId": archive_id}}
    app = source.request("POST", "apps", body)["attributes"]["id"]
    host = tenancy.cloud.tenant(SOURCE)
    with pytest.raises(TemplateAmbiguous) as caught:
        find(host, SALES)
    assert all(f'space "{name}"' in str(caught.value) for name in ("Archive", "Templates"))
    assert find(host, Template(SOURCE, None, app, "2.3.0"))["spaceId"] == archive_id


def test_the_bot_joins_no_space_without_permission(tenancy: Tenancy, source: World) -> None:
    """The message names the space and the key that allows it. The source tenant does not change."""
    with pytest.raises(TemplateNotFound) as caught:
        fetch(tenancy.cloud, REPORT, data=True)
    words = (
        "may see it but not export it",
        'space "Locked templates"',
        "join_template_space: true",
        "traceId",
    )
    assert all(word in str(caught.value) for word in words)
    assert members(source) == []


@pytest.mark.parametrize("roles", [[], ["consumer"]], ids=["no member", "member without edit role"])
def test_the_bot_joins_the_space_of_a_template(tenancy: Tenancy, source: World, roles: list[str]) -> None:
    """A message says that the bot is a producer now. Later exports change no roles."""
    space = source.spaces["Locked templates"]["id"]
    bot_id = tenancy.cloud.tenant(SOURCE).get("/api/v1/users/me")["id"]
    if roles:
        body = {"type": "user", "assigneeId": bot_id, "roles": roles}
        source.request("POST", f"spaces/{space}/assignments", body)
    assert fetch(tenancy.cloud, REPORT, data=True, join=True).stat().st_size > 0
    assert members(source) == [("user", [*roles, "producer"])]
    (line,) = tenancy.messages
    for words in (bot_id, '"Locked templates"', SOURCE, "producer", "stays a member"):
        assert words in line
    fetch(tenancy.cloud, REPORT, data=False, join=True)
    assert tenancy.messages == [line]


def test_the_error_of_a_space_that_the_bot_cannot_join_says_what_to_do(
    tenancy: Tenancy, source: World
) -> None:
    tenancy.qlik.control.add_fault(method="POST", path="/api/v1/spaces/*/assignments", status=403)
    with pytest.raises(
        TemplateNotFound, match=r"(?s)Give its bot user an edit role.*assignments answered 403"
    ):
        fetch(tenancy.cloud, REPORT, data=True, join=True)
    assert members(source) == []


def test_a_template_is_fetched_from_the_cache(tenancy: Tenancy) -> None:
    """Exports with and without data are two files, and only their owner can read them."""
    file = fetch(tenancy.cloud, SALES, data=True)
    assert file.stat().st_size >= SIZE
    assert file.is_relative_to(cache_directory())
    assert fetch(tenancy.cloud, SALES, data=True) == file
    assert count_exports(tenancy) == 1
    assert fetch(tenancy.cloud, SALES, data=False) != file
    assert count_exports(tenancy) == 2
    assert cache_directory().joinpath(SOURCE).stat().st_mode & 0o077 == 0


def test_a_changed_template_is_exported_again(tenancy: Tenancy, source: World) -> None:
    """Its version is the same. The date of its last change shows the difference."""
    old = fetch(tenancy.cloud, SALES, data=True)
    app = templates_by_version(source)["Sales Overview 2.3.0"]
    source.join(app["spaceId"])
    tenancy.qlik.control.advance(60)
    source.request("PUT", f"apps/{app['id']}", {"attributes": {"description": "Better {v2.3.0}"}})
    new = fetch(tenancy.cloud, SALES, data=True)
    assert new != old
    assert count_exports(tenancy) == 2


def test_parallel_fetches_cause_one_export(tenancy: Tenancy) -> None:
    """The others wait for the first one."""
    files: list[Path] = []
    threads = [
        threading.Thread(target=lambda: files.append(fetch(tenancy.cloud, SALES, data=True)))
        for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(files) == 4
    assert len(set(files)) == 1
    assert count_exports(tenancy) == 1


def test_the_partial_file_of_an_interrupted_run_is_removed(tenancy: Tenancy) -> None:
    """The end of a run stops its early exports. Partial files of other templates stay."""
    file = fetch(tenancy.cloud, SALES, data=True)
    leftover, other = file.with_name(f"{file.name}.x1.part"), file.with_name("other.qvf.x1.part")
    for part in (leftover, other):
        part.write_text("half")
    file.unlink()
    assert fetch(tenancy.cloud, SALES, data=True) == file
    assert other.exists()
    assert not leftover.exists()


def test_an_incomplete_download_is_never_used(tenancy: Tenancy) -> None:
    """It leaves no file in the cache."""
    fault = tenancy.qlik.control.add_fault(path="/api/v1/temp-contents/*", method="GET", truncate=True)
    with pytest.raises((ConnectionFailed, QlikError)), tenancy.cloud.deadline(2):
        fetch(tenancy.cloud, SALES, data=True)
    assert not list(cache_directory().rglob("*.qvf"))
    tenancy.qlik.control.release(fault)
    assert fetch(tenancy.cloud, SALES, data=True).stat().st_size >= SIZE
