"""Published apps."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.providers.framework.engine import Failure
from tests.providers.resource_driver import (
    Case,
    Drift,
    InPlace,
    Inputs,
    MakeDriver,
    SendRequest,
    Tenancy,
)

PUT = ("PUT /api/v1/apps/{id}",)


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "source_app": tenancy.app("Source", "Staging"),
        "space": tenancy.space("Sales", "managed"),
        "name": "Sales Overview",
        "description": "{v2.3.0}",
        "loaded": "r1",
    }


def find_app(tenancy: Tenancy, id: str) -> dict[str, Any] | None:
    """Return the app as the emulator stores it."""
    return {app["id"]: app for app in tenancy.world.apps.values()}.get(id)


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    published = find_app(tenancy, id)
    return published and {
        "source_app": published["originAppId"],
        "space": published["spaceId"],
        "name": published["name"],
        "description": published["description"],
    }


def put(tenancy: Tenancy, id: str, **attributes: str) -> None:
    tenancy.as_bot("PUT", f"apps/{id}", {"attributes": attributes})


def republish(tenancy: Tenancy, id: str) -> None:
    body = {"targetId": id, "checkOriginAppId": False}
    tenancy.as_bot("PUT", f"apps/{tenancy.app('Another', 'Staging')}/publish", body)
    put(tenancy, id, name="Sales Overview", description="{v2.3.0}")


def create_existing(tenancy: Tenancy, inputs: Inputs, send: SendRequest) -> str:
    tenancy.world.join(tenancy.space("Staging"))
    tenancy.world.join(inputs["space"])
    body = {"spaceId": inputs["space"], "attributes": {"name": inputs["name"], "description": "Theirs"}}
    return str(send("POST", f"apps/{inputs['source_app']}/publish", body)["attributes"]["id"])


CASE = Case(
    "app_publication",
    inputs_for,
    remote,
    creates=("GET /api/v1/items", "POST /api/v1/apps/{source_app}/publish", "GET /api/v1/apps/{id}"),
    resumes=("GET /api/v1/apps/{id}",),
    deletes=("DELETE /api/v1/apps/{id}",),
    changes={
        "name": InPlace("Sales", PUT),
        "description": InPlace("{v2.4.0}", PUT),
        "space": InPlace(lambda t: t.space("Other", "managed"), ("PUT /api/v1/apps/{id}/space",)),
        "source_app": InPlace(
            lambda t: t.app("Newer", "Staging"), ("PUT /api/v1/apps/{source_app}/publish",)
        ),
        "data": InPlace("target"),
        "loaded": InPlace("r2", ("PUT /api/v1/apps/{source_app}/publish",)),
    },
    drifts={
        "name": Drift(lambda t, id: put(t, id, name="Mine"), "Mine"),
        "description": Drift(lambda t, id: put(t, id, description="Mine"), "Mine"),
        "space": Drift(
            lambda t, id: t.as_bot("PUT", f"apps/{id}/space", {"spaceId": t.space("Elsewhere", "managed")}),
            lambda t: t.space("Elsewhere"),
        ),
        "source_app": Drift(republish, lambda t: t.app("Another", "Staging")),
    },
    remove=lambda t, id: t.as_bot("DELETE", f"apps/{id}"),
    create_existing=create_existing,
    corrected=frozenset({"description"}),
)


def test_several_changes_take_one_request(driver: MakeDriver, tenancy: Tenancy) -> None:
    """One request changes the source, name and description. The app keeps its id."""
    app = driver("app_publication").create(inputs_for(tenancy))
    newer = tenancy.app("Newer", "Staging")
    tenancy.requests()
    app.update({**inputs_for(tenancy), "source_app": newer, "name": "Sales", "description": "{v2.4.0}"})
    assert tenancy.requests() == [f"PUT /api/v1/apps/{newer}/publish"]
    assert (find_app(tenancy, app.id) or {})["originAppId"] == newer
    assert (find_app(tenancy, app.id) or {})["name"] == "Sales"


@pytest.mark.parametrize(("data", "origin"), [("source", "new"), ("target", "old")])
def test_data_selects_the_data_of_a_republished_app(
    driver: MakeDriver, tenancy: Tenancy, data: str, origin: str
) -> None:
    """`target` keeps the data that the customer has loaded. The data of the template would replace it."""
    source, newer = (template(driver, tenancy, version) for version in ("2.3.0", "2.4.0"))
    inputs = {**inputs_for(tenancy), "source_app": source, "data": data}
    app = driver("app_publication").create(inputs)
    times = {"old": reload_time(tenancy, app.id), "new": reload_time(tenancy, newer)}
    assert times["old"] != times["new"]
    app.update({**inputs, "source_app": newer})
    assert reload_time(tenancy, app.id) == times[origin]


def template(driver: MakeDriver, tenancy: Tenancy, version: str) -> str:
    """Import a version of a template. Each version has its own reload time."""
    inputs = {
        "tenant": tenancy.hostname,
        "space": tenancy.space("Staging"),
        "name": version,
        "source_tenant": "templates.eu.qlikcloud.com",
        "template": "Sales Overview",
        "version": version,
    }
    return driver("app").create(inputs).id


def reload_time(tenancy: Tenancy, id: str) -> str:
    return str((find_app(tenancy, id) or {})["lastReloadTime"])


def test_the_first_publication_has_the_data_of_the_source(driver: MakeDriver, tenancy: Tenancy) -> None:
    """With `target`, there is no previous data to keep yet."""
    source = template(driver, tenancy, "2.3.0")
    app = driver("app_publication").create({**inputs_for(tenancy), "source_app": source, "data": "target"})
    assert reload_time(tenancy, app.id) == reload_time(tenancy, source) != ""


def test_a_publication_into_a_shared_space_is_refused(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik refuses it. The user gets the message of Qlik, and no app is created."""
    inputs = {**inputs_for(tenancy), "space": tenancy.space("Staging")}
    with pytest.raises(Failure, match=r"(?s)POST .*/publish answered 400 .*managed spaces.*traceId"):
        driver("app_publication").create(inputs)
    assert list(tenancy.world.apps) == [("Staging", "Source")]
