"""A refresh reads one list for many objects, and never uses an outdated list."""

from __future__ import annotations

import itertools
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest

from tenantry.providers import handler_of, resource_types
from tenantry.providers.framework import engine, listings, run
from tenantry.providers.framework.engine import Failure
from tenantry.providers.framework.handlers import Collection
from tenantry.providers.qlik import Cloud, DeadlineExceeded, Host, deadline
from tenantry.providers.qlik.errors import GONE_CODES
from tenantry.providers.qlik.testing import ENVIRONMENT, Call, MockTransport, Reply
from tests.providers.framework.test_every_resource_type import CASES
from tests.providers.resource_driver import Case, MakeDriver, ResourceDriver, Tenancy, resolve

GROUPS, SPACES = "GET /api/v1/groups", "GET /api/v1/spaces"
WORKERS = 4

_numbers = itertools.count()


@pytest.fixture(autouse=True)
def next_run(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[[], str]]:
    """Begin a run of the engine. Return a function that begins the next one and returns its address."""
    addresses = []

    def begin() -> str:
        addresses.append(f"{__name__}:{next(_numbers)}")
        monkeypatch.setattr(engine, "current_run", lambda: addresses[-1])
        return addresses[-1]

    begin()
    yield begin
    for address in addresses:
        run._runs.pop(address, None)


LISTED = {
    module: case
    for module, case in CASES.items()
    for resource_type in resource_types().values()
    if resource_type.module() == module
    and isinstance(handler := handler_of(resource_type.__name__), Collection)
    and handler.lists_show_all
}


@pytest.mark.parametrize(
    ("case", "name"),
    [pytest.param(case, name, id=f"{case}-{name}") for case in LISTED.values() for name in case.drifts],
)
def test_a_list_shows_the_drift_of_every_property(
    case: Case, name: str, driver: MakeDriver, tenancy: Tenancy
) -> None:
    """No GET of the object is necessary. After an update, the old list is not used again."""
    resource = driver(case.module).create(case.inputs_for(tenancy))
    case.drifts[name].do(tenancy, resource.id)
    tenancy.requests()
    assert resource.drift() == {name: resolve(tenancy, case.drifts[name].live)}
    assert not [request for request in tenancy.requests() if request.endswith(f"/{resource.id}")]
    resource.update(resource.inputs)
    assert resource.drift() == {}


@pytest.mark.parametrize("case", [case for case in LISTED.values() if case.remove], ids=str)
def test_an_object_missing_from_the_list_is_requested_before_it_counts_as_gone(
    case: Case, driver: MakeDriver, tenancy: Tenancy
) -> None:
    """A list may omit an existing object.

    If the API publishes no code for a missing object, a second GET and a complete list confirm the first 404.
    """
    resource = driver(case.module).create(case.inputs_for(tenancy))
    assert case.remove
    case.remove(tenancy, resource.id)
    tenancy.requests()
    assert resource.drift() is None
    list_request, *other_requests = tenancy.requests()
    get_request = f"{list_request}/{resource.id}"
    has_published_code = list_request.rpartition("/")[2] in GONE_CODES
    assert other_requests == (
        [get_request] if has_published_code else [get_request, get_request, list_request]
    )


