"""An app that somebody else imported has no mark of ours: that is no difference, until it is changed."""

from __future__ import annotations

from tenantry.providers.app import MARK, as_found
from tests.providers.resource_driver import MakeDriver, ResourceDriver, Tenancy

SOURCE = "templates.eu.qlikcloud.com"


def taken(tenancy: Tenancy, driver: MakeDriver) -> ResourceDriver:
    """An app with a version in its description and no mark, as an import takes it into the state."""
    space = tenancy.space("Staging")
    id = tenancy.app("Sales", space="Staging", description="Revenue {v1.0}")
    own = {"source_tenant": SOURCE, "template": "Sales", "version": "1.0", "data": True}
    found = tenancy.bot.get(f"/api/v1/apps/{id}")["attributes"]
    app = driver("app")
    app.inputs = app.check(
        own | {"tenant": tenancy.hostname, "space": space, "name": "Sales", "description": "Revenue"}
    )
    app.id, app.state = id, app.inputs | as_found(found, own)
    return app


def description(tenancy: Tenancy, app: ResourceDriver) -> str:
    return str(tenancy.bot.get(f"/api/v1/apps/{app.id}")["attributes"]["description"])


def test_the_missing_mark_is_no_difference(tenancy: Tenancy, driver: MakeDriver) -> None:
    app = taken(tenancy, driver)
    assert app.state["unmarked"] is True
    assert app.drift() == {}


def test_another_description_is_one(tenancy: Tenancy, driver: MakeDriver) -> None:
    app = taken(tenancy, driver)
    tenancy.as_bot("PUT", f"apps/{app.id}", {"attributes": {"description": "Figures {v1.0}"}})
    assert app.drift() == {"description": "Figures"}
    tenancy.as_bot("PUT", f"apps/{app.id}", {"attributes": {"description": "Figures"}})
    assert app.drift() == {"description": "Figures"}


def test_the_first_change_writes_the_mark_and_then_it_counts(tenancy: Tenancy, driver: MakeDriver) -> None:
    app = taken(tenancy, driver)
    app.update(app.inputs | {"name": "Sales EU"})
    assert app.state["unmarked"] is False
    assert MARK.search(description(tenancy, app))
    assert app.drift() == {}
    tenancy.as_bot("PUT", f"apps/{app.id}", {"attributes": {"description": "Revenue {v1.0}"}})
    assert app.drift() == {"description": "Revenue {v1.0}"}
