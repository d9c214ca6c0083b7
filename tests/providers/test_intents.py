"""The notes of requests that must not be sent twice."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from providers import intents, run
from providers.intents import Intent
from providers.qlik import AnswerLost, ApiError, QlikError
from providers.qlik.messages import Request

REQUEST = Request("POST", "register.eu.qlikcloud.com", "/api/v1/tenants")
URN = "urn:pulumi:globex::tenantry::qlik:Tenant::tenant"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the notes of the test are."""
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path))
    return tmp_path / "intents"


def send(error: QlikError | None = None, what: str = "tenant") -> None:
    """Send a request that comes to nothing, or is answered."""
    intent = Intent(what)
    with intent.sending(name="Globex"):
        if error:
            raise error
    intent.finish(hostname="x.eu.qlikcloud.com")


def lose(what: str = "tenant") -> None:
    with pytest.raises(AnswerLost):
        send(AnswerLost(REQUEST, "cut"), what)


def test_the_note_is_on_disk_before_the_request(folder: Path) -> None:
    """With what a later run needs: who asked for what, and when."""
    with run.of(URN), Intent("tenant").sending(name="Globex"):
        (file,) = folder.glob("*.json")
        note = json.loads(file.read_text())
    assert note.keys() == {"what", "owner", "started", "name"}
    assert (note["what"], note["owner"], note["name"]) == ("tenant", URN, "Globex")
    assert note["started"].endswith("+00:00")


def test_a_note_says_whether_the_answer_was_seen() -> None:
    """And keeps what was made, until it is cleared: the state may not have it yet."""
    lose()
    assert "finished" not in (Intent("tenant").earlier or {"finished": 1})
    send()
    earlier = Intent("tenant").earlier or {}
    assert earlier.keys() >= {"started", "finished", "name"}
    assert earlier["hostname"] == "x.eu.qlikcloud.com"
    Intent("tenant").clear()
    assert Intent("tenant").earlier is None
    Intent("tenant").clear()


@pytest.mark.parametrize(
    ("error", "stays"),
    [
        (AnswerLost(REQUEST, "cut"), True),
        (ApiError(REQUEST, 403), False),
        (QlikError("never sent"), False),
    ],
)
def test_what_was_surely_not_done_leaves_no_note(error: QlikError, stays: bool) -> None:
    """A refusal is an answer; a lost one is not."""
    with pytest.raises(type(error)):
        send(error)
    assert bool(Intent("tenant").earlier) == stays


def test_a_killed_process_leaves_its_note(folder: Path) -> None:
    """Whatever ends the block but an answer of Qlik: the request may be on its way."""
    with pytest.raises(SystemExit), Intent("tenant").sending():
        raise SystemExit
    assert Intent("tenant").earlier is not None
    assert [file.suffix for file in folder.iterdir()] == [".json"]


def test_each_resource_and_request_has_its_own() -> None:
    """Two resources, also of two stacks, never read each other's."""
    with run.of(URN):
        lose("tenant")
        assert Intent("deactivation").earlier is None
        with run.of(URN.replace("globex", "initech")):
            assert Intent("tenant").earlier is None
        assert Intent("tenant").earlier is not None
    assert Intent("tenant").earlier is None


def test_rivals_are_others_that_wait_for_the_same_kind_of_answer() -> None:
    """Not those that have theirs, nor oneself."""
    with run.of("urn:a"):
        lose("tenant")
        lose("import x")
    with run.of("urn:b"):
        send()
    with run.of("urn:c"):
        assert [note["owner"] for note in Intent("tenant").rivals()] == ["urn:a"]
    with run.of("urn:a"):
        assert Intent("tenant").rivals() == []


def test_settled_notes_go_and_open_ones_stay() -> None:
    """What the state has needs no note; what was never answered does."""
    with run.of("urn:a"):
        send()
    with run.of("urn:b"):
        lose()
    intents.settle("tenant", hostname="other.eu.qlikcloud.com")
    with run.of("urn:a"):
        assert Intent("tenant").earlier is not None
        intents.settle("tenant", hostname="x.eu.qlikcloud.com")
        assert Intent("tenant").earlier is None
    with run.of("urn:b"):
        assert Intent("tenant").earlier is not None


def test_the_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """TENANTRY_STATE, else XDG_STATE_HOME, else the home folder."""
    assert intents.directory() == tmp_path / "intents"
    monkeypatch.delenv("TENANTRY_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", "/x")
    assert intents.directory() == Path("/x/tenantry/intents")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/h")
    assert intents.directory() == Path("/h/.local/state/tenantry/intents")


def test_all_notes_of_a_stack_are_forgotten_and_no_others(folder: Path) -> None:
    """Whatever came of the requests; what is no note is left alone."""
    owners = (URN, URN.replace("Tenant::tenant", "App::Sales"), URN.replace(":globex:", ":globex-2:"))
    for owner in owners:
        with run.of(owner):
            lose()
    (folder / "broken.json").write_text("{")
    intents.forget("urn:pulumi:globex::tenantry::")
    left = [json.loads(file.read_text())["owner"] for file in folder.glob("*.json") if file.stem != "broken"]
    assert left == [owners[2]]
    assert (folder / "broken.json").exists()
