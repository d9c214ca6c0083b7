"""Apps: templates imported into a space. Finding and fetching templates is in test_templates.py."""

from __future__ import annotations

import shutil
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest

from tenantry.providers.framework.engine import Failure
from tenantry.providers.lookups.templates import cache_directory
from tenantry.providers.values.scripts import digest, digest_of_replacements, read
from tests.providers.resource_driver import Case, Drift, InPlace, Inputs, MakeDriver, Tenancy

SOURCE_TENANT = "templates.eu.qlikcloud.com"
REPLACE = {"'template'": "'globex'"}
SCRIPTS = "/api/v1/apps/{id}/scripts"
PUT = ("PUT /api/v1/apps/{id}",)


def given(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "space": tenancy.space("Staging"),
        "name": "Sales",
        "description": "Revenue",
        "source_tenant": SOURCE_TENANT,
        "template": "Sales Overview",
        "version": "2.3.0",
        "data": True,
        "replace": REPLACE,
        "script_digest": digest_of_replacements(REPLACE),
    }


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = {each["id"]: each for each in tenancy.world.apps.values()}.get(id)
    if found is None:
        return None
    text, mark, version = found["description"].rsplit(" ", 2)
    assert len(mark) == len("[123456789012]")
    assert version == "{v2.3.0}"
    return {"space": found["spaceId"], "name": found["name"], "description": text}


def put(tenancy: Tenancy, id: str, **attributes: str) -> None:
    tenancy.as_bot("PUT", f"apps/{id}", {"attributes": attributes})


CASE = Case(
    "app",
    given,
    remote,
    creates=(
        "GET /api/v1/items",
        "GET /api/v1/items",
        "POST /api/v1/apps/*/export",
        "GET /api/v1/temp-contents/*",
        "POST /api/v1/apps/import",
        f"GET {SCRIPTS}/current",
        f"POST {SCRIPTS}",
        f"GET {SCRIPTS}/current",
        "PUT /api/v1/apps/{id}",
    ),
    deletes=("DELETE /api/v1/apps/{id}",),
    changes={
        "name": InPlace("Sales Overview", PUT),
        "description": InPlace("Revenue by region", PUT),
        "join_template_space": InPlace(True),
        "replace": InPlace({"'template'": "'initech'"}),
        "space": InPlace(lambda t: t.space("Other"), ("PUT /api/v1/apps/{id}/space",)),
    },
    replaces={
        "source_tenant": "other.eu.qlikcloud.com",
        "template": "Inventory",
        "template_id": "ce043e01",
        "version": "2.4.0",
        "data": False,
        "script_digest": "0123456789abcdef",
    },
    without={"template_id": ("template",)},
    drifts={
        "name": Drift(lambda t, id: put(t, id, name="Mine"), "Mine"),
        "description": Drift(lambda t, id: put(t, id, description="Mine"), "Mine"),
        "space": Drift(
            lambda t, id: t.as_bot("PUT", f"apps/{id}/space", {"spaceId": t.space("Elsewhere")}),
            lambda t: t.space("Elsewhere"),
        ),
    },
    gone=lambda t, id: t.as_bot("DELETE", f"apps/{id}"),
)


def test_the_app_of_an_earlier_run_is_taken_over(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Its mark identifies it. Tenantry corrects the differences and imports nothing again."""
    first = driver("app").create(given(tenancy))
    tenancy.requests()
    second = driver("app").create({**given(tenancy), "description": "Other"})
    assert second.id == first.id
    assert not [line for line in tenancy.requests() if "import" in line]
    assert (remote(tenancy, first.id) or {})["description"] == "Other"
    assert any("already exists" in line and first.id in line for line in tenancy.messages)


def test_the_template_is_exported_while_the_app_is_looked_for(
    driver: MakeDriver, tenancy: Tenancy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither needs the other. An app that is there needs no export: of one that was asked for, or is to be
    adopted, that is likely.
    """
    control = tenancy.qlik.control
    held = control.add_fault(host=tenancy.hostname, path="/api/v1/items", hold=True)
    with ThreadPoolExecutor(1) as pool:
        making = pool.submit(driver("app").create, given(tenancy))
        try:
            end = time.monotonic() + 20
            while not any("/export" in each for each in tenancy.requests()):
                assert time.monotonic() < end
                time.sleep(0.01)
        finally:
            control.release(held)
        assert making.result().id
    shutil.rmtree(cache_directory())
    driver("app").create(given(tenancy))
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "another machine"))
    driver("app").create({**given(tenancy), "adopt": True})
    assert not [each for each in tenancy.requests() if "/export" in each]


