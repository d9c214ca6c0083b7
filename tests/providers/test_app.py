"""Apps: templates imported into a space. Finding and fetching templates is in lookups/test_templates.py."""

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


def inputs_for(tenancy: Tenancy) -> Inputs:
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
    found = {app["id"]: app for app in tenancy.world.apps.values()}.get(id)
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
    inputs_for,
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
    incompatible={"template_id": ("template",)},
    drifts={
        "name": Drift(lambda t, id: put(t, id, name="Mine"), "Mine"),
        "description": Drift(lambda t, id: put(t, id, description="Mine"), "Mine"),
        "space": Drift(
            lambda t, id: t.as_bot("PUT", f"apps/{id}/space", {"spaceId": t.space("Elsewhere")}),
            lambda t: t.space("Elsewhere"),
        ),
    },
    remove=lambda t, id: t.as_bot("DELETE", f"apps/{id}"),
)


def test_the_app_of_an_earlier_run_is_reused(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Its mark identifies it. Tenantry corrects the differences and imports nothing again."""
    first = driver("app").create(inputs_for(tenancy))
    tenancy.requests()
    second = driver("app").create({**inputs_for(tenancy), "description": "Other"})
    assert second.id == first.id
    assert not [line for line in tenancy.requests() if "import" in line]
    assert (remote(tenancy, first.id) or {})["description"] == "Other"
    assert any("already exists" in line and first.id in line for line in tenancy.messages)


def test_the_export_of_the_template_runs_during_the_search_for_the_app(
    driver: MakeDriver, tenancy: Tenancy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is no early export if the app probably exists: with a note of an import, or with `adopt`."""
    control = tenancy.qlik.control
    held = control.add_fault(host=tenancy.hostname, path="/api/v1/items", hold=True)
    with ThreadPoolExecutor(1) as pool:
        creation = pool.submit(driver("app").create, inputs_for(tenancy))
        try:
            end = time.monotonic() + 20
            while not any("/export" in call for call in tenancy.requests()):
                assert time.monotonic() < end
                time.sleep(0.01)
        finally:
            control.release(held)
        assert creation.result().id
    shutil.rmtree(cache_directory())
    driver("app").create(inputs_for(tenancy))
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "another machine"))
    driver("app").create({**inputs_for(tenancy), "adopt": True})
    assert not [call for call in tenancy.requests() if "/export" in call]


