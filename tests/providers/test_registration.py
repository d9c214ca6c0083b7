"""How a tenant comes to be, above all where an earlier run may have made it: never twice or by a guess."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from emulator import Emulator
from providers import intents, registration, run
from providers.errors import TenantGone, TenantUndecided
from providers.qlik import AnswerLost, ApiError, Cloud
from tests.world import World, calls

WANT = {"region": "eu", "source_tenant": "templates.eu.qlikcloud.com", "name": "Globex", "status": "active"}
URN = "urn:pulumi:globex::tenantry::qlik:Tenant::tenant"
LICENCE = {"licenseKey": "emulator-licence-key-eu"}
CREATE = {"method": "POST", "host": "register.eu.qlikcloud.com", "path": "/api/v1/tenants"}

Found = tuple[str, str]
Obtain = Callable[..., Found]


class Registry:
    """One stack's way to its tenant, with what it tells the user."""

    def __init__(self, qlik: Emulator, cloud: Cloud) -> None:
        self.qlik, self.cloud = qlik, cloud
        self.said: list[str] = []
        cloud.notify = self.said.append
        self.owner = URN

    def obtain(self, **want: Any) -> tuple[str, str]:
        """Return hostname and id of the tenant for this stack, as `create` of a Tenant does."""
        with run.of(self.owner):
            return registration.obtain(self.cloud, WANT | want)[:2]

    def lose_one(self, effect: str = "drop_after", **want: Any) -> None:
        """Run until the request for a tenant is out, and end as if killed: Qlik did it, nobody heard."""
        fault = self.qlik.control.add_fault(**CREATE, **{effect: True})
        with pytest.raises((AnswerLost, TenantUndecided)), without_organisation(self.cloud):
            self.obtain(**want)
        self.qlik.control.release(fault)

    def undecided(self, **want: Any) -> str:
        """Run, expect to be asked, and return the question."""
        with pytest.raises(TenantUndecided) as error:
            self.obtain(**want)
        return str(error.value)

    @property
    def note(self) -> Path:
        """The file of this stack's note."""
        with run.of(self.owner):
            return intents.Intent("tenant").path

    @property
    def tenants(self) -> set[str]:
        """Hostnames of all tenants that were made, whatever came of them."""
        made = self.qlik.control.dump()["cloud"]["tenant"]
        return {each["hostnames"][0] for each in made if each.get("_made")}

    def made_by_another_run(self, **patch: str) -> str:
        """Make a tenant with the same client, and return its hostname."""
        made = self.cloud.register("eu").post("/api/v1/tenants", LICENCE)
        world = World(self.qlik, made["hostnames"][0])
        if patch:
            world.patch(f"tenants/{made['id']}", **patch)
        return world.hostname


class without_organisation:
    """For a while, the client has no organisation credentials."""

    def __init__(self, cloud: Cloud) -> None:
        self._environ: dict[str, str] = cloud._environ  # type: ignore[assignment]

    def __enter__(self) -> None:
        self._kept = {key: self._environ.pop(key) for key in list(self._environ) if "_ORG_" in key}

    def __exit__(self, *_: object) -> None:
        self._environ.update(self._kept)


@pytest.fixture
def registry(qlik: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """A stack with organisation credentials and no note yet."""
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path))
    monkeypatch.setenv("TENANTRY_LAG_SECONDS", "0")
    environment = {
        "QLIK_CLOUD_ENDPOINT": qlik.url,
        "QLIK_CLIENT_ID": "demo",
        "QLIK_CLIENT_SECRET": "demo-secret",
        "QLIK_ORG_CLIENT_ID": "demo-org",
        "QLIK_ORG_CLIENT_SECRET": "demo-org-secret",
    }
    with Cloud(environment) as cloud:
        yield Registry(qlik, cloud)


def test_a_new_tenant(registry: Registry) -> None:
    """One POST; the note says where it is, in case the run is killed before the state has it."""
    hostname, tenant_id = registry.obtain()
    assert registry.tenants == {hostname}
    assert json.loads(registry.note.read_text())["tenant_id"] == tenant_id
    assert registry.said == []


