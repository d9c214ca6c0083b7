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


def file(tenancy: Tenancy, text: str = "red") -> Path:
    """The file of the tenancy, as it is now."""
    path = Path(scratch().name, f"{tenancy.hostname}.csv")
    path.write_text(text)
    return path


def digest(text: str = "red") -> str:
    return hashlib.sha256(text.encode()).hexdigest()


def written(tenancy: Tenancy, text: str) -> str:
    """Write another content and return its hash."""
    file(tenancy, text)
    return digest(text)


def inputs_for(tenancy: Tenancy) -> Inputs:
    return {
        "tenant": tenancy.hostname,
        "space": tenancy.space("Data"),
        "name": "rates.csv",
        "sha256": digest(),
        "path": str(file(tenancy)),
    }


def held(tenancy: Tenancy) -> dict[str, Doc]:
    return {each["id"]: each for each in tenancy.world.every("data-file")}


def remote(tenancy: Tenancy, id: str) -> Inputs | None:
    """The emulator names a stored file after the SHA-256 of its content."""
    found = held(tenancy).get(id)
    return found and {"space": found["spaceId"], "name": found["name"], "sha256": found["_file"]}


def form(tenancy: Tenancy, space: str, name: str, text: str | None) -> FormBody:
    """The form with which somebody uploads or renames a file."""
    found = next(tenancy.bot.list(f"{PATH}/connections", {"spaceId": space}))["id"]
    description = json.dumps({"name": name, "connectionId": found}).encode()
    parts = {"Json": Part(description, "application/json")}
    return FormBody(parts | ({} if text is None else {"File": Part(text.encode(), "text/csv", name)}))


def by_hand(name: str | None, text: str | None, live: object) -> Drift:
    def do(tenancy: Tenancy, id: str) -> None:
        there = held(tenancy)[id]
        body = form(tenancy, there["spaceId"], name or there["name"], text)
        tenancy.world.request("PUT", f"data-files/{id}", body)

    return Drift(do, live)


def shown(tenancy: Tenancy) -> str:
    """Return the value in place of the hash, after somebody has changed the only file."""
    (found,) = held(tenancy).values()
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
        "sha256": InPlace(lambda t: written(t, "green"), PUT),
    },
    replaces={"space": lambda t: t.space("Other")},
    drifts={
        "name": by_hand("mine.csv", None, "mine.csv"),
        "sha256": by_hand(None, "blue", shown),
    },
    remove=lambda t, id: t.world.request("DELETE", f"data-files/{id}"),
    create_existing=create_existing,
    corrected=frozenset({"sha256"}),
)


def test_the_hash_of_a_file(tmp_path: Path) -> None:
    """It is that of the content, read in pieces, with the limit on the last byte."""
    path = tmp_path / "a.csv"
    path.write_bytes(b"x" * (data_files.CHUNK + 1))
    assert data_files.sha256(path) == hashlib.sha256(path.read_bytes()).hexdigest()


def test_a_file_that_changes_during_a_run_is_not_sent(driver: MakeDriver, tenancy: Tenancy) -> None:
    inputs = inputs_for(tenancy)
    file(tenancy, "black")
    with pytest.raises(Failure, match="has changed since the run began"):
        driver("data_file").create(inputs)
    assert held(tenancy) == {}


def test_a_new_content_of_the_same_size_is_drift(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The date shows the change. Reading the file changes nothing."""
    made = driver("data_file").create(inputs_for(tenancy))
    assert made.drift() == {}
    by_hand(None, "red", None).do(tenancy, made.id)
    assert made.drift() == {"sha256": shown(tenancy)}
    made.update(made.inputs)
    assert (made.drift(), made.state["size"]) == ({}, 3)


def test_a_large_file_is_sent_in_pieces(driver: MakeDriver, tenancy: Tenancy, tmp_path: Path) -> None:
    """Also where the first request broke off."""
    path = tmp_path / "large.csv"
    path.write_bytes(bytes(range(256)) * 20_000)
    inputs = inputs_for(tenancy) | {"path": str(path), "sha256": data_files.sha256(path)}
    tenancy.qlik.control.add_fault(method="POST", path=PATH, drop_before=True, times=1)
    made = driver("data_file").create(inputs)
    assert (remote(tenancy, made.id) or {})["sha256"] == inputs["sha256"]


@pytest.mark.parametrize("effect", ["drop_after", "truncate"])
@pytest.mark.parametrize("method", ["POST", "PUT"])
def test_a_lost_answer_makes_no_second_one(
    driver: MakeDriver, tenancy: Tenancy, effect: str, method: str
) -> None:
    made = driver("data_file")
    if method == "PUT":
        made.create(inputs_for(tenancy))
    tenancy.qlik.control.add_fault(method=method, path=f"{PATH}*", **{effect: True}, times=1)
    wanted = inputs_for(tenancy) | {"sha256": written(tenancy, "green")}
    made.update(wanted) if method == "PUT" else made.create(wanted)
    assert held(tenancy).keys() == {made.id}
    assert (remote(tenancy, made.id) or {})["sha256"] == digest("green")
    assert made.drift() == {}


def test_a_new_space_without_a_connection_is_waited_for(
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


def test_a_file_of_a_space_that_is_gone_is_gone(driver: MakeDriver, tenancy: Tenancy) -> None:
    made = driver("data_file").create(inputs_for(tenancy))
    tenancy.world.request("DELETE", f"spaces/{made.inputs['space']}")
    assert made.drift() is None
    made.delete()


@pytest.mark.parametrize(
    ("status", "code", "advice"),
    [
        (400, "DF-010", "does not accept data files with this extension"),
        (403, "HTTP-403", "a role that may edit in the space"),
        (413, "HTTP-413", "Make the file smaller"),
        (423, "HTTP-423", "Run it again"),
    ],
)
def test_what_qlik_refuses(driver: MakeDriver, tenancy: Tenancy, status: int, code: str, advice: str) -> None:
    """The error says what to do next, and how large the file is that is too large."""
    body = {"errors": [{"code": code, "title": "No"}]}
    tenancy.qlik.control.add_fault(method="POST", path=PATH, status=status, body=body)
    with pytest.raises(Failure, match=advice) as caught:
        driver("data_file").create(inputs_for(tenancy))
    assert ("Sent: a form of 0.1 kB" in str(caught.value)) is (status == 413)


@pytest.mark.parametrize("name", ["rates", "a/b.csv", "a\\b.csv", "rates.", "x" * 252 + ".csv"])
def test_what_is_no_name(driver: MakeDriver, tenancy: Tenancy, name: str) -> None:
    with pytest.raises(AssertionError, match=r"^name: .*allowed: a file name with an extension"):
        driver("data_file").check(inputs_for(tenancy) | {"name": name})