def test_an_import_that_was_not_renamed_is_reused(
    driver: MakeDriver, tenancy: Tenancy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The run was killed between import and renaming. The mark in the first name identifies the app."""
    fault = tenancy.qlik.control.add_fault(path="/api/v1/apps/*", method="PUT", status=403)
    with pytest.raises(Failure, match="The next `pulumi up` continues"):
        driver("app").create(inputs_for(tenancy))
    tenancy.qlik.control.release(fault)
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "another machine"))
    app = driver("app").create(inputs_for(tenancy))
    assert list(tenancy.world.apps) == [("Staging", "Sales")]
    assert (remote(tenancy, app.id) or {})["description"] == "Revenue"


def test_a_note_does_not_outweigh_the_name(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The app in the note has another name now, so an entry with another key manages it."""
    renamed = driver("app").create(inputs_for(tenancy))
    put(tenancy, renamed.id, name="Revenue")
    assert driver("app").create(inputs_for(tenancy)).id != renamed.id


def test_an_app_with_the_same_name_but_no_mark_is_not_reused(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Several apps at Qlik can have the same name. Apps from other sources do not change."""
    theirs = tenancy.app("Sales", "Staging", description="By hand")
    ours = driver("app").create({**inputs_for(tenancy), "name": "Sales"})
    assert ours.id != theirs
    descriptions = [app["description"] for app in tenancy.qlik.control.dump()[tenancy.hostname]["app"]]
    assert "By hand" in descriptions


def test_adopt_takes_over_the_app_with_the_name(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Tenantry manages the app with this name in the space from now on and adds the mark of the template."""
    theirs = tenancy.app("Sales", "Staging", description="By hand")
    assert driver("app").create({**inputs_for(tenancy), "adopt": True}).id == theirs
    assert (remote(tenancy, theirs) or {})["description"] == "Revenue"


def test_adopt_is_refused_if_two_apps_have_the_name(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Several apps at Qlik can have the same name. Tenantry does not guess which one is meant."""
    space = tenancy.space("Staging")
    body = {"attributes": {"name": "Sales", "spaceId": space}}
    ids = [tenancy.as_bot("POST", "apps", body)["attributes"]["id"] for _ in range(2)]
    with pytest.raises(Failure) as caught:
        driver("app").create({**inputs_for(tenancy), "adopt": True})
    for words in ('app "Sales"', space, tenancy.hostname, *ids):
        assert words in str(caught.value)


def test_an_adopted_app_is_replaced_like_any_other(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Tenantry imports the new version. `adopt` stays in the file but does not adopt the old app."""
    tenancy.app("Sales", "Staging", description="By hand")
    adopted = driver("app").create({**inputs_for(tenancy), "adopt": True})
    replacement = driver("app").create({**inputs_for(tenancy), "adopt": True, "version": "2.4.0"})
    assert replacement.id != adopted.id


@pytest.mark.parametrize(
    "template", [{}, {"template": "Sales Overview", "template_id": "ce043e01"}], ids=["neither", "both"]
)
def test_a_template_is_named_either_by_name_or_by_id(
    driver: MakeDriver, tenancy: Tenancy, template: dict[str, str]
) -> None:
    inputs = {name: value for name, value in inputs_for(tenancy).items() if name != "template"}
    with pytest.raises(AssertionError, match=r"template: set either template .* or template_id"):
        driver("app").check(inputs | template)


def test_an_app_is_imported_without_data_if_data_is_false(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The export requests no data."""
    driver("app").create({**inputs_for(tenancy), "data": False})
    log = tenancy.qlik.control.requests()
    exports = [request["path"] for request in log if "/export" in request["path"]]
    assert [path.partition("?")[2] for path in exports] == ["NoData=true"]
    assert tenancy.world.apps["Staging", "Sales"]["lastReloadTime"] == ""


def test_the_bot_joins_the_space_of_a_template_if_allowed(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The lookup of templates reads the property. Without it Tenantry does not create the app."""
    inputs = {**inputs_for(tenancy), "template": "Board Report", "version": "1.0.0"}
    with pytest.raises(Failure, match="join_template_space"):
        driver("app").create(inputs)
    driver("app").create({**inputs, "join_template_space": True})
    assert tenancy.world.apps["Staging", "Sales"]["description"].endswith("{v1.0.0}")


def test_the_error_of_a_refused_move_names_the_reason(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik refuses to move an app to a managed space. Apps are published there."""
    app = driver("app").create(inputs_for(tenancy))
    before = remote(tenancy, app.id)
    with pytest.raises(Failure, match=r"(?s)PUT .*/space answered 403 .*cannot move between.*traceId"):
        app.update({**inputs_for(tenancy), "space": tenancy.space("Sales", "managed")})
    assert remote(tenancy, app.id) == before


SCRIPT = "Orders:\nLOAD 1 AS Order AUTOGENERATE 1;\n"


def with_file(tenancy: Tenancy, file: Path) -> Inputs:
    inputs = {name: value for name, value in inputs_for(tenancy).items() if name != "replace"}
    return inputs | {"script": str(file), "script_digest": digest(read(file))}


def script(tenancy: Tenancy, id: str) -> str:
    return str(tenancy.bot.get(f"/api/v1/apps/{id}/scripts/current")["script"])


def test_replace_changes_texts_of_the_script(driver: MakeDriver, tenancy: Tenancy) -> None:
    app = driver("app").create(inputs_for(tenancy))
    assert "SET vCustomer = 'globex';" in script(tenancy, app.id)
    assert app.drift() == {}


def test_a_file_replaces_the_whole_script(driver: MakeDriver, tenancy: Tenancy, tmp_path: Path) -> None:
    file = tmp_path / "sales.qvs"
    file.write_bytes(f"\ufeff{SCRIPT}".replace("\n", "\r\n").encode())
    app = driver("app").create(with_file(tenancy, file))
    assert script(tenancy, app.id).replace("\r\n", "\n") == SCRIPT
    assert app.drift() == {}
    assert str(file) not in str(app.state)


def test_a_file_that_changes_during_a_run_is_not_sent(
    driver: MakeDriver, tenancy: Tenancy, tmp_path: Path
) -> None:
    file = tmp_path / "sales.qvs"
    file.write_text(SCRIPT, "utf-8")
    inputs = with_file(tenancy, file)
    file.write_text("other", "utf-8")
    with pytest.raises(Failure, match="has changed since the run began"):
        driver("app").create(inputs)


def test_a_replaced_text_that_the_template_does_not_have_is_an_error(
    driver: MakeDriver, tenancy: Tenancy
) -> None:
    replace = {"{{CUSTOMER}}": "globex", "'template'": "x"}
    inputs = inputs_for(tenancy) | {"replace": replace, "script_digest": digest_of_replacements(replace)}
    with pytest.raises(Failure, match=r'does not contain "\{\{CUSTOMER\}\}", which'):
        driver("app").create(inputs)


def test_a_script_that_somebody_changed_replaces_the_app(driver: MakeDriver, tenancy: Tenancy) -> None:
    app = driver("app").create(inputs_for(tenancy))
    tenancy.bot.post(f"/api/v1/apps/{app.id}/scripts", {"script": SCRIPT}, repeatable=True)
    assert app.drift() == {"script_digest": digest(SCRIPT)}
    assert app.diff(inputs_for(tenancy)) == ["script_digest"]


def test_a_script_is_set_only_once(
    driver: MakeDriver, tenancy: Tenancy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A run was killed after it set the script and before it renamed the app. The next run, even on another
    machine, recognises the script by the mark in its version.
    """
    fault = tenancy.qlik.control.add_fault(path="/api/v1/apps/*", method="PUT", status=403)
    with pytest.raises(Failure):
        driver("app").create(inputs_for(tenancy))
    tenancy.qlik.control.release(fault)
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "another machine"))
    tenancy.requests()
    app = driver("app").create(inputs_for(tenancy))
    assert not [line for line in tenancy.requests() if line.startswith("POST") and "scripts" in line]
    assert app.drift() == {}


def test_another_script_needs_another_import(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Both apps exist until the published app comes from the new one."""
    replace = {"'template'": "'initech'"}
    first = driver("app").create(inputs_for(tenancy))
    second = driver("app").create(
        inputs_for(tenancy) | {"replace": replace, "script_digest": digest_of_replacements(replace)}
    )
    assert first.id != second.id
    assert "initech" in script(tenancy, second.id)


@pytest.mark.parametrize(
    ("inputs", "message"),
    [
        ({"script": "a.qvs"}, "set either script"),
        ({"script_digest": None}, "set it together with script or replace"),
        ({"replace": None}, "set it together with script or replace"),
    ],
)
def test_a_script_needs_one_source_and_its_digest(
    driver: MakeDriver, tenancy: Tenancy, inputs: Inputs, message: str
) -> None:
    with pytest.raises(AssertionError, match=message):
        driver("app").check(inputs_for(tenancy) | inputs)
