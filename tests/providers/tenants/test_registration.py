"""How a tenant comes to be: one request per proof, and nothing taken that is not certain to be this
stack's.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from tenantry.emulator import Emulator
from tenantry.providers.framework import run
from tenantry.providers.framework.errors import NothingCreated, ResourceError, TenantGone, TenantUndecided
from tenantry.providers.framework.facts import nothing_created_in
from tenantry.providers.framework.notes import Note
from tenantry.providers.lookups import exports
from tenantry.providers.qlik import Cloud, QlikError
from tenantry.providers.tenant_proof import HANDLER
from tenantry.providers.tenants import lifetime, lost_responses, permits, registration
from tests.world import World, calls

WANT = {"region": "eu", "source_tenant": "templates.eu.qlikcloud.com", "name": "Globex", "status": "active"}
URN = "urn:pulumi:globex::tenantry::qlik:index:QlikCustomerTenant$pulumi-python:dynamic/qlik:Tenant::tenant"
LICENCE = {"licenseKey": "emulator-licence-key-eu"}
CREATE = {"method": "POST", "host": "register.eu.qlikcloud.com", "path": "/api/v1/tenants"}
HOUR = 3600
PAGE = "<html><body><h1>502 Bad Gateway</h1></body></html>"

Proof = dict[str, Any]


class Registry:
    """One stack's way to its tenant, with what it tells the user. It has a proof; a run may be over."""

    def __init__(self, qlik: Emulator, cloud: Cloud) -> None:
        self.qlik, self.cloud = qlik, cloud
        self.said: list[str] = []
        cloud.notify = self.said.append
        self.owner = URN
        self.proof: Proof = {}

    def prove(self, **want: Any) -> Proof:
        """Make a proof, as the engine has it made before the tenant."""
        with run.handling(self.owner):
            self.proof = HANDLER.create(self.cloud, WANT | want)[1]["proof"]
        return self.proof

    def obtain(self, **want: Any) -> tuple[str, str]:
        """Return hostname and id of the tenant for this stack, as `create` of a Tenant does under its
        proof.
        """
        with run.handling(self.owner):
            return registration.obtain(self.cloud, WANT | {"proof": self.proof} | want)[:2]

    def end_run(self) -> None:
        """End the provider process: what it knows, and its permits, are gone."""
        permits._permits.clear()

    def lose_one(self, **effect: Any) -> None:
        """Ask under a new proof; what Qlik makes of it is not known, and the run ends."""
        self.prove()
        fault = self.qlik.control.add_fault(**CREATE, **(effect or {"drop_after": True}))
        with pytest.raises(TenantUndecided), without_organisation(self.cloud):
            self.obtain()
        self.qlik.control.release(fault)
        self.end_run()

    def undecided(self, **want: Any) -> str:
        """Run, expect to be asked, and return the question."""
        with pytest.raises(TenantUndecided) as error:
            self.obtain(**want)
        assert not isinstance(error.value, NothingCreated), str(error.value)
        return str(error.value)

    def nothing_created(self) -> str:
        """Run, expect the verdict that nothing was made, and return what is said."""
        with pytest.raises(NothingCreated) as error:
            self.obtain()
        assert nothing_created_in(str(error.value)) == self.proof["id"]
        return str(error.value)

    @property
    def note(self) -> Path:
        """The file of the note about this proof."""
        with run.handling(self.owner):
            return Note(self.proof["id"], "tenant").path

    @property
    def tenants(self) -> set[str]:
        """Hostnames of all tenants that were made, whatever came of them."""
        made = self.qlik.control.dump()["cloud"]["tenant"]
        return {each["hostnames"][0] for each in made if each.get("_made")}

    @property
    def asked(self) -> int:
        """How many requests for a tenant there were."""
        return calls(self.qlik.control.requests()).count("POST /api/v1/tenants")

    def made_by_another(self, **patch: str) -> str:
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
    """A stack with organisation credentials, and no proof yet."""
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path))
    # Nothing tells these stacks' states: the proof that is renewed is asked about in the state.
    monkeypatch.setattr(lost_responses, "state_resources", list)
    environment = {
        "QLIK_CLOUD_ENDPOINT": qlik.url,
        "QLIK_CLIENT_ID": "demo",
        "QLIK_CLIENT_SECRET": "demo-secret",
        "QLIK_ORG_CLIENT_ID": "demo-org",
        "QLIK_ORG_CLIENT_SECRET": "demo-org-secret",
    }
    with Cloud(environment) as cloud:
        yield Registry(qlik, cloud)
    permits._permits.clear()


