"""What a refresh reads of collections: one list for many objects, and never an old one."""

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
    """Each test is one run of the engine, until it begins another; return the address of that."""
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
    for kind in resource_types().values()
    if kind.module() == module
    and isinstance(handler := handler_of(kind.__name__), Collection)
    and handler.lists_show_all
}


@pytest.mark.parametrize(
    ("case", "name"),
    [pytest.param(case, name, id=f"{case}-{name}") for case in LISTED.values() for name in case.drifts],
)
def test_a_list_shows_what_the_object_itself_does(
    case: Case, name: str, driver: MakeDriver, tenancy: Tenancy
) -> None:
    """Each property of every kind; and what was put right since is not shown as it was before."""
    made = driver(case.module).create(case.inputs_for(tenancy))
    case.drifts[name].do(tenancy, made.id)
    tenancy.requests()
    assert made.drift() == {name: resolve(tenancy, case.drifts[name].live)}
    assert not [each for each in tenancy.requests() if each.endswith(f"/{made.id}")]
    made.update(made.inputs)
    assert made.drift() == {}


@pytest.mark.parametrize("case", [case for case in LISTED.values() if case.remove], ids=str)
def test_what_is_in_no_list_is_asked_for_before_it_is_gone(
    case: Case, driver: MakeDriver, tenancy: Tenancy
) -> None:
    """A list may leave out what is there. Without a published code for that it is asked for again, and
    listed whole.
    """
    made = driver(case.module).create(case.inputs_for(tenancy))
    assert case.remove
    case.remove(tenancy, made.id)
    tenancy.requests()
    assert made.drift() is None
    listed, *asked = tenancy.requests()
    itself = f"{listed}/{made.id}"
    published = listed.rpartition("/")[2] in GONE_CODES
    assert asked == ([itself] if published else [itself, itself, listed])


