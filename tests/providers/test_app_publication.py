"""Published apps."""

from __future__ import annotations

from typing import Any

import pytest

from tenantry.providers.framework.engine import Failure
from tests.providers.resource_driver import (
    Ask,
    Case,
    Drift,
    InPlace,
    Inputs,
    MakeDriver,
    Tenancy,
)

PUT = ("PUT /api/v1/apps/{id}",)


def given(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "source_app": tenancy.app("Source", "Staging"),
        "space": tenancy.space("Sales", "managed"),
        "name": "Sales Overview",
        "description": "{v2.3.0}",
        "loaded": "r1",
    }


def found(tenancy: Tenancy, id: str) -> dict[str, Any] | None:
    return {each["id"]: each for each in tenancy.world.apps.values()}.get(id)


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    there = found(tenancy, id)
    return there and {
        "source_app": there["originAppId"],
        "space": there["spaceId"],
        "name": there["name"],
        "description": there["description"],
    }


def put(tenancy: Tenancy, id: str, **attributes: str) -> None:
    tenancy.as_bot("PUT", f"apps/{id}", {"attributes": attributes})


def republish(tenancy: Tenancy, id: str) -> None:
    body = {"targetId": id, "checkOriginAppId": False}
    tenancy.as_bot("PUT", f"apps/{tenancy.app('Another', 'Staging')}/publish", body)
    put(tenancy, id, name="Sales Overview", description="{v2.3.0}")


def existing(tenancy: Tenancy, inputs: Inputs, ask: Ask) -> str:
    tenancy.world.join(tenancy.space("Staging"))
    tenancy.world.join(inputs["space"])
    body = {"spaceId": inputs["space"], "attributes": {"name": inputs["name"], "description": "Theirs"}}
    return str(ask("POST", f"apps/{inputs['source_app']}/publish", body)["attributes"]["id"])


CASE = Case(
    "app_publication",
    given,
    remote,
    creates=("GET /api/v1/items", "POST /api/v1/apps/{source_app}/publish", "GET /api/v1/apps/{id}"),
    again=("GET /api/v1/apps/{id}",),
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
    gone=lambda t, id: t.as_bot("DELETE", f"apps/{id}"),
    existing=existing,
    corrected=frozenset({"description"}),
)


def test_everything_at_once_is_one_publication(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Another source, name and description go in one request, which keeps the id."""
    app = driver("app_publication").create(given(tenancy))
    newer = tenancy.app("Newer", "Staging")
    tenancy.requests()
    app.update({**given(tenancy), "source_app": newer, "name": "Sales", "description": "{v2.4.0}"})
    assert tenancy.requests() == [f"PUT /api/v1/apps/{newer}/publish"]
    assert (found(tenancy, app.id) or {})["originAppId"] == newer
    assert (found(tenancy, app.id) or {})["name"] == "Sales"


@pytest.mark.parametrize(("data", "reloaded"), [("source", "new"), ("target", "old")])
def test_whose_data_the_app_has_afterwards(
    driver: MakeDriver, tenancy: Tenancy, data: str, reloaded: str
) -> None:
    """`target` keeps what the customer has loaded; a template without data would blank it."""
    source, newer = (template(driver, tenancy, version) for version in ("2.3.0", "2.4.0"))
    inputs = {**given(tenancy), "source_app": source, "data": data}
    app = driver("app_publication").create(inputs)
    times = {"old": reload_time(tenancy, app.id), "new": reload_time(tenancy, newer)}
    assert times["old"] != times["new"]
    app.update({**inputs, "source_app": newer})
    assert reload_time(tenancy, app.id) == times[reloaded]


def template(driver: MakeDriver, tenancy: Tenancy, version: str) -> str:
    """Import a version of a template; each has data of its own time."""
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
    return str((found(tenancy, id) or {})["lastReloadTime"])


def test_the_first_publication_comes_with_data(driver: MakeDriver, tenancy: Tenancy) -> None:
    """There is no previous data to keep yet."""
    source = template(driver, tenancy, "2.3.0")
    app = driver("app_publication").create({**given(tenancy), "source_app": source, "data": "target"})
    assert reload_time(tenancy, app.id) == reload_time(tenancy, source) != ""


def test_a_publication_into_a_shared_space(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Qlik refuses, its message reaches the user, and nothing is left behind."""
    inputs = {**given(tenancy), "space": tenancy.space("Staging")}
    with pytest.raises(Failure, match=r"(?s)POST .*/publish answered 400 .*managed spaces.*traceId"):
        driver("app_publication").create(inputs)
    assert list(tenancy.world.apps) == [("Staging", "Source")]
