"""Themes."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenantry.providers.framework.engine import Failure
from tenantry.providers.values import archives
from tests.archives import THEME, form, named, scratch, write
from tests.providers.resource_driver import (
    Case,
    Drift,
    InPlace,
    Inputs,
    MakeDriver,
    SendRequest,
    Tenancy,
)

PATH = "/api/v1/themes"
PATCH = (f"PATCH {PATH}/{{id}}",)
TENANT = "x1y2z3.eu.qlikcloud.com"
SAMPLE = {"tenant": TENANT, "name": "Corporate", "md5": "0123456789abcdef0123456789abcdef", "adopt": True}
EXAMPLE = {"Corporate": {"path": str(THEME)}}


def folder(tenancy: Tenancy, style: str = "red", name: str = "Corporate") -> Path:
    """The folder of the tenancy's theme, as it is now."""
    return write(Path(scratch().name, tenancy.hostname, "theme"), name, style)


def md5(tenancy: Tenancy, style: str = "red") -> str:
    """Write the theme and return its MD5."""
    return archives.read(folder(tenancy, style), theme=True).md5


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "name": "Corporate",
        "md5": md5(tenancy),
        "path": str(folder(tenancy)),
    }


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = next((each for each in tenancy.world.every("theme") if each["id"] == id), None)
    return found and {"name": found["name"], "md5": found["file"]["md5"]}


def other(tenancy: Tenancy, name: str = "Corporate") -> Path:
    """A folder of somebody else's."""
    return write(Path(scratch().name, tenancy.hostname, "theirs"), name, "blue")


def create_existing(tenancy: Tenancy, inputs: Inputs, send: SendRequest) -> str:
    return str(send("POST", "themes", form(other(tenancy, inputs["name"])))["id"])


CASE = Case(
    "theme",
    inputs_for,
    remote,
    creates=(f"POST {PATH}",),
    deletes=(f"DELETE {PATH}/{{id}}",),
    changes={
        "name": InPlace("Corporate 2", PATCH),
        "md5": InPlace(lambda t: md5(t, "green"), PATCH),
    },
    drifts={
        "name": Drift(lambda t, id: t.world.request("PATCH", f"themes/{id}", named("Mine")), "Mine"),
        "md5": Drift(
            lambda t, id: t.world.request("PATCH", f"themes/{id}", form(other(t))),
            lambda t: archives.read(other(t), theme=True).md5,
        ),
    },
    remove=lambda t, id: t.world.request("DELETE", f"themes/{id}"),
    create_existing=create_existing,
    corrected=frozenset({"md5"}),
)


def test_what_qlik_leaves_out_of_an_archive_is_no_drift(
    driver: MakeDriver, tenancy: Tenancy, tmp_path: Path
) -> None:
    """It stores another zip than it was sent, and names the MD5 of that."""
    import zipfile

    path = tmp_path / "theme.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("corporate.qext", (THEME / "corporate.qext").read_text())
        archive.writestr("LICENSE", "Nobody keeps this")
    sent = archives.read(path, theme=True).md5
    made = driver("theme").create(inputs_for(tenancy) | {"path": str(path), "md5": sent})
    assert made.state["stored_md5"] != sent
    assert made.drift() == {}
    tenancy.world.request("PATCH", f"themes/{made.id}", form(other(tenancy)))
    assert made.drift() == {"md5": archives.read(other(tenancy), theme=True).md5}
    made.update(made.inputs)
    assert made.drift() == {}


def test_files_that_change_during_a_run_are_not_sent(driver: MakeDriver, tenancy: Tenancy) -> None:
    inputs = inputs_for(tenancy)
    folder(tenancy, "black")
    with pytest.raises(Failure, match="has changed since the run began"):
        driver("theme").create(inputs)
    assert tenancy.world.every("theme") == []
