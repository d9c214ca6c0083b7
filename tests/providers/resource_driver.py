"""Drives one resource like the engine, but without it. Adapter and handlers are real, and Qlik is emulated.

Each resource type has a test module, `test_<module>.py`, with a `Case`: example inputs, what Qlik has after
`create`, and how each property changes and drifts. `test_every_resource_type.py` runs the
shared tests on all cases.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from tenantry.emulator import Emulator
from tenantry.providers.framework.adapter import Provider
from tenantry.providers.framework.properties import Change
from tenantry.providers.framework.resource import provider_string
from tenantry.providers.qlik import Cloud
from tenantry.pulumi_internals.dynamic_resources import PROVIDER_KEY
from tests.forms import FormBody
from tests.world import World, calls, whole

LICENCE = "emulator-licence-key-eu"
Inputs = dict[str, Any]


class Tenancy:
    """A customer's tenant, with our client and its messages to the user."""

    def __init__(self, qlik: Emulator, cloud: Cloud) -> None:
        self.qlik, self.cloud = qlik, cloud
        self.messages: list[str] = []
        cloud.notify = self.messages.append
        made = cloud.register("eu").post("/api/v1/tenants", {"licenseKey": LICENCE})
        self.tenant_id, self.hostname = made["id"], made["hostnames"][0]
        self.bot = cloud.tenant(self.hostname)
        self.bot_id = self.bot.get("/api/v1/users/me")["id"]
        self.world = World(qlik, self.hostname)
        self._marked = len(qlik.control.requests())

    def space(self, name: str, type: str = "shared") -> str:
        """Return the id of a space of that name that our bot made, now or before."""
        there = self.world.spaces.get(name)
        return str((there or self.bot.post("/api/v1/spaces", {"name": name, "type": type}))["id"])

    def user(self, name: str) -> str:
        """Return the id of a user of that name, made now or before."""
        there = next((each for each in self.world.every("user") if each["name"] == name), None)
        body = {"subject": f"auth0|{name.casefold()}", "name": name, "status": "active"}
        return str((there or self.bot.post("/api/v1/users", body))["id"])

    def group(self, name: str) -> str:
        """Return the id of a group of that name that our bot made, now or before."""
        there = self.world.groups.get(name)
        return str((there or self.bot.post("/api/v1/groups", {"name": name}))["id"])

    def app(self, name: str, space: str, **attributes: Any) -> str:
        """Return the id of an app of that name that our bot made in a space, now or before."""
        there = self.world.apps.get((space, name))
        body = {"attributes": {"name": name, "spaceId": self.space(space), **attributes}}
        return str(there["id"] if there else self.bot.post("/api/v1/apps", body)["attributes"]["id"])

    def as_bot(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request as our bot user, without the provider."""
        if isinstance(body, FormBody):
            return self.bot.send_form(method, f"/api/v1/{path}", body.form)
        sent = () if body is None else (body,)
        return getattr(self.bot, method.lower())(whole(path), *sent)

    def requests(self) -> list[str]:
        """Return the requests since the last call, without those for tokens."""
        log = self.qlik.control.requests()
        new, self._marked = log[self._marked :], len(log)
        return calls(new)


class ResourceDriver:
    """One resource: its inputs and state, and the steps that the engine would take with it."""

    def __init__(self, tenancy: Tenancy, module: str) -> None:
        self.tenancy = tenancy
        self.provider = Provider(module)
        self._constant = {PROVIDER_KEY: provider_string(module)}
        self.id = ""
        self.state: Inputs = {}
        self.inputs: Inputs = {}
        self._not_kept: Inputs = {}

    @property
    def kind(self) -> Any:
        """Return the class of the resource."""
        return self.provider.handler.resource_type

    def check(self, inputs: Inputs) -> Inputs:
        """Return the inputs as they are stored; a failure is an AssertionError that lists all of them.

        What the state does not keep, a program says each time: so does this.
        """
        names = {each.name for each in self.kind.inputs() if each.change is Change.NOT_KEPT}
        self._not_kept |= {name: inputs[name] for name in names & inputs.keys()}
        inputs = self._not_kept | inputs
        result = self.provider.check(_wire(self.inputs), _wire(inputs | self._constant))
        problems = [f"{each.property}: {each.reason}" for each in result.failures]
        assert not problems, "\n".join(problems)
        return dict(result.inputs)

    def create(self, inputs: Inputs) -> ResourceDriver:
        """Create it."""
        self.inputs = self.check(inputs)
        made = self.provider.create(_wire(self.inputs | self._constant))
        self.id, self.state = str(made.id), made.outs or {}
        return self

    def diff(self, inputs: Inputs) -> list[str]:
        """Return the properties whose new values would replace it."""
        news = _wire(self.check(inputs) | self._constant)
        return self.provider.diff(self.id, _wire(self.state | self._constant), news).replaces or []

    def update(self, inputs: Inputs) -> None:
        """Update it in place."""
        self.inputs = self.check(inputs)
        olds, news = _wire(self.state | self._constant), _wire(self.inputs | self._constant)
        self.state = self.provider.update(self.id, olds, news).outs or {}

    def drift(self) -> Inputs | None:
        """Refresh.

        Return the inputs that differ at Qlik, with their values there, or None if it no longer exists.
        """
        found = self.provider.read(self.id, _wire(self.state | self._constant))
        if not found.id:
            return None
        self.state = found.outs or {}
        live, wanted = _wire(found.inputs), _wire(self.inputs)
        return {
            name: live.get(name) for name in live.keys() | wanted.keys() if live.get(name) != wanted.get(name)
        }

    def delete(self) -> None:
        """Delete it."""
        self.provider.delete(self.id, _wire(self.state | self._constant))


Ask = Callable[..., Any]
"""Sends a request to the tenant as somebody: method, path as `tests.world.whole` takes it, body."""


MakeDriver = Callable[[str], ResourceDriver]


@dataclass(frozen=True)
class InPlace:
    """A new value of one property (or a function that makes it) and the requests that it takes."""

    value: Any
    calls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drift:
    """A change of one property of the object by somebody else. `live` is the new value (None: nothing)."""

    do: Callable[[Tenancy, str], object]
    live: Any


@dataclass(frozen=True)
class Case:
    """The data of a resource type for the shared tests.

    `given` makes inputs that set every property which Qlik holds. `remote` reads those from Qlik, None if the
    object is gone. `creates` and `deletes` are the requests that this takes where nothing is in the way,
    `again` those of an update without a difference, with which the engine finishes what create left undone.
    `changes` has every property that changes in place, `replaces` a new value for each of those that do not
    (`without` the inputs that do not go with it), `fixed` those that never change. `drifts` has each property
    that somebody may change at Qlik, and `gone` removes the object. `existing` makes another object with the
    natural key of the inputs, as somebody; `corrected` are the properties in which it differs. `stays`:
    deletion removes nothing at Qlik, as the resource is in the state alone.

    Requests are patterns: `{id}` is the object's id, `{space}` and the like are inputs, `*` is anything.
    """

    module: str
    given: Callable[[Tenancy], Inputs]
    remote: Callable[[Tenancy, str], Inputs | None]
    creates: tuple[str, ...]
    deletes: tuple[str, ...]
    again: tuple[str, ...] = ()
    changes: Mapping[str, InPlace] = field(default_factory=dict)
    replaces: Mapping[str, Any] = field(default_factory=dict)
    without: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    fixed: frozenset[str] = frozenset()
    drifts: Mapping[str, Drift] = field(default_factory=dict)
    gone: Callable[[Tenancy, str], object] | None = None
    existing: Callable[[Tenancy, Inputs, Ask], str] | None = None
    corrected: frozenset[str] = frozenset()
    stays: bool = False

    def __str__(self) -> str:
        return self.module


def made_with(tenancy: Tenancy, value: Any) -> Any:
    """The value; one that is a function is made with the tenancy."""
    return value(tenancy) if callable(value) else value


def same_calls(found: list[str], expected: tuple[str, ...], **names: Any) -> bool:
    """Whether requests are the expected ones, in any order."""
    left = list(found)
    for pattern in sorted((each.format(**names) for each in expected), key=lambda each: "*" in each):
        match = next((each for each in left if fnmatchcase(each, pattern)), None)
        if match is None:
            return False
        left.remove(match)
    return not left


def _wire(value: Any) -> Any:
    """Return a value as the engine passes it: without nulls and integers."""
    if isinstance(value, dict):
        return {key: _wire(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_wire(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
