"""The adapter between Pulumi's dynamic providers and the CRUD handlers: one class for all resource types.

This module and `tenantry.providers.framework.engine` hide the peculiarities of dynamic providers from the
handlers.
"""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import TYPE_CHECKING, Any

from pulumi.dynamic import (
    CheckFailure,
    CheckResult,
    CreateResult,
    DiffResult,
    ReadResult,
    ResourceProvider,
    UpdateResult,
)

import tenantry
from tenantry.providers.framework import engine, evidence, facts, formats, run
from tenantry.providers.framework.errors import NotProven, TenantUndecided, Unfinished
from tenantry.providers.framework.handlers import Properties
from tenantry.providers.framework.properties import REQUIRED, Change, Property, contains, integers, nearest
from tenantry.providers.qlik import (
    ApiError,
    Cloud,
    HostUnknown,
    NotFound,
    QlikError,
    TenantDisabled,
    responses,
)
from tenantry.providers.qlik.messages import Waiting
from tenantry.providers.values import texts
from tenantry.pulumi_internals.dynamic_resources import PROVIDER_KEY
from tenantry.pulumi_internals.unknown_values import is_unknown

if TYPE_CHECKING:
    from tenantry.providers.framework.handlers import Handler

POSTPONED = "postponed"
"""The output with the properties that a run could not set yet: see `tenantry.providers.framework.moves`."""


