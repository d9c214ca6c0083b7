"""Templates: which app is meant, and its file on this machine."""

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
    """The source tenant, whose templates somebody edits."""
    return World(tenancy.qlik, SOURCE)


def in_templates(source: World) -> dict[str, Any]:
    """The seeded apps of the space Templates, by version; two of one name would be no key."""
    space = source.spaces["Templates"]["id"]
    apps = [each for each in source.every("app") if each["spaceId"] == space]
    return {f"{each['name']} {version_of(each['description'])}": each for each in apps}


def exports(tenancy: Tenancy) -> int:
    return sum("/export" in each["path"] for each in tenancy.qlik.control.requests())


def test_no_id_leads_out_of_the_cache(tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Even where an id of an answer had not been refused before."""
    item = {"resourceId": "../../x", "resourceAttributes": {}, "updatedAt": "2026"}
    monkeypatch.setattr(templates, "find", lambda *_: item)
    monkeypatch.setattr(templates, "_fetch", lambda *_, **__: None)
    assert fetch(tenancy.cloud, SALES, data=True) == cache_directory() / SOURCE / "______x-2026.qvf"


def test_a_cache_that_cannot_be_written_is_named(
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
def test_the_version_stands_at_the_end(description: str, version: str) -> None:
    assert version_of(description) == version


def test_by_name_and_version(tenancy: Tenancy, source: World) -> None:
    host = tenancy.cloud.tenant(SOURCE)
    assert find(host, SALES)["resourceId"] == in_templates(source)["Sales Overview 2.3.0"]["id"]


def test_by_id_the_version_counts_as_well(tenancy: Tenancy, source: World) -> None:
    """So that a file which names the old app with the new version is not believed."""
    host = tenancy.cloud.tenant(SOURCE)
    id = in_templates(source)["Sales Overview 2.3.0"]["id"]
    assert find(host, Template(SOURCE, None, id, "2.3.0"))["resourceId"] == id
    with pytest.raises(TemplateNotFound, match=r"not in that version.*Versions found: 2\.3\.0"):
        find(host, Template(SOURCE, None, id, "2.4.0"))


def test_a_published_copy_is_no_template(tenancy: Tenancy, source: World) -> None:
    """The space Gallery holds a copy of Inventory; the source in Templates is the one that counts."""
    host = tenancy.cloud.tenant(SOURCE)
    found = find(host, Template(SOURCE, "Inventory", None, "1.0.0"))
    assert found["resourceId"] == in_templates(source)["Inventory 1.0.0"]["id"]


def test_two_that_fit_are_listed(tenancy: Tenancy, source: World) -> None:
    """Which one is meant is never guessed."""
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


def bots(source: World) -> list[tuple[str, list[str]]]:
    """The type and the roles of each member of the space in which our bot user may see templates only."""
    space = source.spaces["Locked templates"]["id"]
    return [(each["type"], each["roles"]) for each in source.every("assignment") if each["spaceId"] == space]


def test_the_same_template_in_several_spaces(tenancy: Tenancy, source: World) -> None:
    """Both are listed with the names of their spaces; by app id each of them can be had."""
    theirs = source.request("POST", "spaces", {"name": "Archive", "type": "shared"})["id"]
    body = {"attributes": {"name": "Sales Overview", "description": "Old {v2.3.0}", "spaceId": theirs}}
    app = source.request("POST", "apps", body)["attributes"]["id"]
    host = tenancy.cloud.tenant(SOURCE)
    with pytest.raises(TemplateAmbiguous) as caught:
        find(host, SALES)
    assert all(f'space "{name}"' in str(caught.value) for name in ("Archive", "Templates"))
    assert find(host, Template(SOURCE, None, app, "2.3.0"))["spaceId"] == theirs


def test_a_space_is_joined_only_if_that_is_allowed(tenancy: Tenancy, source: World) -> None:
    """Without, the message says in which space, and how to allow it; nothing changes on the source tenant."""
    with pytest.raises(TemplateNotFound) as caught:
        fetch(tenancy.cloud, REPORT, data=True)
    words = (
        "may see it but not export it",
        'space "Locked templates"',
        "join_template_space: true",
        "traceId",
    )
    assert all(each in str(caught.value) for each in words)
    assert bots(source) == []


@pytest.mark.parametrize("held", [[], ["consumer"]], ids=["no member", "a member who may not edit"])
def test_the_bot_joins_the_space_of_a_template(tenancy: Tenancy, source: World, held: list[str]) -> None:
    """It becomes a producer, says so and stays one; from then on nobody joins anything."""
    space = source.spaces["Locked templates"]["id"]
    us = tenancy.cloud.tenant(SOURCE).get("/api/v1/users/me")["id"]
    if held:
        body = {"type": "user", "assigneeId": us, "roles": held}
        source.request("POST", f"spaces/{space}/assignments", body)
    assert fetch(tenancy.cloud, REPORT, data=True, join=True).stat().st_size > 0
    assert bots(source) == [("user", [*held, "producer"])]
    (line,) = tenancy.messages
    for words in (us, '"Locked templates"', SOURCE, "producer", "stays a member"):
        assert words in line
    fetch(tenancy.cloud, REPORT, data=False, join=True)
    assert tenancy.messages == [line]


def test_a_space_that_cannot_be_joined(tenancy: Tenancy, source: World) -> None:
    """Then it is up to those who may: the message is the same as without permission."""
    tenancy.qlik.control.add_fault(method="POST", path="/api/v1/spaces/*/assignments", status=403)
    with pytest.raises(
        TemplateNotFound, match=r"(?s)Give its bot user an edit role.*assignments answered 403"
    ):
        fetch(tenancy.cloud, REPORT, data=True, join=True)
    assert bots(source) == []


def test_the_cache_answers_what_was_fetched(tenancy: Tenancy) -> None:
    """With and without data are two files, and only their owner may read them."""
    file = fetch(tenancy.cloud, SALES, data=True)
    assert file.stat().st_size >= SIZE
    assert file.is_relative_to(cache_directory())
    assert fetch(tenancy.cloud, SALES, data=True) == file
    assert exports(tenancy) == 1
    assert fetch(tenancy.cloud, SALES, data=False) != file
    assert exports(tenancy) == 2
    assert cache_directory().joinpath(SOURCE).stat().st_mode & 0o077 == 0


def test_a_changed_template_is_fetched_anew(tenancy: Tenancy, source: World) -> None:
    """The same version with other content: the date of its last change tells."""
    old = fetch(tenancy.cloud, SALES, data=True)
    app = in_templates(source)["Sales Overview 2.3.0"]
    source.join(app["spaceId"])
    tenancy.qlik.control.advance(60)
    source.request("PUT", f"apps/{app['id']}", {"attributes": {"description": "Better {v2.3.0}"}})
    new = fetch(tenancy.cloud, SALES, data=True)
    assert new != old
    assert exports(tenancy) == 2


def test_many_at_once_cause_one_export(tenancy: Tenancy) -> None:
    """Whoever comes second waits for the first."""
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
    assert exports(tenancy) == 1


def test_what_a_run_that_was_cut_off_has_left_is_removed(tenancy: Tenancy) -> None:
    """Exports that are begun early end with the run, wherever they are. Parts of others are not touched."""
    file = fetch(tenancy.cloud, SALES, data=True)
    left, other = file.with_name(f"{file.name}.x1.part"), file.with_name("other.qvf.x1.part")
    for part in (left, other):
        part.write_text("half")
    file.unlink()
    assert fetch(tenancy.cloud, SALES, data=True) == file
    assert other.exists()
    assert not left.exists()


def test_half_a_file_is_never_used(tenancy: Tenancy) -> None:
    """A download that was cut off leaves nothing that a later run could take for the template."""
    fault = tenancy.qlik.control.add_fault(path="/api/v1/temp-contents/*", method="GET", truncate=True)
    with pytest.raises((ConnectionFailed, QlikError)), tenancy.cloud.deadline(2):
        fetch(tenancy.cloud, SALES, data=True)
    assert not list(cache_directory().rglob("*.qvf"))
    tenancy.qlik.control.release(fault)
    assert fetch(tenancy.cloud, SALES, data=True).stat().st_size >= SIZE