def test_what_a_list_leaves_out_is_there_all_the_same(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Its own answer counts."""
    space = driver("space").create({"tenant": tenancy.hostname, "name": "Sales", "type": "shared"})
    tenancy.qlik.control.add_fault(path="/api/v1/spaces", status=200, body={"data": []})
    tenancy.requests()
    assert space.drift() == {}
    assert tenancy.requests() == [SPACES, f"{SPACES}/{space.id}"]


def test_a_tenant_of_many_objects_takes_few_requests(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Four threads that read 40 groups, 10 spaces and 30 assignments send one list per collection."""
    group_ids = [tenancy.group(f"Group {n}") for n in range(40)]
    space_ids = [tenancy.space(f"Space {n}") for n in range(10)]
    drivers = [stated(driver("group"), id, tenant=tenancy.hostname, name="?") for id in group_ids]
    drivers += [stated(driver("space"), id, tenant=tenancy.hostname, name="?") for id in space_ids]
    for space, group in itertools.product(space_ids, group_ids[:3]):
        body = {"type": "group", "assigneeId": group, "roles": ["consumer"]}
        id = tenancy.bot.post(f"/api/v1/spaces/{space}/assignments", body)["id"]
        state = {"tenant": tenancy.hostname, "space": space, "assignee": group}
        drivers.append(stated(driver("space_assignment"), id, **state))
    tenancy.requests()
    tenancy.qlik.control.settings(latency_ms=20)
    with ThreadPoolExecutor(WORKERS) as pool:
        names = list(pool.map(live_name, drivers))
    asked = Counter(tenancy.requests())
    lists = [GROUPS, SPACES, *(f"GET /api/v1/spaces/{id}/assignments" for id in space_ids)]
    assert asked == dict.fromkeys(lists, 1)
    assert names[:50] == [f"Group {n}" for n in range(40)] + [f"Space {n}" for n in range(10)]


def test_few_objects_among_many_cost_one_request_more_at_most(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Ours are on the last of three pages: the other two pages are not worth reading."""
    for n in range(210):
        tenancy.bot.post("/api/v1/groups", {"name": f"Group {n:03}"})
    ours = [
        stated(driver("group"), tenancy.group(f"Z {n}"), tenant=tenancy.hostname, name="?") for n in range(5)
    ]
    tenancy.requests()
    assert [live_name(each) for each in ours] == [f"Z {n}" for n in range(5)]
    assert tenancy.requests() == [GROUPS, *(f"{GROUPS}/{each.id}" for each in ours)]


def test_many_objects_take_one_request_a_page(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Each page that was of use makes the next one worth reading."""
    ids = [tenancy.bot.post("/api/v1/groups", {"name": f"Group {n:03}"})["id"] for n in range(210)]
    drivers = [stated(driver("group"), id, tenant=tenancy.hostname, name="?") for id in ids]
    tenancy.requests()
    assert [live_name(each) for each in drivers] == [f"Group {n:03}" for n in range(210)]
    assert tenancy.requests() == [GROUPS] * 3


def test_another_run_lists_anew(driver: MakeDriver, tenancy: Tenancy, next_run: Callable[[], str]) -> None:
    """What one refresh saw is no answer to the next, in one process, too."""
    group = driver("group").create({"tenant": tenancy.hostname, "name": "Analysts"})
    assert group.drift() == {}
    tenancy.world.patch(f"groups/{group.id}", assignedRoles=[{"name": "Developer"}])
    next_run()
    assert group.drift() == {"roles": ["Developer"]}


@pytest.mark.parametrize("write", ["create", "update", "delete"])
def test_any_write_of_the_run_drops_its_lists(
    write: str, driver: MakeDriver, tenancy: Tenancy, next_run: Callable[[], str]
) -> None:
    """One that fails, too: it may have been done all the same."""
    group = driver("group").create({"tenant": tenancy.hostname, "name": "Analysts"})
    other = driver("group").create({"tenant": tenancy.hostname, "name": "Others"})
    next_run()
    assert group.drift() == {}
    tenancy.world.patch(f"groups/{group.id}", assignedRoles=[{"name": "Developer"}])
    assert group.drift() == {}, "there is a list, or the test shows nothing"
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


def test_a_verb_that_writes_reads_no_list(
    driver: MakeDriver, tenancy: Tenancy, next_run: Callable[[], str]
) -> None:
    """An update that reads back its result, and a call outside the engine."""
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


def test_a_list_that_qlik_refuses_is_asked_for_once(driver: MakeDriver, tenancy: Tenancy) -> None:
    """Then each object is asked for by itself, as if there were no lists."""
    made = [driver("group").create({"tenant": tenancy.hostname, "name": name}) for name in "ABC"]
    tenancy.qlik.control.add_fault(path="/api/v1/groups", status=403)
    tenancy.requests()
    assert [each.drift() for each in made] == [{}, {}, {}]
    assert tenancy.requests() == [GROUPS, *(f"{GROUPS}/{each.id}" for each in made)]


def test_a_deactivated_tenant_keeps_its_values(driver: MakeDriver, tenancy: Tenancy) -> None:
    """As without lists: neither an error nor a loss."""
    made = [driver("group").create({"tenant": tenancy.hostname, "name": name}) for name in "ABC"]
    path = f"/api/v1/tenants/{tenancy.tenant_id}/actions/deactivate"
    headers = {"qlik-confirm-hostname": tenancy.hostname}
    tenancy.cloud.register("eu").post(path, {}, headers=headers)
    assert [each.drift() for each in made] == [{}, {}, {}]
    assert (
        len([line for line in tenancy.messages if f"tenant {tenancy.hostname} is deactivated" in line]) == 1
    )


class SlowList:
    """A host of which only lists are read; they take until `go` is set."""

    def __init__(self) -> None:
        self.asked, self.go = threading.Event(), threading.Event()
        self.cloud = Cloud(ENVIRONMENT, adapter=MockTransport(self._answer))
        self.host = Host(self.cloud, "acme.eu.qlikcloud.com")

    def _answer(self, call: Call) -> Reply:
        self.asked.set()
        assert self.go.wait(10)
        return Reply(200, {"data": [{"id": "one"}, {"id": "two"}]})


def test_a_thread_waits_for_the_list_of_another_until_its_time_is_over() -> None:
    """And the list serves the next one."""
    slow = SlowList()
    listing = listings.Listing(slow.host, "/api/v1/things")
    with ThreadPoolExecutor(1) as pool:
        first = pool.submit(listing.find, "one")
        assert slow.asked.wait(10)
        with deadline(0.05), pytest.raises(DeadlineExceeded, match=r"the list acme\..*/api/v1/things"):
            listing.find("two")
        slow.go.set()
        assert first.result() == {"id": "one"}
    assert listing.find("two") == {"id": "two"}


def stated(made: ResourceDriver, id: str, **state: Any) -> ResourceDriver:
    """The twin of an object that is there already."""
    made.id, made.state = id, state
    return made


def live_name(made: ResourceDriver) -> Any:
    """Read an object; its name, None for one that has none."""
    found = made.drift()
    assert found is not None
    return found.get("name")