# Under a proof of this run


def test_a_new_tenant(registry: Registry) -> None:
    """One request; the note says where it is, in case the run is killed before the state has it."""
    registry.prove()
    hostname, tenant_id = registry.obtain()
    assert registry.tenants == {hostname}
    note = json.loads(registry.note.read_text())
    assert (note["outcome"], note["tenant_id"]) == ("made", tenant_id)
    assert registry.said == []


def test_exports_are_begun_with_the_request(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A tenant that was asked for before may have its apps already."""
    begun: list[list[Any]] = []
    monkeypatch.setattr(exports, "begin", lambda _, apps: begun.append(list(apps)))
    apps = {"Sales": {"template": "Sales Overview", "version": "2.3.0"}}
    registry.prove()
    registry.obtain(templates=apps)
    assert begun == [list(apps.values())]
    registry.end_run()
    registry.obtain(templates=apps)
    assert len(begun) == 1


def test_a_proof_is_used_once(registry: Registry) -> None:
    """Whatever is lost or forgotten: a second request under it is not sent."""
    registry.prove()
    registry.obtain()
    registry.note.unlink()
    registry.undecided()
    assert registry.asked == 1


def test_a_permit_expires(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run that was suspended may find that another one has looked meanwhile: it asks for nothing."""
    registry.prove()
    monkeypatch.setattr(permits, "PERMIT_SECONDS", -1.0)
    with pytest.raises(ResourceError, match="time allowed"):
        registry.obtain()
    assert registry.asked == 0
    registry.nothing_created()


@pytest.mark.parametrize(
    "refusal", [{}, {"status": 429, "headers": {"Retry-After": "3600"}}], ids=["quota", "rate limit"]
)
def test_a_request_that_qlik_refused(registry: Registry, refusal: dict[str, Any]) -> None:
    """Nothing was made: the error says what to do then, and the next run that the proof may be renewed."""
    if refusal:
        registry.qlik.control.add_fault(**CREATE, **refusal)
    else:
        registry.qlik.control.settings(tenant_quota=0)
    registry.prove()
    with pytest.raises(ResourceError) as error:
        registry.obtain()
    assert f"TENANTRY_RENEW={registry.proof['id']} pulumi up --stack globex" in str(error.value)
    assert nothing_created_in(str(error.value)) == "", "a refusal is not put right by asking again at once"
    registry.end_run()
    with without_organisation(registry.cloud):
        assert "refused or never sent" in registry.nothing_created()
    assert registry.tenants == set()


@pytest.mark.parametrize(
    "effect",
    [
        {"drop_before": True},
        {"drop_after": True},
        {"truncate": True},
        {"status": 503},
        {"status": 502, "body": PAGE, "done": True},
        {"status": 200, "body": PAGE, "done": True},
        {"status": 201, "body": {}, "done": True},
        {"status": 201, "body": {"id": "x", "hostnames": [[]]}, "done": True},
        {"status": 404, "body": "default backend - 404"},
        {"status": 403, "body": PAGE},
        {"status": 408, "body": PAGE, "done": True},
    ],
    ids=str,
)
def test_an_answer_that_tells_nothing(registry: Registry, effect: dict[str, Any]) -> None:
    """Lost, cut, of another shape, or a page of a proxy: it may have been made. Nobody asks again, nobody
    guesses.
    """
    registry.lose_one(**effect)
    made = len(registry.tenants)
    for _ in range(2):
        question = registry.undecided()
        assert made == len(re.findall(r"^  revive: \{hostname: ", question, re.MULTILINE))
    assert registry.asked == 1
    registry.qlik.control.advance(HOUR)
    if made:
        registry.undecided()
    else:
        registry.nothing_created()
    assert (registry.asked, len(registry.tenants)) == (1, made)


def test_a_lost_answer_is_asked_about_in_the_same_run(registry: Registry) -> None:
    """With the line for what may be it."""
    registry.prove()
    registry.qlik.control.add_fault(**CREATE, drop_after=True)
    question = registry.undecided()
    (hostname,) = registry.tenants
    assert (
        f"revive: {{hostname: {hostname}, tenant_id: {World(registry.qlik, hostname).tenant['id']}}}"
        in question
    )
    assert "its response was lost" in question


def test_the_cause_is_told(registry: Registry) -> None:
    """A plain 503 is not hidden behind the question."""
    registry.prove()
    registry.qlik.control.add_fault(**CREATE, status=503)
    assert "answered 503" in registry.undecided()


def test_a_deactivated_tenant_of_that_name_stops_once(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It may be this customer, or another stack's: a person says. Renewing the proof says that it is
    another.
    """
    asleep = registry.made_by_another(name="Globex")
    tenant_id = World(registry.qlik, asleep).tenant["id"]
    lifetime.deactivate(registry.cloud, asleep, tenant_id, 30)
    registry.prove()
    question = registry.undecided()
    assert f"revive: {{hostname: {asleep}, tenant_id: {tenant_id}}}" in question
    assert f"TENANTRY_RENEW={registry.proof['id']}" in question
    registry.end_run()
    assert "deactivated" in registry.undecided(), "and again: nobody has answered"
    assert (registry.asked, World(registry.qlik, asleep).tenant["status"]) == (1, "disabled")

    proofs = [{"type": "pulumi-python:dynamic/qlik:TenantProof"}] * 2
    monkeypatch.setattr(lost_responses, "state_resources", lambda: proofs)
    registry.prove()
    assert registry.obtain()[0] != asleep
    assert World(registry.qlik, asleep).tenant["status"] == "disabled"


def test_a_renewal_that_came_to_nothing_settles_no_later_question(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state may still have both proofs, and a tenant of that name may have been taken down since."""
    proofs = [{"type": "pulumi-python:dynamic/qlik:TenantProof"}] * 2
    monkeypatch.setattr(lost_responses, "state_resources", lambda: proofs)
    registry.qlik.control.settings(tenant_quota=0)
    registry.prove()
    with pytest.raises(ResourceError):
        registry.obtain()
    registry.end_run()
    registry.qlik.control.settings(tenant_quota=None)
    registry.nothing_created()
    asleep = registry.made_by_another(name="Globex")
    lifetime.deactivate(registry.cloud, asleep, World(registry.qlik, asleep).tenant["id"], 30)
    assert f"hostname: {asleep}" in registry.undecided()


# Under the proof of an earlier run


def test_a_run_that_ended_right_after_its_proof(registry: Registry) -> None:
    """Nothing was ever sent, but nothing says so: it is certain once nothing can come of it any more."""
    registry.prove()
    registry.end_run()
    assert "Run `pulumi up` again after" in registry.undecided()
    registry.qlik.control.advance(permits.PERMIT_SECONDS + 120 + 300 + 30 + 10)
    registry.nothing_created()
    assert registry.asked == 0


def test_killed_before_the_state_had_it(registry: Registry) -> None:
    """The answer was seen: the note of this very request names the tenant, no list is asked."""
    registry.prove()
    found = registry.obtain()
    registry.end_run()
    with without_organisation(registry.cloud):
        assert registry.obtain() == found
    assert registry.tenants == {found[0]}
    assert "an earlier run created tenant" in registry.said[-1]


def test_a_copied_state_takes_nothing_by_the_others_note(registry: Registry) -> None:
    """The copy has the proof, and runs on the same disk; it is another stack all the same."""
    registry.prove()
    registry.obtain()
    registry.end_run()
    registry.owner = URN.replace("globex", "initech")
    registry.undecided()
    assert registry.asked == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"outcome": "nothing"}', '{"outcome": "made"}'])
def test_a_broken_note_tells_nothing(registry: Registry, text: str) -> None:
    """Nor does one that lacks what it is about."""
    registry.lose_one()
    registry.note.write_text(text)
    registry.undecided()
    assert registry.asked == 1


def test_without_organisation_credentials_a_person_decides(registry: Registry) -> None:
    """Before any request: with the time, the region and both lines to paste, however often it is tried."""
    registry.lose_one()
    sent = len(registry.qlik.control.requests())
    with without_organisation(registry.cloud):
        question = [registry.undecided() for _ in range(2)][-1]
    assert len(registry.qlik.control.requests()) == sent
    assert "QLIK_ORG_CLIENT_ID" in question
    assert "register.eu.qlikcloud.com" in question
    assert registry.proof["made_at"] in question
    assert "revive: {hostname: …, tenant_id: …}" in question
    assert f"TENANTRY_RENEW={registry.proof['id']} pulumi up" in question


def test_the_answer_may_be_that_tenant(registry: Registry) -> None:
    """Then no request to make one is sent."""
    registry.lose_one()
    (hostname,) = registry.tenants
    revive = {"hostname": hostname, "tenant_id": World(registry.qlik, hostname).tenant["id"]}
    with without_organisation(registry.cloud):
        assert registry.obtain(revive=revive) == (hostname, revive["tenant_id"])
    assert registry.asked == 1


def test_one_that_fits_is_never_taken(registry: Registry) -> None:
    """It may be another stack's, whose note is on another machine: both are listed, and nothing is made."""
    registry.lose_one(drop_before=True)
    others = {registry.made_by_another()}
    assert all(f"hostname: {each}" in registry.undecided() for each in others)
    others.add(registry.made_by_another())
    assert all(f"hostname: {each}" in registry.undecided() for each in others)
    registry.qlik.control.advance(HOUR)
    assert all(f"hostname: {each}" in registry.undecided() for each in others)
    assert registry.tenants == others


@pytest.mark.parametrize("now", ["Globex", "Globex Ltd"])
def test_a_tenant_that_was_named_before_the_kill(registry: Registry, now: str) -> None:
    """It bears the customer's name, or the one that the file had at the time."""
    registry.lose_one()
    (hostname,) = registry.tenants
    World(registry.qlik, hostname).patch(
        f"tenants/{World(registry.qlik, hostname).tenant['id']}", name="Globex"
    )
    registry.qlik.control.advance(HOUR)
    assert hostname in registry.undecided(name=now)


def test_a_tenant_of_another_name_is_none(registry: Registry) -> None:
    """Another stack has named it since."""
    registry.lose_one(drop_before=True)
    registry.made_by_another(name="Initech")
    registry.qlik.control.advance(HOUR)
    registry.nothing_created()


def test_a_tenant_of_before_the_proof_is_none(registry: Registry) -> None:
    """By Qlik's clock, whatever this machine's says."""
    registry.made_by_another()
    registry.qlik.control.advance(HOUR)
    registry.lose_one(drop_before=True)
    registry.qlik.control.advance(HOUR)
    registry.nothing_created()


def test_a_maker_that_is_missing_or_foreign_makes_no_difference(registry: Registry) -> None:
    """Whether `createdBy` means what it seems to is not published."""
    registry.lose_one()
    (hostname,) = registry.tenants
    for maker in ("", "somebody else"):
        tenants = registry.cloud.organisation().get("/api/core/tenants")
        for each in tenants["data"]:
            each["createdBy"] = maker
        fault = registry.qlik.control.add_fault(
            host="console.*", path="/api/core/tenants", status=200, body=tenants
        )
        assert hostname in registry.undecided()
        registry.qlik.control.release(fault)


def test_late_is_not_never(registry: Registry) -> None:
    """Qlik makes it after the client has given up: the list has nothing yet, and that proves nothing."""
    registry.lose_one(done_after_ms=200_000)
    assert registry.tenants == set()
    assert "Qlik may still create it" in registry.undecided()
    registry.qlik.control.advance(200)
    (hostname,) = registry.tenants
    assert hostname in registry.undecided()
    registry.qlik.control.advance(HOUR)
    assert hostname in registry.undecided()
    assert registry.asked == 1


def test_a_list_that_lags_is_waited_for(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """It may show the tenant later than Qlik made it."""
    registry.qlik.control.settings(organisation_lag_ms=25_000)
    registry.lose_one(done_after_ms=290_000)
    registry.qlik.control.advance(310)
    assert "Qlik may still create it" in registry.undecided()
    registry.qlik.control.advance(10)
    (hostname,) = registry.tenants
    assert hostname in registry.undecided()


def test_a_proof_without_a_time_is_never_settled(registry: Registry) -> None:
    """Qlik's answer had no date: only a person can tell."""
    registry.lose_one(drop_before=True)
    registry.proof = {
        key: value for key, value in registry.proof.items() if key not in ("made_at", "valid_until")
    }
    registry.qlik.control.advance(HOUR)
    assert "had no date" in registry.undecided()


def test_a_list_that_cannot_be_read_decides_nothing(registry: Registry) -> None:
    """An error of the organisation's host is told as it is."""
    registry.lose_one()
    registry.qlik.control.advance(HOUR)
    registry.qlik.control.add_fault(host="console.*", path="/api/core/tenants", status=403)
    with pytest.raises(QlikError, match="console"):
        registry.obtain()
    assert registry.asked == 1


def test_one_that_was_taken_down_since(registry: Registry) -> None:
    """The note names it; it comes back by the line alone."""
    registry.prove()
    hostname, tenant_id = registry.obtain()
    registry.end_run()
    lifetime.deactivate(registry.cloud, hostname, tenant_id, 30)
    assert f"revive: {{hostname: {hostname}, tenant_id: {tenant_id}}}" in registry.undecided()
    assert World(registry.qlik, hostname).tenant["status"] == "disabled"


def test_a_tenant_alone_is_not_replaced(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """`--replace` and a taint: the state has a living tenant here. The command names both."""
    registry.prove()
    hostname, _ = registry.obtain()
    registry.end_run()
    entry = {"urn": URN, "id": hostname, "type": "pulumi-python:dynamic/qlik:Tenant"}
    monkeypatch.setattr(lost_responses, "state_resources", lambda: [entry])
    with pytest.raises(ResourceError) as error:
        registry.obtain()
    assert f"--replace '{URN}'" in str(error.value)
    assert f"--replace '{URN.replace('qlik:Tenant::tenant', 'qlik:TenantProof::proof')}'" in str(error.value)
    assert registry.asked == 1


# Taking one back


def test_revive_brings_back_the_named_tenant(registry: Registry) -> None:
    """Deactivated or not; a wrong id or hostname is Qlik's refusal, not another tenant."""
    registry.prove()
    hostname, tenant_id = registry.obtain()
    lifetime.deactivate(registry.cloud, hostname, tenant_id, 30)
    revive = {"hostname": hostname, "tenant_id": tenant_id}
    with without_organisation(registry.cloud):
        for _ in range(2):
            assert registry.obtain(revive=revive) == (hostname, tenant_id)
        with pytest.raises(TenantGone):
            registry.obtain(revive=revive | {"tenant_id": "another"})
    assert World(registry.qlik, hostname).tenant["status"] == "active"
    assert registry.tenants == {hostname}


def test_a_proof_for_a_tenant_to_take_back_is_unused(registry: Registry) -> None:
    """If that tenant is gone and the line is taken out, the proof may be renewed at once."""
    registry.prove(revives=True)
    with pytest.raises(TenantGone):
        registry.obtain(revive={"hostname": "gone.eu.qlikcloud.com", "tenant_id": "t"})
    registry.end_run()
    with without_organisation(registry.cloud):
        registry.nothing_created()
