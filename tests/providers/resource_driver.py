"""A driver that calls one resource like the engine does. Adapter and handlers are real, and Qlik is emulated.

Each resource type has a test module, `test_<module>.py`, with a `Case`: example inputs, what Qlik has after
`create`, and how each property changes and drifts. `framework/test_every_resource_type.py` runs the shared
tests on all cases.
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
from tests.world import World, calls, full_path

LICENCE = "emulator-licence-key-eu"
Inputs = dict[str, Any]


class Tenancy:
    """A customer's tenant, our client for it, and the messages of the client to the user."""

    def __init__(self, qlik: Emulator, cloud: Cloud) -> None:
        self.qlik, self.cloud = qlik, cloud
        self.messages: list[str] = []
        cloud.notify = self.messages.append
        tenant = cloud.register("eu").post("/api/v1/tenants", {"licenseKey": LICENCE})
        self.tenant_id, self.hostname = tenant["id"], tenant["hostnames"][0]
        self.bot = cloud.tenant(self.hostname)
        self.bot_id = self.bot.get("/api/v1/users/me")["id"]
        self.world = World(qlik, self.hostname)
        self._marked = len(qlik.control.requests())

    def space(self, name: str, type: str = "shared") -> str:
        """Return the id of the space with that name. Create it as our bot if it does not exist."""
        found = self.world.spaces.get(name)
        return str((found or self.bot.post("/api/v1/spaces", {"name": name, "type": type}))["id"])

    def user(self, name: str) -> str:
        """Return the id of the user with that name. Create the user if it does not exist."""
        found = next((user for user in self.world.every("user") if user["name"] == name), None)
        body = {"subject": f"auth0|{name.casefold()}", "name": name, "status": "active"}
        return str((found or self.bot.post("/api/v1/users", body))["id"])

    def group(self, name: str) -> str:
        """Return the id of the group with that name. Create it as our bot if it does not exist."""
        found = self.world.groups.get(name)
        return str((found or self.bot.post("/api/v1/groups", {"name": name}))["id"])

    def app(self, name: str, space: str, **attributes: Any) -> str:
        """Return the id of the app with that name in the space. Create it as our bot if it does not exist."""
        found = self.world.apps.get((space, name))
        body = {"attributes": {"name": name, "spaceId": self.space(space), **attributes}}
        return str(found["id"] if found else self.bot.post("/api/v1/apps", body)["attributes"]["id"])

    def as_bot(self, method: str, path: str, body: Any = None) -> Any:
        """Send a request as the bot user, without the provider."""
        if isinstance(body, FormBody):
            return self.bot.send_form(method, f"/api/v1/{path}", body.form)
        arguments = () if body is None else (body,)
        return getattr(self.bot, method.lower())(full_path(path), *arguments)

    def requests(self) -> list[str]:
        """Return the requests since the previous call of this method, without those for tokens."""
        log = self.qlik.control.requests()
        new, self._marked = log[self._marked :], len(log)
        return calls(new)


class ResourceDriver:
    """One resource: its inputs and state, and the methods that the engine calls."""

    def __init__(self, tenancy: Tenancy, module: str) -> None:
        self.tenancy = tenancy
        self.provider = Provider(module)
        self._constant = {PROVIDER_KEY: provider_string(module)}
        self.id = ""
        self.state: Inputs = {}
        self.inputs: Inputs = {}
        self._not_kept: Inputs = {}

    @property
    def resource_type(self) -> Any:
        """Return the class of the resource."""
        return self.provider.handler.resource_type

    def check(self, inputs: Inputs) -> Inputs:
        """Return the inputs as the state stores them. Raises AssertionError with all failures.

        The state does not keep some inputs. A program sets them in every run, so this adds missing ones.
        """
        names = {prop.name for prop in self.resource_type.inputs() if prop.change is Change.NOT_KEPT}
        self._not_kept |= {name: inputs[name] for name in names & inputs.keys()}
        inputs = self._not_kept | inputs
        result = self.provider.check(_wire(self.inputs), _wire(inputs | self._constant))
        failures = [f"{failure.property}: {failure.reason}" for failure in result.failures]
        assert not failures, "\n".join(failures)
        return dict(result.inputs)

    def create(self, inputs: Inputs) -> ResourceDriver:
        """Create the object. Return this driver."""
        self.inputs = self.check(inputs)
        result = self.provider.create(_wire(self.inputs | self._constant))
        self.id, self.state = str(result.id), result.outs or {}
        return self

    def diff(self, inputs: Inputs) -> list[str]:
        """Return the names of the properties whose change replaces the object."""
        news = _wire(self.check(inputs) | self._constant)
        return self.provider.diff(self.id, _wire(self.state | self._constant), news).replaces or []

    def update(self, inputs: Inputs) -> None:
        """Update the object in place."""
        self.inputs = self.check(inputs)
        olds, news = _wire(self.state | self._constant), _wire(self.inputs | self._constant)
        self.state = self.provider.update(self.id, olds, news).outs or {}

    def drift(self) -> Inputs | None:
        """Refresh the state. Return the inputs that differ at Qlik, with their values there.

        Return None if the object no longer exists.
        """
        found = self.provider.read(self.id, _wire(self.state | self._constant))
        if not found.id:
            return None
        self.state = found.outs or {}
        live, desired = _wire(found.inputs), _wire(self.inputs)
        return {
            name: live.get(name)
            for name in live.keys() | desired.keys()
            if live.get(name) != desired.get(name)
        }

    def delete(self) -> None:
        """Delete the object."""
        self.provider.delete(self.id, _wire(self.state | self._constant))