def test_an_import_that_got_no_name_is_taken_over(
    driver: MakeDriver, tenancy: Tenancy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run was killed between import and renaming. The mark in the first name identifies the app."""
    fault = tenancy.qlik.control.add_fault(path="/api/v1/apps/*", method="PUT", status=403)
    with pytest.raises(Failure, match="The next `pulumi up` continues"):
        driver("app").create(given(tenancy))
    tenancy.qlik.control.release(fault)
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "another machine"))
    app = driver("app").create(given(tenancy))
    assert list(tenancy.world.apps) == [("Staging", "Sales")]
    assert (remote(tenancy, app.id) or {})["description"] == "Revenue"


def test_a_note_does_not_outweigh_the_name(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The app in the note was renamed since, so an entry with another key manages it now."""
    renamed = driver("app").create(given(tenancy))
    put(tenancy, renamed.id, name="Revenue")
    assert driver("app").create(given(tenancy)).id != renamed.id


def test_an_app_of_the_same_name_is_another_one(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Many apps at Qlik can have the same name. Apps from other templates do not change."""
    theirs = tenancy.app("Sales", "Staging", description="By hand")
    ours = driver("app").create({**given(tenancy), "name": "Sales"})
    assert ours.id != theirs
    names = [each["description"] for each in tenancy.qlik.control.dump()[tenancy.hostname]["app"]]
    assert "By hand" in names


def test_an_app_is_adopted_if_asked_for(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The app with this name in the space becomes ours, with the mark of the template."""
    theirs = tenancy.app("Sales", "Staging", description="By hand")
    assert driver("app").create({**given(tenancy), "adopt": True}).id == theirs
    assert (remote(tenancy, theirs) or {})["description"] == "Revenue"


def test_which_of_two_is_adopted_is_never_guessed(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Many apps at Qlik can have the same name."""
    space = tenancy.space("Staging")
    body = {"attributes": {"name": "Sales", "spaceId": space}}
    ids = [tenancy.as_bot("POST", "apps", body)["attributes"]["id"] for _ in range(2)]
    with pytest.raises(Failure) as caught:
        driver("app").create({**given(tenancy), "adopt": True})
    for words in ('app "Sales"', space, tenancy.hostname, *ids):
        assert words in str(caught.value)


def test_an_adopted_app_is_replaced_like_any_other(driver: MakeDriver, tenancy: Tenancy) -> None:
    """A new version is imported: `adopt`, which stays in the file, does not mean the app of the old one."""
    tenancy.app("Sales", "Staging", description="By hand")
    adopted = driver("app").create({**given(tenancy), "adopt": True})
    newer = driver("app").create({**given(tenancy), "adopt": True, "version": "2.4.0"})
    assert newer.id != adopted.id


@pytest.mark.parametrize(
    "named", [{}, {"template": "Sales Overview", "template_id": "ce043e01"}], ids=["not at all", "twice"]
)
def test_a_template_is_named_once(driver: MakeDriver, tenancy: Tenancy, named: dict[str, str]) -> None:
    """The template has either a name or an id. The check sends no request."""
    inputs = {name: value for name, value in given(tenancy).items() if name != "template"}
    with pytest.raises(AssertionError, match=r"template: set either template .* or template_id"):
        driver("app").check(inputs | named)


def test_an_app_comes_without_its_data_if_asked_for(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The export requests no data."""
    driver("app").create({**given(tenancy), "data": False})
    exports = [each["path"] for each in tenancy.qlik.control.requests() if "/export" in each["path"]]
    assert [path.partition("?")[2] for path in exports] == ["NoData=true"]
    assert tenancy.world.apps["Staging", "Sales"]["lastReloadTime"] == ""


def test_the_bot_joins_the_space_of_a_template_if_allowed(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The property reaches the lookup of templates; without it the app is not made."""
    inputs = {**given(tenancy), "template": "Board Report", "version": "1.0.0"}
    with pytest.raises(Failure, match="join_template_space"):
        driver("app").create(inputs)
    driver("app").create({**inputs, "join_template_space": True})
    assert tenancy.world.apps["Staging", "Sales"]["description"].endswith("{v1.0.0}")


def test_a_refused_move_says_why(driver: MakeDriver, tenancy: Tenancy) -> None:
    """An app is published into a managed space, not moved."""
    app = driver("app").create(given(tenancy))
    before = remote(tenancy, app.id)
    with pytest.raises(Failure, match=r"(?s)PUT .*/space answered 403 .*cannot move between.*traceId"):
        app.update({**given(tenancy), "space": tenancy.space("Sales", "managed")})
    assert remote(tenancy, app.id) == before


SCRIPT = "Orders:\nLOAD 1 AS Order AUTOGENERATE 1;\n"


def with_file(tenancy: Tenancy, file: Path) -> Inputs:
    inputs = {name: value for name, value in given(tenancy).items() if name != "replace"}
    return inputs | {"script": str(file), "script_digest": digest(read(file))}


def script(tenancy: Tenancy, id: str) -> str:
    return str(tenancy.bot.get(f"/api/v1/apps/{id}/scripts/current")["script"])


def test_texts_of_the_template_are_replaced(driver: MakeDriver, tenancy: Tenancy) -> None:
    app = driver("app").create(given(tenancy))
    assert "SET vCustomer = 'globex';" in script(tenancy, app.id)
    assert app.drift() == {}


def test_a_file_is_the_whole_script(driver: MakeDriver, tenancy: Tenancy, tmp_path: Path) -> None:
    file = tmp_path / "sales.qvs"
    file.write_bytes(f"\ufeff{SCRIPT}".replace("\n", "\r\n").encode())
    app = driver("app").create(with_file(tenancy, file))
    assert script(tenancy, app.id).replace("\r\n", "\n") == SCRIPT
    assert app.drift() == {}
    assert str(file) not in str(app.state)


def test_a_file_that_changes_meanwhile_is_not_sent(
    driver: MakeDriver, tenancy: Tenancy, tmp_path: Path
) -> None:
    file = tmp_path / "sales.qvs"
    file.write_text(SCRIPT, "utf-8")
    inputs = with_file(tenancy, file)
    file.write_text("other", "utf-8")
    with pytest.raises(Failure, match="has changed since the run began"):
        driver("app").create(inputs)


def test_a_text_that_the_template_does_not_have_is_told(driver: MakeDriver, tenancy: Tenancy) -> None:
    replace = {"{{CUSTOMER}}": "globex", "'template'": "x"}
    inputs = given(tenancy) | {"replace": replace, "script_digest": digest_of_replacements(replace)}
    with pytest.raises(Failure, match=r'does not contain "\{\{CUSTOMER\}\}", which'):
        driver("app").create(inputs)


def test_a_script_that_somebody_changed_is_imported_anew(driver: MakeDriver, tenancy: Tenancy) -> None:
    app = driver("app").create(given(tenancy))
    tenancy.bot.post(f"/api/v1/apps/{app.id}/scripts", {"script": SCRIPT}, repeatable=True)
    assert app.drift() == {"script_digest": digest(SCRIPT)}
    assert app.diff(given(tenancy)) == ["script_digest"]


def test_a_script_that_was_set_is_not_set_again(
    driver: MakeDriver, tenancy: Tenancy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Killed between script and name, also on another machine: the version of the script has our mark."""
    fault = tenancy.qlik.control.add_fault(path="/api/v1/apps/*", method="PUT", status=403)
    with pytest.raises(Failure):
        driver("app").create(given(tenancy))
    tenancy.qlik.control.release(fault)
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "another machine"))
    tenancy.requests()
    app = driver("app").create(given(tenancy))
    assert not [line for line in tenancy.requests() if line.startswith("POST") and "scripts" in line]
    assert app.drift() == {}


def test_another_script_is_another_import(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Both apps exist until the published app comes from the new one."""
    replace = {"'template'": "'initech'"}
    first = driver("app").create(given(tenancy))
    second = driver("app").create(
        given(tenancy) | {"replace": replace, "script_digest": digest_of_replacements(replace)}
    )
    assert first.id != second.id
    assert "initech" in script(tenancy, second.id)


@pytest.mark.parametrize(
    ("inputs", "why"),
    [
        ({"script": "a.qvs"}, "set either script"),
        ({"script_digest": None}, "set it together with script or replace"),
        ({"replace": None}, "set it together with script or replace"),
    ],
)
def test_a_script_comes_from_one_place(
    driver: MakeDriver, tenancy: Tenancy, inputs: Inputs, why: str
) -> None:
    with pytest.raises(AssertionError, match=why):
        driver("app").check(given(tenancy) | inputs)
