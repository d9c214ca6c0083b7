"""The registration of tenants: one request per proof, and no reuse of a tenant that can belong to another
stack.
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
    """A stack that requests its tenant, and the messages of its runs to the user."""

    def __init__(self, qlik: Emulator, cloud: Cloud) -> None:
        self.qlik, self.cloud = qlik, cloud
        self.messages: list[str] = []
        cloud.notify = self.messages.append
        self.owner = URN
        self.proof: Proof = {}

    def prove(self, **want: Any) -> Proof:
        """Create a proof. The engine does this before it creates the tenant."""
        with run.handling(self.owner):
            self.proof = HANDLER.create(self.cloud, WANT | want)[1]["proof"]
        return self.proof

    def obtain(self, **want: Any) -> tuple[str, str]:
        """Create or find the tenant of the stack with the proof. Return its hostname and id."""
        with run.handling(self.owner):
            return registration.obtain(self.cloud, WANT | {"proof": self.proof} | want)[:2]

    def end_run(self) -> None:
        """End the provider process, which loses its permits."""
        permits._permits.clear()

    def lose_response(self, **effect: Any) -> None:
        """Request a tenant with a new proof and get no usable response. Then end the run."""
        self.prove()
        fault = self.qlik.control.add_fault(**CREATE, **(effect or {"drop_after": True}))
        with pytest.raises(TenantUndecided), without_organisation(self.cloud):
            self.obtain()
        self.qlik.control.release(fault)
        self.end_run()

    def expect_undecided(self, **want: Any) -> str:
        """Run, expect an error that asks the user to decide, and return its message."""
        with pytest.raises(TenantUndecided) as error:
            self.obtain(**want)
        assert not isinstance(error.value, NothingCreated), str(error.value)
        return str(error.value)

    def expect_nothing_created(self) -> str:
        """Run, expect an error that says that no tenant was created, and return its message."""
        with pytest.raises(NothingCreated) as error:
            self.obtain()
        assert nothing_created_in(str(error.value)) == self.proof["id"]
        return str(error.value)

    @property
    def note(self) -> Path:
        """Return the path of the note about the proof."""
        with run.handling(self.owner):
            return Note(self.proof["id"], "tenant").path

    @property
    def tenants(self) -> set[str]:
        """Return the hostnames of all tenants that Qlik has created, also of deactivated ones."""
        tenants = self.qlik.control.dump()["cloud"]["tenant"]
        return {tenant["hostnames"][0] for tenant in tenants if tenant.get("_created")}

    @property
    def request_count(self) -> int:
        """Return the number of requests for a tenant."""
        return calls(self.qlik.control.requests()).count("POST /api/v1/tenants")

    def create_foreign_tenant(self, **patch: str) -> str:
        """Create a tenant outside the stack, with the same client. Return its hostname."""
        tenant = self.cloud.register("eu").post("/api/v1/tenants", LICENCE)
        world = World(self.qlik, tenant["hostnames"][0])
        if patch:
            world.patch(f"tenants/{tenant['id']}", **patch)
        return world.hostname


class without_organisation:
    """Remove the organisation credentials from the client for the block."""

    def __init__(self, cloud: Cloud) -> None:
        self._environ: dict[str, str] = cloud._environ  # type: ignore[assignment]

    def __enter__(self) -> None:
        self._removed = {key: self._environ.pop(key) for key in list(self._environ) if "_ORG_" in key}

    def __exit__(self, *_: object) -> None:
        self._environ.update(self._removed)


@pytest.fixture
def registry(qlik: Emulator, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Registry]:
    """Yield a stack with organisation credentials and without a proof."""
    monkeypatch.setenv("TENANTRY_STATE", str(tmp_path))
    # These stacks have no state file. Tenantry reads renewed proofs from it.
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


# Tests with a proof of this run


def test_a_new_tenant_takes_one_request_and_leaves_a_note(registry: Registry) -> None:
    """A run needs the note if an earlier run was killed before the state had the tenant."""
    registry.prove()
    hostname, tenant_id = registry.obtain()
    assert registry.tenants == {hostname}
    note = json.loads(registry.note.read_text())
    assert (note["outcome"], note["tenant_id"]) == ("created", tenant_id)
    assert registry.messages == []


def test_only_the_request_for_a_tenant_starts_exports(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tenant of an earlier request can already have its apps."""
    exported_apps: list[list[Any]] = []
    monkeypatch.setattr(exports, "begin", lambda _, apps: exported_apps.append(list(apps)))
    apps = {"Sales": {"template": "Sales Overview", "version": "2.3.0"}}
    registry.prove()
    registry.obtain(templates=apps)
    assert exported_apps == [list(apps.values())]
    registry.end_run()
    registry.obtain(templates=apps)
    assert len(exported_apps) == 1