def test_the_note_is_there_before_the_request(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run killed at any later moment has left it."""
    seen: list[bool] = []
    really_send = registry.cloud.send

    def send(request: Any) -> Any:
        if request.method == "POST" and request.path == "/api/v1/tenants":
            seen.append(registry.note.exists())
        return really_send(request)

    monkeypatch.setattr(registry.cloud, "send", send)
    registry.obtain()
    assert seen == [True]


def test_a_refused_request_leaves_no_note(registry: Registry) -> None:
    """Quota, licence, a wrong data centre: nothing was made, so the next run starts afresh."""
    registry.qlik.control.settings(tenant_quota=0)
    with pytest.raises(ApiError, match="TENANTS-22"):
        registry.obtain()
    assert not registry.note.exists()


def test_killed_before_the_state_had_it(registry: Registry) -> None:
    """The answer was seen: the note names the tenant, no list is asked, no second one is made."""
    found = registry.obtain()
    with without_organisation(registry.cloud):
        assert registry.obtain() == found
    assert registry.tenants == {found[0]}
    assert "made by an earlier run of this stack" in registry.said[-1]


def test_a_lost_answer_is_found_in_the_same_run(registry: Registry) -> None:
    """The one unnamed tenant of that moment is ours; the request is not sent again."""
    registry.qlik.control.add_fault(**CREATE, drop_after=True)
    hostname, tenant_id = registry.obtain()
    assert registry.tenants == {hostname}
    assert World(registry.qlik, hostname).tenant["id"] == tenant_id
    assert hostname in registry.said[-1]
    assert "lost" in registry.said[-1]
    assert registry.obtain() == (hostname, tenant_id)


def test_a_lost_answer_is_found_by_the_next_run(registry: Registry) -> None:
    """As after a kill."""
    registry.lose_one()
    hostname, _ = registry.obtain()
    assert registry.tenants == {hostname}


def test_a_request_that_never_arrived_is_sent_by_the_next_run(registry: Registry) -> None:
    """The list shows that nothing was made."""
    registry.lose_one("drop_before")
    assert registry.tenants == set()
    hostname, _ = registry.obtain()
    assert registry.tenants == {hostname}


def test_a_tenant_that_qlik_is_still_making_is_waited_for(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Right after a kill the list may not have it yet: that is no proof that it will not be made."""
    registry.lose_one("drop_before")
    monkeypatch.setenv("TENANTRY_LAG_SECONDS", "30")
    late: list[str] = []
    monkeypatch.setattr(registry.cloud, "pause", lambda *_: late.append(registry.made_by_another_run()))
    hostname, _ = registry.obtain()
    assert {hostname} == set(late) == registry.tenants


def test_without_organisation_credentials_a_person_decides(registry: Registry) -> None:
    """No second request is sent, however often it is tried; the message says both ways out."""
    registry.lose_one()
    sent = calls(registry.qlik.control.requests()).count("POST /api/v1/tenants")
    with without_organisation(registry.cloud):
        for _ in range(2):
            question = registry.undecided()
    assert calls(registry.qlik.control.requests()).count("POST /api/v1/tenants") == sent == 1
    assert "QLIK_ORG_CLIENT_ID" in question
    assert "register.eu.qlikcloud.com" in question
    assert "`revive: {hostname: …, tenant_id: …}`" in question
    assert "`revive: new`" in question


def test_the_answer_may_be_that_tenant(registry: Registry) -> None:
    """Then no request to make one is sent, and the note is settled."""
    registry.lose_one()
    (hostname,) = registry.tenants
    tenant_id = World(registry.qlik, hostname).tenant["id"]
    with without_organisation(registry.cloud):
        revive = {"hostname": hostname, "tenant_id": tenant_id}
        assert registry.obtain(revive=revive) == (hostname, tenant_id)
        assert registry.obtain() == (hostname, tenant_id)
    assert registry.tenants == {hostname}


def test_the_answer_may_be_a_new_one(registry: Registry) -> None:
    """Exactly one more, also if that run is killed as well and `revive: new` still stands in the file."""
    registry.lose_one()
    (orphan,) = registry.tenants
    with without_organisation(registry.cloud):
        found = registry.obtain(revive="new")
        assert found[0] != orphan
        assert registry.obtain(revive="new") == found
        assert registry.obtain() == found
    assert registry.tenants == {orphan, found[0]}


def test_a_new_one_whose_answer_is_lost_too(registry: Registry) -> None:
    """`revive: new` was meant for the first one: the second is not forgotten by it. The way out is named."""
    registry.lose_one()
    registry.lose_one(revive="new")
    assert len(registry.tenants) == 2
    with without_organisation(registry.cloud):
        question = registry.undecided(revive="new")
    assert f"delete {registry.note}" in question
    assert len(registry.tenants) == 2
    registry.note.unlink()
    registry.obtain(revive="new")
    assert len(registry.tenants) == 3


def test_two_candidates_are_never_chosen_between(registry: Registry) -> None:
    """Both are listed, with what `revive` takes, and nothing is made or changed."""
    registry.lose_one()
    registry.made_by_another_run()
    question = registry.undecided()
    assert len(registry.tenants) == 2
    for hostname in registry.tenants:
        assert f"hostname: {hostname}, tenant_id: {World(registry.qlik, hostname).tenant['id']}" in question
    assert "revive: new" in question


def test_another_stack_that_lost_its_answer_then_may_be_the_owner(registry: Registry) -> None:
    """One tenant, two stacks that asked at that time: neither takes it."""
    registry.lose_one()
    registry.owner = URN.replace("globex", "initech")
    registry.lose_one("drop_before")
    assert "These may be it" in registry.undecided()
    registry.owner = URN
    assert "These may be it" in registry.undecided()
    assert len(registry.tenants) == 1


def test_another_stack_that_lost_its_answer_long_ago_is_no_rival(registry: Registry) -> None:
    """What was made now cannot be what it asked for then, nor can what it asked for in another region."""
    registry.owner = URN.replace("globex", "initech")
    registry.lose_one("drop_before")
    edit(registry.note, started=moved(registry.note, timedelta(hours=-1)))
    registry.owner = URN.replace("globex", "hooli")
    registry.lose_one("drop_before")
    edit(registry.note, region="us")
    registry.owner = URN
    registry.lose_one()
    assert {registry.obtain()[0]} == registry.tenants


def test_a_tenant_with_a_name_is_somebodys(registry: Registry) -> None:
    """It was made at that time, but another stack has named it since."""
    registry.lose_one("drop_before")
    taken = registry.made_by_another_run(name="Initech")
    hostname, _ = registry.obtain()
    assert hostname != taken
    assert World(registry.qlik, taken).tenant["name"] == "Initech"


@pytest.mark.parametrize("hours", [-1, 1])
def test_a_tenant_of_another_time_is_not_the_one(registry: Registry, hours: int) -> None:
    """Made long before the request, or long after it."""
    registry.lose_one()
    (other,) = registry.tenants
    edit(registry.note, started=moved(registry.note, timedelta(hours=hours)))
    assert registry.obtain()[0] != other
    assert len(registry.tenants) == 2


def test_a_tenant_of_another_maker_is_asked_about(registry: Registry) -> None:
    """It fits in all else, but another client made it."""
    registry.lose_one()
    registry.qlik.control.add_fault(
        host="templates.*", path="/api/v1/users/me", status=200, body={"id": "somebody else"}
    )
    assert "These may be it" in registry.undecided()


def test_a_tenant_that_was_taken_down_since_is_not_brought_back_by_its_note(registry: Registry) -> None:
    """Without organisation credentials the note does not bring it back; a new one is made."""
    hostname, tenant_id = registry.obtain()
    registration.deactivate(registry.cloud, hostname, tenant_id, 30)
    with without_organisation(registry.cloud):
        other, _ = registry.obtain()
    assert registry.tenants == {hostname, other}


def test_the_one_deactivated_tenant_of_that_name_comes_back(registry: Registry) -> None:
    """With organisation credentials; a second one of that name is a question."""
    hostname, tenant_id = registry.obtain()
    World(registry.qlik, hostname).patch(f"tenants/{tenant_id}", name="Globex")
    registration.deactivate(registry.cloud, hostname, tenant_id, 30)
    registry.owner = URN.replace("globex", "again")
    assert registry.obtain(name="globex")[0] != hostname
    registry.owner = URN.replace("globex", "once more")
    assert registry.obtain() == (hostname, tenant_id)
    assert World(registry.qlik, hostname).tenant["status"] == "active"
    assert 'has the name "Globex"; brought back' in registry.said[-1]

    second = registry.made_by_another_run(name="Globex")
    for each in (hostname, second):
        registration.deactivate(registry.cloud, each, World(registry.qlik, each).tenant["id"], 30)
    registry.owner = URN.replace("globex", "and again")
    question = registry.undecided()
    assert hostname in question
    assert second in question


def test_revive_brings_back_the_named_tenant(registry: Registry) -> None:
    """Deactivated or not; a wrong id or hostname is Qlik's refusal, not another tenant."""
    hostname, tenant_id = registry.obtain()
    registration.deactivate(registry.cloud, hostname, tenant_id, 30)
    with without_organisation(registry.cloud):
        for _ in range(2):
            revive = {"hostname": hostname, "tenant_id": tenant_id}
            assert registry.obtain(revive=revive) == (hostname, tenant_id)
        with pytest.raises(TenantGone):
            registry.obtain(revive={"hostname": hostname, "tenant_id": "another"})
    assert World(registry.qlik, hostname).tenant["status"] == "active"
    assert registry.tenants == {hostname}


def edit(note: Path, **facts: Any) -> None:
    """Change what a note says."""
    note.write_text(json.dumps(json.loads(note.read_text()) | facts))


def moved(note: Path, by: timedelta) -> str:
    """When the request of a note would have started, had it been that much later."""
    started: str = json.loads(note.read_text())["started"]
    return (datetime.fromisoformat(started) + by).isoformat()
