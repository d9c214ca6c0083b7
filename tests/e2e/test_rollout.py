"""New versions of a template for existing customers."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, SOURCE_TENANT, settings, with_changes
from tests.e2e.harness import Stack
from tests.e2e.operations import bring_up
from tests.e2e.result import Result
from tests.world import World

APP = "apps/Sales Overview"
CUSTOMER = with_changes(
    GLOBEX,
    ("spaces/Partners", {"type": "managed"}),
    (f"{APP}/publish_to", ["Sales", "Partners"]),
)
MAX_HEADER_BYTES = 1000
"""The maximum bytes that an export adds. The versions of the template differ by more."""
ROLLOUT = {
    "replace": ["App Sales Overview"],
    "update": [
        "AppPublication Sales Overview in Partners",
        "AppPublication Sales Overview in Sales",
    ],
}


def with_version(customer: dict[str, Any], number: str, **app_settings: Any) -> dict[str, Any]:
    """Return the customer with another version of the template and other settings of the app."""
    other_changes = [(f"{APP}/{key}", value) for key, value in app_settings.items()]
    return with_changes(customer, (f"{APP}/version", number), *other_changes)


def test_a_version_is_rolled_out_and_rolled_back(stack: Stack, qlik: Emulator) -> None:
    """Published apps keep their ids, URLs and spaces. Only their content changes."""
    stack.write(**settings(CUSTOMER))
    stack.up()
    outputs = stack.outputs()
    world = World(qlik, outputs["hostname"])
    first_import = world.apps["Staging", "Sales Overview"]
    assert_rolled_out(world, "2.3.0", "Sales", "Partners")

    stack.write(**settings(with_version(CUSTOMER, "2.4.0")))
    preview = stack.preview()
    assert {key: preview.changes[key] for key in ROLLOUT} == ROLLOUT
    up = stack.up()
    assert up.changes == preview.changes
    steps = [
        operation for operation, name in up.operations if name in (*ROLLOUT["replace"], *ROLLOUT["update"])
    ]
    assert steps == ["create-replacement", "replace", "update", "update", "delete-replaced"]
    assert_rolled_out(world, "2.4.0", "Sales", "Partners")
    assert world.apps["Staging", "Sales Overview"]["id"] != first_import["id"]
    assert stack.outputs() == outputs

    stack.write(**settings(with_version(CUSTOMER, "2.3.0")))
    assert stack.up().changes == preview.changes
    assert_rolled_out(world, "2.3.0", "Sales", "Partners")
    assert stack.outputs() == outputs
    assert stack.up("--expect-no-changes").requests == []


def assert_rolled_out(world: World, number: str, *spaces: str) -> None:
    """Check that the staged app and all published apps have this version, with its data."""
    apps = world.apps
    assert apps.keys() == {(space, "Sales Overview") for space in ("Staging", *spaces)}
    staged = apps.pop(("Staging", "Sales Overview"))
    template = templates(world.qlik)[number]
    assert staged["description"].endswith(f"{{v{number}}}")
    assert 0 <= staged["_size"] - template["_size"] < MAX_HEADER_BYTES
    for published in apps.values():
        assert published["originAppId"] == staged["id"]
        assert published["description"] == f"{{v{number}}}"
        assert published["_size"] == staged["_size"]
        assert published["lastReloadTime"] == staged["lastReloadTime"] != ""


def templates(qlik: Emulator) -> dict[str, dict[str, Any]]:
    """Return the versions of the template by number."""
    apps = World(qlik, SOURCE_TENANT).every("app")
    return {
        template["description"].rpartition("{v")[2].rstrip("}"): template
        for template in apps
        if template["name"] == "Sales Overview"
    }


def test_an_import_without_data_keeps_the_published_data(stack: Stack, qlik: Emulator) -> None:
    """`data: false` imports an app without data. `template_id` names exactly one app."""
    world = bring_up(stack, qlik, GLOBEX)
    reload_time = world.apps["Sales", "Sales Overview"]["lastReloadTime"]
    assert reload_time

    newer_id = templates(qlik)["2.4.0"]["id"]
    stack.write(**settings(with_version(GLOBEX, "2.4.0", template=None, template_id=newer_id, data=False)))
    up = stack.up()
    exports = [request["path"] for request in up.requests if "/export" in request["path"]]
    assert exports == [f"/api/v1/apps/{newer_id}/export?NoData=true"]
    published = world.apps["Sales", "Sales Overview"]
    assert published["lastReloadTime"] == reload_time
    assert published["description"] == "{v2.4.0}"
    assert world.apps["Staging", "Sales Overview"]["lastReloadTime"] == ""


def test_each_unusable_template_has_its_own_error(stack: Stack, qlik: Emulator) -> None:
    """The run creates everything else. After a correction, the next `up` creates the rest."""
    source = World(qlik, SOURCE_TENANT)
    space = source.spaces["Templates"]["id"]
    source.join(space)
    duplicate = {"name": "Inventory", "description": "Another {v1.0.0}", "spaceId": space}
    source.request("POST", "apps", {"attributes": duplicate})
    gallery = next(template["id"] for template in source.every("app") if template["publishTime"])
    customer = with_changes(
        GLOBEX,
        ("apps/Missing", app(template="Sales")),
        ("apps/Version", app(template="Sales Overview", version="2.3")),
        ("apps/Locked", app(template="Board Report")),
        ("apps/Published", app(template_id=gallery)),
        ("apps/Twice", app(template="Inventory")),
    )
    stack.write(**settings(customer))
    failed = stack.up("--continue-on-error", expect=None)
    assert failed.rc != 0
    expected = {
        "App Missing": ("template 'Sales', version 1.0.0", "this client finds no such app", "exact"),
        "App Version": ("not in that version", "the closest is 2.3.0", "Versions found: 2.3.0, 2.4.0"),
        "App Locked": ("may see it but not export it", "producer", "answered 403", "traceId"),
        "App Published": (gallery, "only as a published copy in a managed space"),
        "App Twice": ("2 apps match", "template_id", space),
    }
    assert failed.failed == sorted(expected)
    for name, words in expected.items():
        found = [error for error in failed.errors if all(word in error for word in words)]
        assert len(found) == 1, f"{name}: {failed.errors}"
        assert SOURCE_TENANT in found[0]
    assert "Traceback" not in failed.output
    world = World(qlik, next(iter(tenants(qlik))))
    assert world.apps.keys() == {("Staging", "Sales Overview"), ("Sales", "Sales Overview")}

    repaired = with_changes(GLOBEX, ("apps/Stock", app(template="Sales Overview", version="2.4.0")))
    stack.write(**settings(repaired))
    result = stack.up()
    assert result.changes["create"] == [
        "App Stock",
        "TenantActivation activation",
        "TenantLifecycle lifecycle",
    ]
    assert not {"update", "delete", "replace"} & result.changes.keys()
    assert len(tenants(qlik)) == 1

    before = world.apps
    stack.write(**settings(with_version(repaired, "9.9.9")))
    assert stack.up(expect=None).failed == ["App Sales Overview"]
    assert world.apps == before
    stack.write(**settings(repaired))
    assert stack.up("--expect-no-changes").requests == []


def app(**app_settings: Any) -> dict[str, Any]:
    return {"version": "1.0.0", "staging": "Staging", **app_settings}


def tenants(qlik: Emulator) -> dict[str, Any]:
    """Return the created tenants, by hostname."""
    created = [tenant for tenant in qlik.control.dump()["cloud"]["tenant"] if tenant.get("_created")]
    return {tenant["hostnames"][0]: tenant for tenant in created}


def test_an_export_that_is_not_an_app_file_is_refused(stack: Stack, qlik: Emulator) -> None:
    """The run neither imports nor caches a web page.

    If Qlik refuses an exported file, the next run exports the template again.
    """
    stack.write(**settings(GLOBEX))
    page = {"status": 200, "body": "<!doctype html><html><body>Sign in</body></html>"}
    qlik.control.add_fault(method="GET", path="/api/v1/temp-contents/*", **page)
    failed = stack.up(expect=1)
    assert failed.failed == ["App Sales Overview"]
    assert any("a page or a message instead of a file" in error for error in failed.errors)
    assert counts(failed) == (2, 0), "one export before the tenant is created, and one for the app"
    qlik.control.clear_faults()
    cache = Path(stack.env["TENANTRY_CACHE"])
    assert list(cache.rglob("*.qvf")) == []

    qlik.control.add_fault(method="POST", path="/api/v1/apps/import", status=400, times=1)
    assert counts(stack.up(expect=1)) == (1, 1)
    (cached_file,) = cache.rglob("*.qvf")
    cached_file.write_bytes(b"something else")
    assert counts(stack.up()) == (1, 1)
    world = World(qlik, stack.outputs()["hostname"])
    assert_rolled_out(world, "2.3.0", "Sales")


def counts(result: Result) -> tuple[int, int]:
    """Count the exports and imports of a run."""
    paths = [request["path"] for request in result.requests if request["method"] == "POST"]
    return sum("/export" in path for path in paths), sum("/apps/import" in path for path in paths)


def test_many_customers_cause_one_export(
    make_stack: Callable[..., Stack], qlik: Emulator, tmp_path: Path
) -> None:
    """The second customer gets the template from the cache of the machine."""
    export_and_import_counts = []
    for name in ("globex", "initech"):
        stack = make_stack(name, qlik=qlik)
        stack.write(**settings(with_changes(GLOBEX, ("name", name.title()), ("alias", name))))
        export_and_import_counts.append(counts(stack.up(TENANTRY_CACHE=str(tmp_path / "cache"))))
    assert export_and_import_counts == [(1, 1), (0, 1)]
