"""Themes: archives, their checksums, and files that change during a run."""

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


def write_theme(tenancy: Tenancy, style: str = "red", name: str = "Corporate") -> Path:
    """Write the theme of the tenancy and return its folder."""
    return write(Path(scratch().name, tenancy.hostname, "theme"), name, style)


def md5(tenancy: Tenancy, style: str = "red") -> str:
    """Write the theme and return its MD5."""
    return archives.read(write_theme(tenancy, style), theme=True).md5


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "name": "Corporate",
        "md5": md5(tenancy),
        "path": str(write_theme(tenancy)),
    }


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = next((found for found in tenancy.world.every("theme") if found["id"] == id), None)
    return found and {"name": found["name"], "md5": found["file"]["md5"]}


def write_theirs(tenancy: Tenancy, name: str = "Corporate") -> Path:
    """Write a theme of somebody else and return its folder."""
    return write(Path(scratch().name, tenancy.hostname, "theirs"), name, "blue")


def create_existing(tenancy: Tenancy, inputs: Inputs, send: SendRequest) -> str:
    return str(send("POST", "themes", form(write_theirs(tenancy, inputs["name"])))["id"])


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
            lambda t, id: t.world.request("PATCH", f"themes/{id}", form(write_theirs(t))),
            lambda t: archives.read(write_theirs(t), theme=True).md5,
        ),
    },
    remove=lambda t, id: t.world.request("DELETE", f"themes/{id}"),
    create_existing=create_existing,
    corrected=frozenset({"md5"}),
)


def test_a_file_that_qlik_removes_from_an_archive_is_no_drift(
    driver: MakeDriver, tenancy: Tenancy, tmp_path: Path
) -> None:
    """Qlik stores another zip file and returns the MD5 of that file."""
    import zipfile

    path = tmp_path / "theme.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("corporate.qext", (THEME / "corporate.qext").read_text())
        archive.writestr("LICENSE", "Nobody keeps this")
    sent_md5 = archives.read(path, theme=True).md5
    our_theme = driver("theme").create(inputs_for(tenancy) | {"path": str(path), "md5": sent_md5})
    assert our_theme.state["stored_md5"] != sent_md5
    assert our_theme.drift() == {}
    tenancy.world.request("PATCH", f"themes/{our_theme.id}", form(write_theirs(tenancy)))
    assert our_theme.drift() == {"md5": archives.read(write_theirs(tenancy), theme=True).md5}
    our_theme.update(our_theme.inputs)
    assert our_theme.drift() == {}


def test_files_that_change_during_a_run_are_not_sent(driver: MakeDriver, tenancy: Tenancy) -> None:
    inputs = inputs_for(tenancy)
    write_theme(tenancy, "black")
    with pytest.raises(Failure, match="has changed since the run began"):
        driver("theme").create(inputs)
    assert tenancy.world.every("theme") == []