class Provider(ResourceProvider):
    """The dynamic provider of one resource type, which `module` names: `Provider("space")`.

    `format` is the format of the state. A provider of a newer format refuses every call.
    """

    serialize_as_secret_always = False

    def __init__(self, module: str, format: int = 1) -> None:
        super().__init__()
        self.module, self.format = module, format
        self._raw_inputs: dict[str, Properties] = {}
        engine.exit_with_engine()
        engine.raise_concurrency()
        engine.guard_providers()

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return tenantry.provider, (self.module,) if self.format == 1 else (self.module, self.format)

    @property
    def handler(self) -> Handler:
        """The CRUD handler of the resource type."""
        name = f"tenantry.providers.{self.module}"
        try:
            handler: Handler = importlib.import_module(name).HANDLER
        except ModuleNotFoundError as error:
            if error.name != name:
                raise
            raise engine.failure(formats.unknown_type(self.module)) from None
        return handler

    def check(self, _olds: dict[str, Any], news: dict[str, Any]) -> CheckResult:
        """Check the inputs, and return them in the form in which the state stores them.

        Inputs that equal those in the state were checked by an earlier run, and are not checked again.
        """
        old_provider = _olds.get(PROVIDER_KEY)
        if old_provider != news.get(PROVIDER_KEY) and (
            refusal := formats.refusal(formats.format_of(old_provider))
        ):
            return CheckResult(_plain(news), [CheckFailure("", refusal)])
        have, raw = _plain(_olds), _plain(news)
        urn = engine.current_urn()
        self._raw_inputs[urn] = raw
        known = self.handler.resource_type.properties
        inputs = {
            prop.name: prop.canonical(raw.get(prop.name)) for prop in self.handler.resource_type.inputs()
        }
        if have:
            inputs |= {name: have.get(name) for name in inputs if known[name].change is Change.AT_CREATION}
        inputs = {name: value for name, value in inputs.items() if value is not None}
        stored = {name: value for name, value in inputs.items() if known[name].change is not Change.NOT_KEPT}
        run.checked_inputs[urn] = stored
        if stored == have and not any(name not in known or known[name].computed for name in raw):
            return CheckResult(stored, [])
        return CheckResult(stored, self._failures(have, raw, inputs))

    def _failures(self, have: Properties, raw: Properties, inputs: Properties) -> list[CheckFailure]:
        known = {prop.name: prop for prop in self.handler.resource_type.inputs()}
        failures = [
            CheckFailure(
                name,
                "only Qlik can set this property; a program can only read it"
                if name in self.handler.resource_type.properties
                else f"{self.handler.resource_type.__name__} has no property {name!r}{nearest(name, known)}",
            )
            for name, value in raw.items()
            if name not in known and value is not None
        ]
        for name, prop in known.items():
            if name not in inputs:
                failures += [CheckFailure(name, "is required")] if prop.default is REQUIRED else []
            elif not contains(inputs[name], is_unknown):
                failures += [CheckFailure(name, reason) for reason in prop.problems(inputs[name])]
        failures += [
            CheckFailure(name, f"{_current_value(prop, have[name])}can never change: {prop.instead}")
            for name, prop in known.items()
            if prop.change is Change.REFUSED and have.get(name) and differs(have[name], inputs.get(name))
        ]
        if not failures and not contains(inputs, is_unknown):
            failures = [
                CheckFailure(name, reason)
                for name, reason in self.handler.input_problems(have, inputs).items()
            ]
        return [
            _without_value(failure)
            if failure.property in inputs and known[failure.property].sensitive
            else failure
            for failure in failures
        ]

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Return the changes that replace the object. The engine itself detects which properties differ."""
        have, want = _plain(_olds), _plain(_news)
        replaced_by_handler = self.handler.replaces(have, want)
        changed = [
            prop
            for prop in self.handler.resource_type.inputs()
            if differs(have.get(prop.name), want.get(prop.name))
        ]
        replaces = [
            prop.name
            for prop in changed
            if prop.change is Change.REPLACES
            or prop.name in replaced_by_handler
            or (prop.reference and not prop.follows and contains(want.get(prop.name), is_unknown))
        ]
        urn = engine.current_urn()
        if not replaces:
            run.unreplaced_urns.setdefault(self._key(_id), set()).add(urn)
        if remark := self.handler.remark(_id, have, self._raw_inputs.get(urn, {})):
            engine.say(remark)
        if renewed := self.handler.property_to_renew(_id):
            return DiffResult(changes=True, replaces=[renewed])
        same_key = not any(differs(have.get(name), want.get(name)) for name in self.handler.natural_key)
        return DiffResult(
            # The engine compares inputs, so it does not notice postponed properties.
            changes=True if have.get(POSTPONED) else None,
            replaces=replaces,
            delete_before_replace=bool(self.handler.natural_key) and same_key,
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Create the object, and return its id and properties."""
        want = _plain(props)
        with self._run(props) as cloud:
            id, live = self.handler.create(cloud, want | self._not_kept())
            self._hold(id, created=True)
        return CreateResult(id, self._managed(want | self._as_written(live, want), want))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return the current outputs and inputs of the object, so that a refresh shows what differs."""
        have = _plain(props)
        with self._run(props, writes=False) as cloud:
            live = self._read(cloud, id_, have)
        if live is None:
            return ReadResult("", {}, {})
        outs = self._managed(have | self._as_written(live, have), have)
        inputs = (prop.name for prop in self.handler.resource_type.inputs())
        return ReadResult(id_, outs, {name: outs[name] for name in inputs if name in outs})

    def _read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """Read the object. If its tenant is deactivated or gone, keep the values of the state and notify."""
        hostname = have.get("tenant", id)
        try:
            return self.handler.read(cloud, id, have)
        except TenantDisabled:
            _notify_once(cloud, f"tenant {hostname} is deactivated: its content stays as it is in the state")
        except (HostUnknown, NotProven, NotFound) as error:
            if evidence.tenant_is_known(cloud.tenant(hostname)):
                if isinstance(error, HostUnknown):
                    return self.handler.read(cloud, id, have)  # an ingress failed, and is back
                raise
            _notify_once(
                cloud, f"tenant {hostname} does not answer (404): its content stays as it is in the state"
            )
        return {}

    def _hold(self, id: str, *, created: bool = False) -> None:
        """Record for later calls of the run that this resource manages the object."""
        current = run.current()
        if self.handler.is_object:
            current.holders.setdefault(id, set()).add(current.urn)
        if created:
            current.created_or_adopted.add(self._key(id))

    def _key(self, id: str) -> str:
        """Return a key that is unique across resource types. Settings may share the id of their tenant."""
        return id if self.handler.is_object else f"{self.module} {id}"

    def _not_kept(self) -> Properties:
        """Return the inputs that only this run uses. `check` does not pass them to the engine."""
        raw = self._raw_inputs.get(engine.current_urn(), {})
        names = {prop.name for prop in self.handler.resource_type.inputs() if prop.change is Change.NOT_KEPT}
        return {name: raw[name] for name in names & raw.keys()}

    def _as_written(self, live: Properties, have: Properties) -> Properties:
        """Return the properties at Qlik, but keep our spelling of texts that Qlik only normalised.

        A normalised text, for example one without its trailing blank, would be a difference that no update
        can remove.
        """
        written = {prop.name for prop in self.handler.resource_type.inputs()} & have.keys()
        return live | {
            name: have[name] for name in written & live.keys() if texts.same(live[name], have[name])
        }

    def _managed(self, found: Properties, have: Properties) -> Properties:
        """Return the found properties without those that the program does not set.

        Properties that another version of Tenantry added to a state of the same format stay.
        """
        known = self.handler.resource_type.properties
        return {
            name: value
            for name, value in found.items()
            if name not in known or known[name].computed or have.get(name) is not None
        }

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Update the object, and return its properties."""
        have, want = _plain(_olds), _plain(_news)
        computed = {
            prop.name: have[prop.name]
            for prop in self.handler.resource_type.properties.values()
            if prop.computed and prop.name in have and prop.name != POSTPONED
        }
        with self._run(_news) as cloud:
            self._hold(_id)
            changed = self.handler.update(cloud, _id, have, want | self._not_kept())
        return UpdateResult(self._managed(computed | want | self._as_written(changed, want), want))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Delete the object. If another resource of the run manages it, delete only the state entry.

        The state has an object twice if `create` took over an object that the state already had. The reason
        is `--replace`, a taint, or a new name without `aliases`.
        """
        urn = engine.current_urn()
        with self._run(_props) as cloud:
            key = self._key(_id)
            if key in run.current().created_or_adopted or run.unreplaced_urns.get(key, set()) - {urn}:
                cloud.notify(
                    f"{self.handler.resource_type.__name__} {_id} stays, because its replacement manages it"
                )
                self.handler.release(cloud, _id, _plain(_props))
            else:
                self.handler.delete(cloud, _id, _plain(_props))

    @contextmanager
    def _run(self, properties: dict[str, Any], *, writes: bool = True) -> Iterator[Cloud]:
        """Run a CRUD call with a client and a time limit. Convert its errors for the user."""
        if refusal := formats.refusal(self.format):
            raise engine.failure(refusal)
        cloud = _cloud()
        try:
            with (
                responses.translated_errors(),
                cloud.default_deadline(extra_seconds=self.handler.extra_seconds(properties)),
                run.handling(engine.current_urn(), engine.current_run(), writes=writes),
            ):
                yield cloud
        except Unfinished as error:
            outs = self._managed(error.properties, properties)
            outs[PROVIDER_KEY] = properties[PROVIDER_KEY]
            raise engine.partial_failure(error.id, outs, _message(error)) from None
        except QlikError as error:
            advice = _next_step(error) if writes else ""
            raise engine.failure(_message(error, advice)) from None


def _message(error: BaseException, *advice: str) -> str:
    """Return the message of an error, with a fact line for programs if Qlik refused a request."""
    refusal = _refusal(error)
    fact = facts.line(facts.QlikRefused(*refusal)) if refusal else ""
    return "\n".join(filter(None, (str(error), *advice, fact)))


def _refusal(error: BaseException | None) -> tuple[str, str, str] | None:
    while error is not None:
        if isinstance(error, ApiError):
            return str(error.status), error.code, error.trace_id
        error = error.__cause__
    return None


def differs(have: Any, want: Any) -> bool:
    """Tell whether a requested value differs from the state. An unknown value differs."""
    return contains(want, is_unknown) or bool(have != want)


def _current_value(prop: Property[Any], value: Any) -> str:
    return "" if prop.sensitive else f"is {value!r} and "


def _without_value(failure: CheckFailure) -> CheckFailure:
    """Move the property name into the text, because the engine shows the value of a named property."""
    return CheckFailure("", f"{failure.property} {failure.reason}")


def _plain(properties: dict[str, Any]) -> Properties:
    return {name: integers(value) for name, value in properties.items() if name != PROVIDER_KEY}


def _next_step(error: QlikError) -> str:
    """Return the next step after an error if the next run resolves it, else an empty string."""
    if isinstance(error, TenantDisabled):
        return "`pulumi up --refresh` reactivates it first."
    if error.may_be_done and not isinstance(error, TenantUndecided):
        return "Run `pulumi up` again. It checks what was carried out before it repeats the request."
    return ""


def _notify_once(cloud: Cloud, text: str) -> None:
    """Show a message to the user once per run."""
    notified = run.current().notified
    if text not in notified:
        notified.add(text)
        cloud.notify(text)


def _notify(text: str) -> None:
    engine.say(facts.line(facts.Progress(text)) if isinstance(text, Waiting) else text)


@cache
def _cloud() -> Cloud:
    cloud = Cloud.from_environment()
    cloud.notify = _notify
    return cloud