SendRequest = Callable[..., Any]
"""A function that sends a request to the tenant, as our bot or as an administrator.

Its arguments are method, path (see `tests.world.whole`) and body.
"""

MakeDriver = Callable[[str], ResourceDriver]
"""A function that returns a driver for the module of a resource type."""


@dataclass(frozen=True)
class InPlace:
    """A new value of one property, or a function that returns it, and the requests that change it at Qlik."""

    value: Any
    calls: tuple[str, ...] = ()


@dataclass(frozen=True)
class Drift:
    """A change of one property outside Tenantry.

    `live` is the new value at Qlik, or a function that returns it. None means that the property has no value.
    """

    do: Callable[[Tenancy, str], object]
    live: Any


@dataclass(frozen=True)
class Case:
    """The data of a resource type for the shared tests.

    Requests are patterns such as `POST /api/v1/spaces/{space}/assignments`. `{id}` is the id of the object,
    any other name in braces is an input, and `*` matches any text.

    Attributes:
        module: the module of the resource type.
        inputs_for: returns example inputs that set every property that Qlik stores.
        remote: reads those properties from Qlik. Returns None if the object does not exist.
        creates: the requests that create the object if nothing prevents it.
        deletes: the requests that delete it.
        resumes: the requests of an update without a difference. The engine uses it to finish a failed create.
        changes: a new value for each property that changes in place.
        replaces: a new value for each property whose change replaces the object.
        incompatible: for a property in `replaces`, the inputs that cannot be combined with its new value.
        immutable: the properties that cannot change at all.
        drifts: a change at Qlik for each property that can change outside Tenantry.
        remove: removes the object outside Tenantry.
        create_existing: creates an object with the natural key of the inputs and returns its id. The third
            argument sends the requests.
        corrected: the properties in which that object differs from the inputs.
        is_state_only: the resource exists only in the state, so a deletion removes nothing at Qlik.
    """

    module: str
    inputs_for: Callable[[Tenancy], Inputs]
    remote: Callable[[Tenancy, str], Inputs | None]
    creates: tuple[str, ...]
    deletes: tuple[str, ...]
    resumes: tuple[str, ...] = ()
    changes: Mapping[str, InPlace] = field(default_factory=dict)
    replaces: Mapping[str, Any] = field(default_factory=dict)
    incompatible: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    immutable: frozenset[str] = frozenset()
    drifts: Mapping[str, Drift] = field(default_factory=dict)
    remove: Callable[[Tenancy, str], object] | None = None
    create_existing: Callable[[Tenancy, Inputs, SendRequest], str] | None = None
    corrected: frozenset[str] = frozenset()
    is_state_only: bool = False

    def __str__(self) -> str:
        return self.module


def resolve(tenancy: Tenancy, value: Any) -> Any:
    """Return the value, or the result of the value if it is a function of the tenancy."""
    return value(tenancy) if callable(value) else value


def same_calls(found: list[str], expected: tuple[str, ...], **names: Any) -> bool:
    """Tell whether the requests match the expected patterns, in any order."""
    remaining = list(found)
    patterns = [pattern.format(**names) for pattern in expected]
    for pattern in sorted(patterns, key=lambda pattern: "*" in pattern):
        match = next((call for call in remaining if fnmatchcase(call, pattern)), None)
        if match is None:
            return False
        remaining.remove(match)
    return not remaining


def _wire(value: Any) -> Any:
    """Return the value as the engine passes it: nulls are left out, and integers are floats."""
    if isinstance(value, dict):
        return {key: _wire(item) for key, item in value.items() if item is not None}
    if isinstance(value, list):
        return [_wire(item) for item in value]
    return float(value) if isinstance(value, int) and not isinstance(value, bool) else value
