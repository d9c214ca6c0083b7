"""The notes of requests that have no key."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from tenantry.providers.framework import notes, run
from tenantry.providers.framework.notes import Note, current_note
from tenantry.providers.framework.stack import stack_of
from tenantry.providers.qlik import ApiError, QlikError, ResponseLost
from tenantry.providers.qlik.messages import Request

REQUEST = Request("POST", "acme.eu.qlikcloud.com", "/api/v1/web-integrations")
URN = "urn:pulumi:globex::tenantry::qlik:index:QlikCustomerTenant$dynamic/qlik:App::Sales"
TENANT = "acme.eu.qlikcloud.com"


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Where the notes of the test are."""
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path))
    return tmp_path / "notes"


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.json"))


def send(error: QlikError | None = None, what: str = "import") -> None:
    """Send a request that comes to nothing, or is answered."""
    note = Note(TENANT, what)
    with note.sending(name="Globex"):
        if error:
            raise error
    note.finish(id="x1")


def lose(what: str = "import") -> None:
    with pytest.raises(ResponseLost):
        send(ResponseLost(REQUEST, "cut"), what)


def test_the_note_is_on_disk_before_the_request(folder: Path) -> None:
    """With what a later run needs: what was asked for where, by which stack, and when."""
    with run.handling(URN), Note(TENANT, "import").sending(name="Globex"):
        (file,) = files(folder)
        note = json.loads(file.read_text())
    assert note.keys() == {"subject", "what", "stack", "started", "name"}
    assert (note["subject"], note["what"], note["stack"][1:]) == (TENANT, "import", ["tenantry", "globex"])
    assert note["started"].endswith("+00:00")


def test_a_note_is_on_the_disk_before_it_has_its_name(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """So a machine that loses its power leaves the note of before, or this one, and never half of it."""
    done: list[tuple[str, int, int]] = []
    sync, replace = os.fsync, Path.replace

    def noted_sync(number: int) -> None:
        done.append(("sync", os.fstat(number).st_ino, os.fstat(number).st_size))
        sync(number)

    def noted_replace(file: Path, to: Path) -> Path:
        done.append(("replace", file.stat().st_ino, file.stat().st_size))
        return replace(file, to)

    monkeypatch.setattr(os, "fsync", noted_sync)
    monkeypatch.setattr(Path, "replace", noted_replace)
    Note(TENANT, "import").write(finished="now")
    [(first, *synced), (second, *replaced)] = done
    assert (first, second) == ("sync", "replace")
    assert synced == replaced, "another file, or not all of it"


def test_a_note_says_whether_the_answer_was_seen() -> None:
    """And keeps what was made, until it is cleared: the state may not have it yet."""
    lose()
    assert "finished" not in (Note(TENANT, "import").earlier or {"finished": 1})
    send()
    earlier = Note(TENANT, "import").earlier or {}
    assert earlier.keys() >= {"started", "finished", "name"}
    assert earlier["id"] == "x1"
    Note(TENANT, "import").clear()
    assert Note(TENANT, "import").earlier is None
    Note(TENANT, "import").clear()


@pytest.mark.parametrize(
    ("error", "stays"),
    [
        (ResponseLost(REQUEST, "cut"), True),
        (ApiError(REQUEST, 403), False),
        (QlikError("never sent"), False),
    ],
)
def test_what_was_surely_not_done_leaves_no_note(error: QlikError, stays: bool) -> None:
    """A refusal is an answer; a lost one is not."""
    with pytest.raises(type(error)):
        send(error)
    assert bool(Note(TENANT, "import").earlier) == stays


def test_a_killed_process_leaves_its_note(folder: Path) -> None:
    """Whatever ends the block but an answer of Qlik: the request may be on its way."""
    with pytest.raises(SystemExit), Note(TENANT, "import").sending():
        raise SystemExit
    assert Note(TENANT, "import").earlier is not None
    assert [file.suffix for file in next(folder.iterdir()).iterdir()] == [".json"]


def test_each_tenant_request_and_stack_has_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack whose name is used again, in another backend or for another tenant, finds nothing of the
    first.
    """
    with run.handling(URN):
        lose()
        assert Note(TENANT, "publish").earlier is None
        assert Note("other.eu.qlikcloud.com", "import").earlier is None
    with run.handling(URN.replace("globex", "initech")):
        assert Note(TENANT, "import").earlier is None
    monkeypatch.setenv("PULUMI_BACKEND_URL", "s3://another")
    from tenantry.providers.framework.stack import backend_digest

    backend_digest.cache_clear()
    with run.handling(URN):
        assert Note(TENANT, "import").earlier is None
    backend_digest.cache_clear()


def test_the_resources_of_a_stack_are_told_apart_by_their_names() -> None:
    """Two of one kind in one tenant never read each other's note."""
    with run.handling(URN):
        with pytest.raises(ResponseLost), current_note(TENANT, "import").sending():
            raise ResponseLost(REQUEST, "cut")
        assert current_note(TENANT, "import").earlier is not None
    with run.handling(URN.replace("::Sales", "::Stock")):
        assert current_note(TENANT, "import").earlier is None


def test_a_broken_or_foreign_note_is_none(folder: Path) -> None:
    """Half a file, another shape, or one that was copied from elsewhere says nothing."""
    lose()
    (file,) = files(folder)
    good = json.loads(file.read_text())
    for text in (
        "",
        "{",
        "[]",
        "null",
        json.dumps(good | {"subject": "other"}),
        json.dumps(good | {"stack": []}),
    ):
        file.write_text(text)
        assert Note(TENANT, "import").earlier is None, text
    file.write_text(json.dumps(good | {"started": "yesterday"}))
    assert Note(TENANT, "import").age() == 0


def test_a_disk_that_takes_no_notes_stops_nothing(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Safety does not depend on them."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "file"))
    send()
    assert Note(TENANT, "import").earlier is None
    notes.clear(TENANT)


def test_the_folder_follows_the_environment(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """TENANTRY_STATE, else XDG_STATE_HOME, else the home folder."""
    assert notes.directory() == tmp_path / "notes"
    monkeypatch.delenv("TENANTRY_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", "/x")
    assert notes.directory() == Path("/x/tenantry/notes")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/h")
    assert notes.directory() == Path("/h/.local/state/tenantry/notes")


def test_notes_go_with_what_they_are_about(folder: Path) -> None:
    """Those of a tenant or a proof, then the folder of the stack; those of other stacks stay."""
    with run.handling(URN):
        lose()
        Note("proof", "tenant").write(outcome="unknown")
    with run.handling(URN.replace("globex", "initech")):
        lose()
    assert len(files(folder)) == 3
    with run.handling(URN):
        notes.clear(TENANT)
        assert Note("proof", "tenant").earlier is not None
        notes.clear("proof")
    assert len(files(folder)) == len(list(folder.iterdir())) == 1
    notes.forget(stack_of(URN.replace("globex", "initech")))
    assert list(folder.iterdir()) == []
