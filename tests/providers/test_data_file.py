"""Data files: Qlik has no hash, so size and date show a change at Qlik."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import pytest

from tenantry.providers.framework.engine import Failure
from tenantry.providers.qlik.messages import Part
from tenantry.providers.values import data_files
from tests.archives import FOLDER, scratch
from tests.forms import FormBody
from tests.providers.resource_driver import (
    Case,
    Drift,
    InPlace,
    Inputs,
    MakeDriver,
    SendRequest,
    Tenancy,
)
from tests.world import Doc

PATH = "/api/v1/data-files"
CONNECTIONS = f"GET {PATH}/connections"
GET = f"GET {PATH}/{{id}}"
PUT = (f"PUT {PATH}/{{id}}", GET)
FILE = FOLDER / "rates.csv"
SAMPLE = {
    "tenant": "x1y2z3.eu.qlikcloud.com",
    "space": "s1",
    "name": "rates.csv",
    "sha256": "0123456789abcdef" * 4,
    "adopt": True,
}
EXAMPLE = {"rates.csv": {"space": "Staging", "path": str(FILE)}}


def write_file(tenancy: Tenancy, text: str = "red") -> Path:
    """Write the file of the tenancy and return its path."""
    path = Path(scratch().name, f"{tenancy.hostname}.csv")
    path.write_text(text)
    return path


def digest(text: str = "red") -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def write_and_digest(tenancy: Tenancy, text: str) -> str:
    """Write other content to the file of the tenancy and return its hash."""
    write_file(tenancy, text)
    return digest(text)


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "space": tenancy.space("Data"),
        "name": "rates.csv",
        "sha256": digest(),
        "path": str(write_file(tenancy)),
    }


def files_by_id(tenancy: Tenancy) -> dict[str, Doc]:
    return {stored_file["id"]: stored_file for stored_file in tenancy.world.every("data-file")}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    found = files_by_id(tenancy).get(id)
    # The emulator names a stored file after the SHA-256 of its content.
    return found and {"space": found["spaceId"], "name": found["name"], "sha256": found["_file"]}


def form(tenancy: Tenancy, space: str, name: str, text: str | None) -> FormBody:
    """Return the form that uploads or renames a file. Without `text` it has no content."""
    connection = next(tenancy.bot.list(f"{PATH}/connections", {"spaceId": space}))["id"]
    description = json.dumps({"name": name, "connectionId": connection}).encode()
    parts = {"Json": Part(description, "application/json")}
    return FormBody(parts | ({} if text is None else {"File": Part(text.encode(), "text/csv", name)}))


def changed_by_hand(name: str | None, text: str | None, live: object) -> Drift:
    def do(tenancy: Tenancy, id: str) -> None:
        stored_file = files_by_id(tenancy)[id]
        body = form(tenancy, stored_file["spaceId"], name or stored_file["name"], text)
        tenancy.world.request("PUT", f"data-files/{id}", body)

    return Drift(do, live)


def hash_after_change(tenancy: Tenancy) -> str:
    """Return the value that a refresh shows for the hash after somebody has changed the only file."""
    (found,) = files_by_id(tenancy).values()
    return f"unknown: changed at Qlik at {found['contentUpdatedDate']}"


def create_existing(tenancy: Tenancy, inputs: Inputs, send: SendRequest) -> str:
    body = form(tenancy, inputs["space"], inputs["name"], "blue")
    return str(send("POST", "data-files", body)["id"])


CASE = Case(
    "data_file",
    inputs_for,
    remote,
    creates=(CONNECTIONS, f"POST {PATH}", GET),
    deletes=(f"DELETE {PATH}/{{id}}",),
    changes={
        "name": InPlace("rates 2.csv", PUT),
        "sha256": InPlace(lambda t: write_and_digest(t, "green"), PUT),
    },
    replaces={"space": lambda t: t.space("Other")},
    drifts={
        "name": changed_by_hand("mine.csv", None, "mine.csv"),
        "sha256": changed_by_hand(None, "blue", hash_after_change),
    },
    remove=lambda t, id: t.world.request("DELETE", f"data-files/{id}"),
    create_existing=create_existing,
    corrected=frozenset({"sha256"}),
)


def test_the_hash_of_a_file_covers_all_chunks(tmp_path: Path) -> None:
    """The second chunk has one byte."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"x" * (data_files.CHUNK + 1))
    assert data_files.sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_that_changes_during_a_run_is_not_sent(driver: MakeDriver, tenancy: Tenancy) -> None:
    inputs = inputs_for(tenancy)
    write_file(tenancy, "black")
    with pytest.raises(Failure, match="has changed since the run began"):
        driver("data_file").create(inputs)
    assert files_by_id(tenancy) == {}


