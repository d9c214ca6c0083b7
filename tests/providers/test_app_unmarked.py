"""Apps that somebody else imported. They have no mark, which is not drift until Tenantry changes the app."""

from __future__ import annotations

from tenantry.providers.app import MARK, existing_properties
from tests.providers.resource_driver import MakeDriver, ResourceDriver, Tenancy

SOURCE = "templates.eu.qlikcloud.com"


def imported_app(tenancy: Tenancy, driver: MakeDriver) -> ResourceDriver:
    """Return an app with a version in its description and no mark, as an import adds it to the state."""
    space = tenancy.space("Staging")
    id = tenancy.app("Sales", space="Staging", description="Revenue {v1.0}")
    template_inputs = {"source_tenant": SOURCE, "template": "Sales", "version": "1.0", "data": True}
    found = tenancy.bot.get(f"/api/v1/apps/{id}")["attributes"]
    app = driver("app")
    app.inputs = app.check(
        template_inputs
        | {"tenant": tenancy.hostname, "space": space, "name": "Sales", "description": "Revenue"}
    )
    app.id, app.state = id, app.inputs | existing_properties(found, template_inputs)
    return app


def description(tenancy: Tenancy, app: ResourceDriver) -> str:
    return str(tenancy.bot.get(f"/api/v1/apps/{app.id}")["attributes"]["description"])


def test_a_missing_mark_is_no_drift(tenancy: Tenancy, driver: MakeDriver) -> None:
    app = imported_app(tenancy, driver)
    assert app.state["unmarked"] is True
    assert app.drift() == {}


def test_another_description_is_drift(tenancy: Tenancy, driver: MakeDriver) -> None:
    app = imported_app(tenancy, driver)
    tenancy.as_bot("PUT", f"apps/{app.id}", {"attributes": {"description": "Figures {v1.0}"}})
    assert app.drift() == {"description": "Figures"}
    tenancy.as_bot("PUT", f"apps/{app.id}", {"attributes": {"description": "Figures"}})
    assert app.drift() == {"description": "Figures"}


def test_the_first_change_adds_the_mark_and_its_loss_is_drift_then(
    tenancy: Tenancy, driver: MakeDriver
) -> None:
    app = imported_app(tenancy, driver)
    app.update(app.inputs | {"name": "Sales EU"})
    assert app.state["unmarked"] is False
    assert MARK.search(description(tenancy, app))
    assert app.drift() == {}
    tenancy.as_bot("PUT", f"apps/{app.id}", {"attributes": {"description": "Revenue {v1.0}"}})
    assert app.drift() == {"description": "Revenue {v1.0}"}
