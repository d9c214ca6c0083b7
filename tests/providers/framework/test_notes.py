"""The notes about requests without an idempotency key."""

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
    """Return the folder of the test's notes."""
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path))
    return tmp_path / "notes"


def files(folder: Path) -> list[Path]:
    return sorted(folder.glob("*/*.json"))


def send(error: QlikError | None = None, what: str = "import") -> None:
    """Note a request that succeeds or raises the error."""
    note = Note(TENANT, what)
    with note.sending(name="Globex"):
        if error:
            raise error
    note.finish(id="x1")


def lose_response(what: str = "import") -> None:
    """Note a request whose response is lost."""
    with pytest.raises(ResponseLost):
        send(ResponseLost(REQUEST, "cut"), what)


def test_the_note_is_on_disk_before_the_request(folder: Path) -> None:
    """It has what a later run needs: the planned request, its tenant, the stack and the time."""
    with run.handling(URN), Note(TENANT, "import").sending(name="Globex"):
        (file,) = files(folder)
        note = json.loads(file.read_text())
    assert note.keys() == {"subject", "what", "stack", "started", "name"}
    assert (note["subject"], note["what"], note["stack"][1:]) == (TENANT, "import", ["tenantry", "globex"])
    assert note["started"].endswith("+00:00")


def test_a_note_is_synced_before_it_replaces_the_old_one(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A power cut then leaves either the old note or the new one, and never half a note."""
    steps: list[tuple[str, int, int]] = []
    sync, replace = os.fsync, Path.replace

    def recorded_sync(number: int) -> None:
        steps.append(("sync", os.fstat(number).st_ino, os.fstat(number).st_size))
        sync(number)

    def recorded_replace(file: Path, target: Path) -> Path:
        steps.append(("replace", file.stat().st_ino, file.stat().st_size))
        return replace(file, target)

    monkeypatch.setattr(os, "fsync", recorded_sync)
    monkeypatch.setattr(Path, "replace", recorded_replace)
    Note(TENANT, "import").write(finished="now")
    [(first, *synced), (second, *replaced)] = steps
    assert (first, second) == ("sync", "replace")
    assert synced == replaced, "the synced file is another one or incomplete"


def test_a_note_says_whether_the_response_arrived() -> None:
    """It keeps the id until it is cleared, because the object may not be in the state yet."""
    lose_response()
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
def test_a_note_stays_only_if_qlik_may_carry_out_the_request(error: QlikError, stays: bool) -> None:
    with pytest.raises(type(error)):
        send(error)
    assert bool(Note(TENANT, "import").earlier) == stays


def test_a_killed_process_leaves_its_note(folder: Path) -> None:
    """The request may already be on its way. Only a response from Qlik settles that."""
    with pytest.raises(SystemExit), Note(TENANT, "import").sending():
        raise SystemExit
    assert Note(TENANT, "import").earlier is not None
    assert [file.suffix for file in next(folder.iterdir()).iterdir()] == [".json"]


def test_each_tenant_request_and_stack_has_its_own_note(monkeypatch: pytest.MonkeyPatch) -> None:
    """A stack with the same name in another backend must not read the note either."""
    with run.handling(URN):
        lose_response()
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


def test_each_resource_of_a_stack_has_its_own_note() -> None:
    """Two resources of one type in one tenant never read each other's note."""
    with run.handling(URN):
        with pytest.raises(ResponseLost), current_note(TENANT, "import").sending():
            raise ResponseLost(REQUEST, "cut")
        assert current_note(TENANT, "import").earlier is not None
    with run.handling(URN.replace("::Sales", "::Stock")):
        assert current_note(TENANT, "import").earlier is None


def test_a_broken_or_foreign_note_is_ignored(folder: Path) -> None:
    """It may be half a file, have another shape, or be copied from elsewhere. A wrong time means age 0."""
    lose_response()
    (file,) = files(folder)
    valid = json.loads(file.read_text())
    for text in (
        "",
        "{",
        "[]",
        "null",
        json.dumps(valid | {"subject": "other"}),
        json.dumps(valid | {"stack": []}),
    ):
        file.write_text(text)
        assert Note(TENANT, "import").earlier is None, text
    file.write_text(json.dumps(valid | {"started": "yesterday"}))
    assert Note(TENANT, "import").age() == 0


def test_a_disk_that_cannot_be_written_to_is_no_error(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Safety does not depend on notes."""
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path / "file"))
    send()
    assert Note(TENANT, "import").earlier is None
    notes.clear(TENANT)


def test_the_environment_sets_the_folder(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """TENANTRY_STATE comes first, then XDG_STATE_HOME, then the home folder."""
    assert notes.directory() == tmp_path / "notes"
    monkeypatch.delenv("TENANTRY_STATE")
    monkeypatch.setenv("XDG_STATE_HOME", "/x")
    assert notes.directory() == Path("/x/tenantry/notes")
    monkeypatch.delenv("XDG_STATE_HOME")
    monkeypatch.setenv("HOME", "/h")
    assert notes.directory() == Path("/h/.local/state/tenantry/notes")


def test_clearing_deletes_only_the_notes_of_the_subject(folder: Path) -> None:
    """The folder of the stack goes with its last note. The notes of other stacks stay."""
    with run.handling(URN):
        lose_response()
        Note("proof", "tenant").write(outcome="unknown")
    with run.handling(URN.replace("globex", "initech")):
        lose_response()
    assert len(files(folder)) == 3
    with run.handling(URN):
        notes.clear(TENANT)
        assert Note("proof", "tenant").earlier is not None
        notes.clear("proof")
    assert len(files(folder)) == len(list(folder.iterdir())) == 1
    notes.forget(stack_of(URN.replace("globex", "initech")))
    assert list(folder.iterdir()) == []