def test_new_content_of_the_same_size_is_drift(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The date shows the change."""
    resource = driver("data_file").create(inputs_for(tenancy))
    assert resource.drift() == {}
    changed_by_hand(None, "red", None).do(tenancy, resource.id)
    assert resource.drift() == {"sha256": hash_after_change(tenancy)}
    resource.update(resource.inputs)
    assert (resource.drift(), resource.state["size"]) == ({}, 3)


def test_a_large_file_is_sent_again_after_a_broken_connection(
    driver: MakeDriver, tenancy: Tenancy, tmp_path: Path
) -> None:
    path = tmp_path / "large.csv"
    path.write_bytes(bytes(range(256)) * 20_000)
    inputs = inputs_for(tenancy) | {"path": str(path), "sha256": data_files.sha256(path)}
    tenancy.qlik.control.add_fault(method="POST", path=PATH, drop_before=True, times=1)
    resource = driver("data_file").create(inputs)
    assert (remote(tenancy, resource.id) or {})["sha256"] == inputs["sha256"]


@pytest.mark.parametrize("effect", ["drop_after", "truncate"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_lost_response_creates_no_second_file(
    driver: MakeDriver, tenancy: Tenancy, effect: str, method: str
) -> None:
    resource = driver("data_file")
    if method == "PUT":
        resource.create(inputs_for(tenancy))
    tenancy.qlik.control.add_fault(method=method, path=f"{PATH}*", **{effect: True}, times=1)
    desired = inputs_for(tenancy) | {"sha256": write_and_digest(tenancy, "green")}
    resource.update(desired) if method == "PUT" else resource.create(desired)
    assert files_by_id(tenancy).keys() == {resource.id}
    assert (remote(tenancy, resource.id) or {})["sha256"] == digest("green")
    assert resource.drift() == {}


def test_create_waits_for_the_connection_of_a_new_space(
    driver: MakeDriver, tenancy: Tenancy, monkeypatch: pytest.MonkeyPatch
) -> None:
    inputs = inputs_for(tenancy)
    empty: Doc = {"data": [], "links": {}}
    control = tenancy.qlik.control
    monkeypatch.setenv("TENANTRY_LAG_SECONDS", "30")
    control.add_fault(path=f"{PATH}/connections", status=200, body=empty, times=1)
    assert driver("data_file").create(inputs).drift() == {}
    monkeypatch.setenv("TENANTRY_LAG_SECONDS", "0")
    control.add_fault(path=f"{PATH}/connections", status=200, body=empty)
    with pytest.raises(Failure, match="Qlik shows no data files of its space"):
        driver("data_file").create(inputs | {"name": "b.csv"})


def test_a_file_does_not_exist_after_the_deletion_of_its_space(driver: MakeDriver, tenancy: Tenancy) -> None:
    resource = driver("data_file").create(inputs_for(tenancy))
    tenancy.world.request("DELETE", f"spaces/{resource.inputs['space']}")
    assert resource.drift() is None
    resource.delete()


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (400, "DF-010", "does not accept data files with this extension"),
        (403, "HTTP-403", "a role that may edit in the space"),
        (413, "HTTP-413", "Make the file smaller"),
        (423, "HTTP-423", "Run it again"),
    ],
)
def test_the_error_of_a_refused_file_says_what_to_do(
    driver: MakeDriver, tenancy: Tenancy, status: int, code: str, advice: str
) -> None:
    """If the file is too large, the error shows its size."""
    body = {"errors": [{"code": code, "title": "No"}]}
    tenancy.qlik.control.add_fault(method="POST", path=PATH, status=status, body=body)
    with pytest.raises(Failure, match=advice) as caught:
        driver("data_file").create(inputs_for(tenancy))
    assert ("Sent: a form of 0.1 kB" in str(caught.value)) is (status == 413)


@pytest.mark.parametrize("name", ["rates", "a/b.csv", "a\\b.csv", "rates.", "x" * 252 + ".csv"])
def test_an_invalid_name_is_refused(driver: MakeDriver, tenancy: Tenancy, name: str) -> None:
    with pytest.raises(AssertionError, match=r"^name: .*allowed: a file name with an extension"):
        driver("data_file").check(inputs_for(tenancy) | {"name": name})