def test_a_proof_is_used_only_once(registry: Registry) -> None:
    """Even without the note, Tenantry sends no second request with the proof."""
    registry.prove()
    registry.obtain()
    registry.note.unlink()
    registry.expect_undecided()
    assert registry.request_count == 1


def test_a_permit_expires(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """A run was suspended, and another run may have continued in the meantime. It sends no request."""
    registry.prove()
    monkeypatch.setattr(permits, "PERMIT_SECONDS", -1.0)
    with pytest.raises(ResourceError, match="time allowed"):
        registry.obtain()
    assert registry.request_count == 0
    registry.expect_nothing_created()


@pytest.mark.parametrize(
    "refusal", [{}, {"status": 429, "headers": {"Retry-After": "3600"}}], ids=["quota", "rate limit"]
)
def test_a_refused_request_creates_nothing(registry: Registry, refusal: dict[str, Any]) -> None:
    """The error gives the command that renews the proof. The next run reports that no tenant was created."""
    if refusal:
        registry.qlik.control.add_fault(**CREATE, **refusal)
    else:
        registry.qlik.control.settings(tenant_quota=0)
    registry.prove()
    with pytest.raises(ResourceError) as error:
        registry.obtain()
    assert f"TENANTRY_RENEW={registry.proof['id']} pulumi up --stack globex" in str(error.value)
    assert nothing_created_in(str(error.value)) == "", (
        "an immediate second request does not help after a refusal"
    )
    registry.end_run()
    with without_organisation(registry.cloud):
        assert "refused or never sent" in registry.expect_nothing_created()
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
def test_an_unusable_response_never_leads_to_a_second_request(
    registry: Registry, effect: dict[str, Any]
) -> None:
    """The response is lost, incomplete, malformed or the page of a proxy. Qlik may have created the tenant.
    The user has to decide.
    """
    registry.lose_response(**effect)
    created_count = len(registry.tenants)
    for _ in range(2):
        message = registry.expect_undecided()
        assert created_count == len(re.findall(r"^  revive: \{hostname: ", message, re.MULTILINE))
    assert registry.request_count == 1
    registry.qlik.control.advance(HOUR)
    if created_count:
        registry.expect_undecided()
    else:
        registry.expect_nothing_created()
    assert (registry.request_count, len(registry.tenants)) == (1, created_count)


def test_the_error_of_a_lost_response_has_the_revive_line_of_the_candidate(registry: Registry) -> None:
    registry.prove()
    registry.qlik.control.add_fault(**CREATE, drop_after=True)
    message = registry.expect_undecided()
    (hostname,) = registry.tenants
    assert (
        f"revive: {{hostname: {hostname}, tenant_id: {World(registry.qlik, hostname).tenant['id']}}}"
        in message
    )
    assert "its response was lost" in message


def test_the_error_contains_the_failed_response(registry: Registry) -> None:
    registry.prove()
    registry.qlik.control.add_fault(**CREATE, status=503)
    assert "answered 503" in registry.expect_undecided()


def test_a_deactivated_tenant_with_the_name_requires_a_decision(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tenant can belong to this customer or to another stack. If the user renews the proof, Tenantry
    creates a new tenant.
    """
    deactivated_host = registry.create_foreign_tenant(name="Globex")
    tenant_id = World(registry.qlik, deactivated_host).tenant["id"]
    lifetime.deactivate(registry.cloud, deactivated_host, tenant_id, 30)
    registry.prove()
    message = registry.expect_undecided()
    assert f"revive: {{hostname: {deactivated_host}, tenant_id: {tenant_id}}}" in message
    assert f"TENANTRY_RENEW={registry.proof['id']}" in message
    registry.end_run()
    assert "deactivated" in registry.expect_undecided(), "the user has not decided yet"
    assert (registry.request_count, World(registry.qlik, deactivated_host).tenant["status"]) == (
        1,
        "disabled",
    )

    proofs = [{"type": "pulumi-python:dynamic/qlik:TenantProof"}] * 2
    monkeypatch.setattr(lost_responses, "state_resources", lambda: proofs)
    registry.prove()
    assert registry.obtain()[0] != deactivated_host
    assert World(registry.qlik, deactivated_host).tenant["status"] == "disabled"


def test_a_refused_renewal_decides_nothing_for_later_runs(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The state can still have both proofs when somebody deactivates a tenant with the name."""
    proofs = [{"type": "pulumi-python:dynamic/qlik:TenantProof"}] * 2
    monkeypatch.setattr(lost_responses, "state_resources", lambda: proofs)
    registry.qlik.control.settings(tenant_quota=0)
    registry.prove()
    with pytest.raises(ResourceError):
        registry.obtain()
    registry.end_run()
    registry.qlik.control.settings(tenant_quota=None)
    registry.expect_nothing_created()
    deactivated_host = registry.create_foreign_tenant(name="Globex")
    lifetime.deactivate(
        registry.cloud, deactivated_host, World(registry.qlik, deactivated_host).tenant["id"], 30
    )
    assert f"hostname: {deactivated_host}" in registry.expect_undecided()


# Tests with the proof of an earlier run


def test_a_run_that_ended_right_after_its_proof_has_created_nothing(registry: Registry) -> None:
    """The run sent no request, but no note says so. It is certain only after the permit has expired."""
    registry.prove()
    registry.end_run()
    assert "Run `pulumi up` again after" in registry.expect_undecided()
    registry.qlik.control.advance(permits.PERMIT_SECONDS + 120 + 300 + 30 + 10)
    registry.expect_nothing_created()
    assert registry.request_count == 0


def test_the_note_of_a_killed_run_names_the_tenant(registry: Registry) -> None:
    """The run got the response before it was killed. The next run needs no list of tenants."""
    registry.prove()
    found = registry.obtain()
    registry.end_run()
    with without_organisation(registry.cloud):
        assert registry.obtain() == found
    assert registry.tenants == {found[0]}
    assert "an earlier run created tenant" in registry.messages[-1]


def test_a_copied_state_does_not_use_the_note_of_the_original(registry: Registry) -> None:
    """The copy has the same proof and uses the same disk, but it is another stack."""
    registry.prove()
    registry.obtain()
    registry.end_run()
    registry.owner = URN.replace("globex", "initech")
    registry.expect_undecided()
    assert registry.request_count == 1


@pytest.mark.parametrize("text", ["", "{", "[]", '{"outcome": "nothing"}', '{"outcome": "created"}'])
def test_an_invalid_or_incomplete_note_decides_nothing(registry: Registry, text: str) -> None:
    registry.lose_response()
    registry.note.write_text(text)
    registry.expect_undecided()
    assert registry.request_count == 1


def test_without_organisation_credentials_the_user_has_to_decide(registry: Registry) -> None:
    """The error has the time, the region and the two lines to copy. Tenantry sends no request."""
    registry.lose_response()
    request_count_before = len(registry.qlik.control.requests())
    with without_organisation(registry.cloud):
        message = [registry.expect_undecided() for _ in range(2)][-1]
    assert len(registry.qlik.control.requests()) == request_count_before
    assert "QLIK_ORG_CLIENT_ID" in message
    assert "register.eu.qlikcloud.com" in message
    assert registry.proof["made_at"] in message
    assert "revive: {hostname: …, tenant_id: …}" in message
    assert f"TENANTRY_RENEW={registry.proof['id']} pulumi up" in message


def test_the_user_can_decide_for_the_created_tenant(registry: Registry) -> None:
    """Tenantry then sends no request for a new tenant."""
    registry.lose_response()
    (hostname,) = registry.tenants
    revive = {"hostname": hostname, "tenant_id": World(registry.qlik, hostname).tenant["id"]}
    with without_organisation(registry.cloud):
        assert registry.obtain(revive=revive) == (hostname, revive["tenant_id"])
    assert registry.request_count == 1


def test_a_tenant_that_fits_is_never_reused_without_a_decision(registry: Registry) -> None:
    """It can belong to another stack with its note on another machine. The error lists all candidates."""
    registry.lose_response(drop_before=True)
    others = {registry.create_foreign_tenant()}
    assert all(f"hostname: {hostname}" in registry.expect_undecided() for hostname in others)
    others.add(registry.create_foreign_tenant())
    assert all(f"hostname: {hostname}" in registry.expect_undecided() for hostname in others)
    registry.qlik.control.advance(HOUR)
    assert all(f"hostname: {hostname}" in registry.expect_undecided() for hostname in others)
    assert registry.tenants == others


@pytest.mark.parametrize("current_name", ["Globex", "Globex Ltd"])
def test_a_tenant_that_the_killed_run_renamed_is_a_candidate(registry: Registry, current_name: str) -> None:
    """The tenant has the name of the customer, or the name that the stack file had at that time."""
    registry.lose_response()
    (hostname,) = registry.tenants
    World(registry.qlik, hostname).patch(
        f"tenants/{World(registry.qlik, hostname).tenant['id']}", name="Globex"
    )
    registry.qlik.control.advance(HOUR)
    assert hostname in registry.expect_undecided(name=current_name)


def test_a_tenant_with_another_name_is_no_candidate(registry: Registry) -> None:
    """Another stack has renamed it in the meantime."""
    registry.lose_response(drop_before=True)
    registry.create_foreign_tenant(name="Initech")
    registry.qlik.control.advance(HOUR)
    registry.expect_nothing_created()


def test_a_tenant_older_than_the_proof_is_no_candidate(registry: Registry) -> None:
    """Tenantry compares times of Qlik's clock, so the clock of this machine does not matter."""
    registry.create_foreign_tenant()
    registry.qlik.control.advance(HOUR)
    registry.lose_response(drop_before=True)
    registry.qlik.control.advance(HOUR)
    registry.expect_nothing_created()


def test_the_creator_in_the_list_of_tenants_does_not_matter(registry: Registry) -> None:
    """Qlik does not document the meaning of `createdBy`."""
    registry.lose_response()
    (hostname,) = registry.tenants
    for creator in ("", "somebody else"):
        tenants = registry.cloud.organisation().get("/api/core/tenants")
        for tenant in tenants["data"]:
            tenant["createdBy"] = creator
        fault = registry.qlik.control.add_fault(
            host="console.*", path="/api/core/tenants", status=200, body=tenants
        )
        assert hostname in registry.expect_undecided()
        registry.qlik.control.release(fault)


def test_a_list_without_the_tenant_does_not_prove_that_qlik_created_none(registry: Registry) -> None:
    """Qlik creates the tenant after the client has stopped waiting."""
    registry.lose_response(done_after_ms=200_000)
    assert registry.tenants == set()
    assert "Qlik may still create it" in registry.expect_undecided()
    registry.qlik.control.advance(200)
    (hostname,) = registry.tenants
    assert hostname in registry.expect_undecided()
    registry.qlik.control.advance(HOUR)
    assert hostname in registry.expect_undecided()
    assert registry.request_count == 1


def test_the_decision_waits_for_a_late_list(registry: Registry, monkeypatch: pytest.MonkeyPatch) -> None:
    """The list can show a tenant later than Qlik creates it."""
    registry.qlik.control.settings(organisation_lag_ms=25_000)
    registry.lose_response(done_after_ms=290_000)
    registry.qlik.control.advance(310)
    assert "Qlik may still create it" in registry.expect_undecided()
    registry.qlik.control.advance(10)
    (hostname,) = registry.tenants
    assert hostname in registry.expect_undecided()


def test_a_proof_without_a_time_always_requires_a_decision(registry: Registry) -> None:
    """The response of Qlik had no date."""
    registry.lose_response(drop_before=True)
    registry.proof = {
        key: value for key, value in registry.proof.items() if key not in ("made_at", "valid_until")
    }
    registry.qlik.control.advance(HOUR)
    assert "had no date" in registry.expect_undecided()


def test_a_list_that_cannot_be_read_decides_nothing(registry: Registry) -> None:
    """The user gets the error of the organisation host unchanged."""
    registry.lose_response()
    registry.qlik.control.advance(HOUR)
    registry.qlik.control.add_fault(host="console.*", path="/api/core/tenants", status=403)
    with pytest.raises(QlikError, match="console"):
        registry.obtain()
    assert registry.request_count == 1


def test_a_deactivated_tenant_of_a_note_needs_the_revive_line(registry: Registry) -> None:
    """Somebody deactivated the tenant after the killed run."""
    registry.prove()
    hostname, tenant_id = registry.obtain()
    registry.end_run()
    lifetime.deactivate(registry.cloud, hostname, tenant_id, 30)
    assert f"revive: {{hostname: {hostname}, tenant_id: {tenant_id}}}" in registry.expect_undecided()
    assert World(registry.qlik, hostname).tenant["status"] == "disabled"


def test_a_tenant_cannot_be_replaced_without_its_proof(
    registry: Registry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After `--replace` or a taint, the state still has the tenant. The command replaces both."""
    registry.prove()
    hostname, _ = registry.obtain()
    registry.end_run()
    entry = {"urn": URN, "id": hostname, "type": "pulumi-python:dynamic/qlik:Tenant"}
    monkeypatch.setattr(lost_responses, "state_resources", lambda: [entry])
    with pytest.raises(ResourceError) as error:
        registry.obtain()
    assert f"--replace '{URN}'" in str(error.value)
    assert f"--replace '{URN.replace('qlik:Tenant::tenant', 'qlik:TenantProof::proof')}'" in str(error.value)
    assert registry.request_count == 1


# Tests of revivals


def test_revive_brings_back_the_named_tenant(registry: Registry) -> None:
    """It does not matter whether the tenant is deactivated. Qlik refuses a wrong id or hostname."""
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


def test_the_proof_of_a_failed_revival_can_be_renewed_immediately(registry: Registry) -> None:
    """The tenant does not exist any more, and the user removes the line."""
    registry.prove(revives=True)
    with pytest.raises(TenantGone):
        registry.obtain(revive={"hostname": "gone.eu.qlikcloud.com", "tenant_id": "t"})
    registry.end_run()
    with without_organisation(registry.cloud):
        registry.expect_nothing_created()