def test_an_object_that_the_list_omits_still_exists(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The response to the GET of the object decides."""
    space = driver("space").create({"tenant": tenancy.hostname, "name": "Sales", "type": "shared"})
    tenancy.qlik.control.add_fault(path="/api/v1/spaces", status=200, body={"data": []})
    tenancy.requests()
    assert space.drift() == {}
    assert tenancy.requests() == [SPACES, f"{SPACES}/{space.id}"]


def test_a_tenant_with_many_objects_takes_few_requests(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Four threads that read 40 groups, 10 spaces and 30 assignments send one list per collection."""
    group_ids = [tenancy.group(f"Group {n}") for n in range(40)]
    space_ids = [tenancy.space(f"Space {n}") for n in range(10)]
    drivers = [with_state(driver("group"), id, tenant=tenancy.hostname, name="?") for id in group_ids]
    drivers += [with_state(driver("space"), id, tenant=tenancy.hostname, name="?") for id in space_ids]
    for space, group in itertools.product(space_ids, group_ids[:3]):
        body = {"type": "group", "assigneeId": group, "roles": ["consumer"]}
        id = tenancy.bot.post(f"/api/v1/spaces/{space}/assignments", body)["id"]
        state = {"tenant": tenancy.hostname, "space": space, "assignee": group}
        drivers.append(with_state(driver("space_assignment"), id, **state))
    tenancy.requests()
    tenancy.qlik.control.settings(latency_ms=20)
    with ThreadPoolExecutor(WORKERS) as pool:
        names = list(pool.map(live_name, drivers))
    request_counts = Counter(tenancy.requests())
    lists = [GROUPS, SPACES, *(f"GET /api/v1/spaces/{id}/assignments" for id in space_ids)]
    assert request_counts == dict.fromkeys(lists, 1)
    assert names[:50] == [f"Group {n}" for n in range(40)] + [f"Space {n}" for n in range(10)]


def test_few_objects_among_many_cost_at_most_one_extra_request(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Ours are on the last of three pages. The first page has none of them, so no further page is read."""
    for n in range(210):
        tenancy.bot.post("/api/v1/groups", {"name": f"Group {n:03}"})
    groups = [
        with_state(driver("group"), tenancy.group(f"Z {n}"), tenant=tenancy.hostname, name="?")
        for n in range(5)
    ]
    tenancy.requests()
    assert [live_name(group) for group in groups] == [f"Z {n}" for n in range(5)]
    assert tenancy.requests() == [GROUPS, *(f"{GROUPS}/{group.id}" for group in groups)]


def test_many_objects_take_one_request_per_page(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The next page is read whenever a page had one of our objects."""
    ids = [tenancy.bot.post("/api/v1/groups", {"name": f"Group {n:03}"})["id"] for n in range(210)]
    groups = [with_state(driver("group"), id, tenant=tenancy.hostname, name="?") for id in ids]
    tenancy.requests()
    assert [live_name(group) for group in groups] == [f"Group {n:03}" for n in range(210)]
    assert tenancy.requests() == [GROUPS] * 3


def test_the_next_run_reads_a_new_list(
    driver: MakeDriver, tenancy: Tenancy, next_run: Callable[[], str]
) -> None:
    """This holds even if both runs use the same provider process."""
    group = driver("group").create({"tenant": tenancy.hostname, "name": "Analysts"})
    assert group.drift() == {}
    tenancy.world.patch(f"groups/{group.id}", assignedRoles=[{"name": "Developer"}])
    next_run()
    assert group.drift() == {"roles": ["Developer"]}


@pytest.mark.parametrize("write", ["create", "update", "delete"])
def test_any_write_of_the_run_invalidates_its_lists(
    write: str, driver: MakeDriver, tenancy: Tenancy, next_run: Callable[[], str]
) -> None:
    """A failed write counts as well, because Qlik may have executed it."""
    group = driver("group").create({"tenant": tenancy.hostname, "name": "Analysts"})
    other = driver("group").create({"tenant": tenancy.hostname, "name": "Others"})
    next_run()
    assert group.drift() == {}
    tenancy.world.patch(f"groups/{group.id}", assignedRoles=[{"name": "Developer"}])
    assert group.drift() == {}, "the run has not cached the list, so this test proves nothing"
    for method in ("POST", "PATCH", "DELETE"):
        tenancy.qlik.control.add_fault(method=method, path="/api/v1/groups*", status=403)
    writes: dict[str, Callable[[], object]] = {
        "create": lambda: driver("group").create({"tenant": tenancy.hostname, "name": "Third"}),
        "update": lambda: other.update(other.inputs | {"roles": ["Steward"]}),
        "delete": other.delete,
    }
    with pytest.raises(Failure, match="403"):
        writes[write]()
    assert group.drift() == {"roles": ["Developer"]}


def test_a_crud_method_that_writes_uses_no_list(
    driver: MakeDriver, tenancy: Tenancy, next_run: Callable[[], str]
) -> None:
    """A call outside the engine uses none either."""
    group = driver("group").create({"tenant": tenancy.hostname, "name": "Analysts"})
    address = next_run()
    assert group.drift() == {}
    tenancy.requests()
    handler = group.provider.handler
    with run.handling("urn", address):
        assert handler.read(tenancy.cloud, group.id, group.state)
    with run.handling("urn", writes=False):
        assert handler.read(tenancy.cloud, group.id, group.state)
    assert handler.read(tenancy.cloud, group.id, group.state)
    assert tenancy.requests() == [f"{GROUPS}/{group.id}"] * 3


def test_a_list_that_qlik_refuses_is_requested_once(driver: MakeDriver, tenancy: Tenancy) -> None:
    """After the refusal, the refresh sends a GET for each object."""
    groups = [driver("group").create({"tenant": tenancy.hostname, "name": name}) for name in "ABC"]
    tenancy.qlik.control.add_fault(path="/api/v1/groups", status=403)
    tenancy.requests()
    assert [group.drift() for group in groups] == [{}, {}, {}]
    assert tenancy.requests() == [GROUPS, *(f"{GROUPS}/{group.id}" for group in groups)]


def test_objects_of_a_deactivated_tenant_stay_in_the_state(driver: MakeDriver, tenancy: Tenancy) -> None:
    """The failed list causes no error, and nothing is lost."""
    groups = [driver("group").create({"tenant": tenancy.hostname, "name": name}) for name in "ABC"]
    path = f"/api/v1/tenants/{tenancy.tenant_id}/actions/deactivate"
    headers = {"qlik-confirm-hostname": tenancy.hostname}
    tenancy.cloud.register("eu").post(path, {}, headers=headers)
    assert [group.drift() for group in groups] == [{}, {}, {}]
    assert (
        len([line for line in tenancy.messages if f"tenant {tenancy.hostname} is deactivated" in line]) == 1
    )


class SlowList:
    """A host whose list request sets `requested`, and gets its response once `respond` is set."""

    def __init__(self) -> None:
        self.requested, self.respond = threading.Event(), threading.Event()
        self.cloud = Cloud(ENVIRONMENT, adapter=MockTransport(self._send_list))
        self.host = Host(self.cloud, "acme.eu.qlikcloud.com")

    def _send_list(self, call: Call) -> Reply:
        self.requested.set()
        assert self.respond.wait(10)
        return Reply(200, {"data": [{"id": "one"}, {"id": "two"}]})


def test_a_thread_waits_for_the_list_of_another_until_its_deadline() -> None:
    """Once read, the list serves later calls."""
    slow = SlowList()
    listing = listings.Listing(slow.host, "/api/v1/things")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(listing.find, "one")
        assert slow.requested.wait(10)
        with deadline(0.05), pytest.raises(DeadlineExceeded, match=r"the list acme\..*/api/v1/things"):
            listing.find("two")
        slow.respond.set()
        assert first.result() == {"id": "one"}
    assert listing.find("two") == {"id": "two"}


def with_state(resource: ResourceDriver, id: str, **state: Any) -> ResourceDriver:
    """Give a driver the state of an existing object."""
    resource.id, resource.state = id, state
    return resource


def live_name(resource: ResourceDriver) -> Any:
    """Refresh an object and return its name, None if it has none."""
    drift = resource.drift()
    assert drift is not None
    return drift.get("name")
