"""Between Pulumi's dynamic providers and the CRUD handlers: one class for all resource types.

What is special about dynamic providers is dealt with here and in `tenantry.providers.framework.engine`, so
that a kind need not know of it.
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
from tenantry.providers.qlik import ApiError, Cloud, HostUnknown, NotFound, QlikError, TenantDisabled, answers
from tenantry.providers.qlik.messages import Waiting
from tenantry.providers.values import texts
from tenantry.pulumi_internals.dynamic_resources import PROVIDER_KEY
from tenantry.pulumi_internals.unknown_values import is_unknown

if TYPE_CHECKING:
    from tenantry.providers.framework.handlers import Handler

POSTPONED = "postponed"
"""The output with the names of the properties that a run could not set yet:

see `tenantry.providers.framework.moves`.
"""


class Provider(ResourceProvider):
    """The dynamic provider of one kind, named by its module: `Provider("space")`.

    `format` is that of the state which names it; one of a newer format refuses to read or delete.
    """

    serialize_as_secret_always = False

    def __init__(self, module: str, format: int = 1) -> None:
        super().__init__()
        self.module, self.format = module, format
        self._given: dict[str, Properties] = {}
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
        """Say what is wrong with the inputs, and give them the one form in which they are stored.

        Inputs that equal those of the state were checked before and are not checked again.
        """
        named = _olds.get(PROVIDER_KEY)
        if named != news.get(PROVIDER_KEY) and (newer := formats.refusal(formats.format_of(named))):
            return CheckResult(_plain(news), [CheckFailure("", newer)])
        have, given = _plain(_olds), _plain(news)
        urn = engine.current_urn()
        self._given[urn] = given
        known = self.handler.resource_type.properties
        inputs = {
            each.name: each.canonical(given.get(each.name)) for each in self.handler.resource_type.inputs()
        }
        if have:
            inputs |= {name: have.get(name) for name in inputs if known[name].change is Change.AT_CREATION}
        inputs = {name: value for name, value in inputs.items() if value is not None}
        kept = {name: value for name, value in inputs.items() if known[name].change is not Change.NOT_KEPT}
        run.checked_inputs[urn] = kept
        if kept == have and not any(name not in known or known[name].computed for name in given):
            return CheckResult(kept, [])
        return CheckResult(kept, self._failures(have, given, inputs))

    def _failures(self, have: Properties, given: Properties, inputs: Properties) -> list[CheckFailure]:
        known = {each.name: each for each in self.handler.resource_type.inputs()}
        failures = [
            CheckFailure(
                name,
                "is set by Qlik alone: read it, do not set it"
                if name in self.handler.resource_type.properties
                else f"{self.handler.resource_type.__name__} has no property {name!r}{nearest(name, known)}",
            )
            for name, value in given.items()
            if name not in known and value is not None
        ]
        for name, each in known.items():
            if name not in inputs:
                failures += [CheckFailure(name, "is required")] if each.default is REQUIRED else []
            elif not contains(inputs[name], is_unknown):
                failures += [CheckFailure(name, reason) for reason in each.problems(inputs[name])]
        failures += [
            CheckFailure(name, f"{_was(each, have[name])}can never change: {each.instead}")
            for name, each in known.items()
            if each.change is Change.REFUSED and have.get(name) and differs(have[name], inputs.get(name))
        ]
        if not failures and not contains(inputs, is_unknown):
            failures = [
                CheckFailure(name, why) for name, why in self.handler.input_problems(have, inputs).items()
            ]
        return [
            _without_value(each) if each.property in inputs and known[each.property].sensitive else each
            for each in failures
        ]

    def diff(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> DiffResult:
        """Say which changes replace the object; the engine itself finds out which properties differ."""
        have, want = _plain(_olds), _plain(_news)
        also = self.handler.replaces(have, want)
        changed = [
            each
            for each in self.handler.resource_type.inputs()
            if differs(have.get(each.name), want.get(each.name))
        ]
        replaces = [
            each.name
            for each in changed
            if each.change is Change.REPLACES
            or each.name in also
            or (each.reference and not each.follows and contains(want.get(each.name), is_unknown))
        ]
        urn = engine.current_urn()
        if not replaces:
            run.unreplaced_urns.setdefault(self._key(_id), set()).add(urn)
        if remark := self.handler.remark(_id, have, self._given.get(urn, {})):
            engine.say(remark)
        if renewed := self.handler.property_to_renew(_id):
            return DiffResult(changes=True, replaces=[renewed])
        kept = not any(differs(have.get(name), want.get(name)) for name in self.handler.natural_key)
        return DiffResult(
            # The engine compares inputs, and sees no change where only a part was postponed.
            changes=True if have.get(POSTPONED) else None,
            replaces=replaces,
            delete_before_replace=bool(self.handler.natural_key) and kept,
        )

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Make the object."""
        want = _plain(props)
        with self._run(props) as cloud:
            id, live = self.handler.create(cloud, want | self._not_kept())
            self._hold(id, made=True)
        return CreateResult(id, self._managed(want | self._as_written(live, want), want))

    def read(self, id_: str, props: dict[str, Any]) -> ReadResult:
        """Return what the object is like now, as inputs too, so that a refresh shows exactly what differs."""
        have = _plain(props)
        with self._run(props, writes=False) as cloud:
            live = self._read(cloud, id_, have)
        if live is None:
            return ReadResult("", {}, {})
        outs = self._managed(have | self._as_written(live, have), have)
        return ReadResult(
            id_, outs, {e.name: outs[e.name] for e in self.handler.resource_type.inputs() if e.name in outs}
        )

    def _read(self, cloud: Cloud, id: str, have: Properties) -> Properties | None:
        """Read the object; what is in a tenant that is deactivated or gone keeps its values, loudly."""
        hostname = have.get("tenant", id)
        try:
            return self.handler.read(cloud, id, have)
        except TenantDisabled:
            _tell_once(cloud, f"tenant {hostname} is deactivated: what is in it is kept as it was")
        except (HostUnknown, NotProven, NotFound) as error:
            if evidence.tenant_is_known(cloud.tenant(hostname)):
                if isinstance(error, HostUnknown):
                    return self.handler.read(cloud, id, have)  # a bad moment of an ingress has passed
                raise
            _tell_once(cloud, f"tenant {hostname} does not answer (404): what is in it is kept as it was")
        return {}

    def _hold(self, id: str, *, made: bool = False) -> None:
        """Take note that this resource holds the object, for what else the run does."""
        current = run.current()
        if self.handler.is_object:
            current.holders.setdefault(id, set()).add(current.urn)
        if made:
            current.made.add(self._key(id))

    def _key(self, id: str) -> str:
        """What tells the object from one of another kind that is named by the same id, such as its
        tenant's.
        """
        return id if self.handler.is_object else f"{self.module} {id}"

    def _not_kept(self) -> Properties:
        """Return what the program gave this resource for this run alone: check keeps it from the engine."""
        given = self._given.get(engine.current_urn(), {})
        names = {each.name for each in self.handler.resource_type.inputs() if each.change is Change.NOT_KEPT}
        return {name: given[name] for name in names & given.keys()}

    def _as_written(self, live: Properties, have: Properties) -> Properties:
        """Return what was read at Qlik, with the texts that only look different there as we have them.

        Otherwise what Qlik makes of a text, such as one without the blank at its end, would be a difference
        that no update could put right.
        """
        written = {each.name for each in self.handler.resource_type.inputs()} & have.keys()
        return live | {
            name: have[name] for name in written & live.keys() if texts.same(live[name], have[name])
        }

    def _managed(self, found: Properties, have: Properties) -> Properties:
        """Return what was found without the properties that are left alone: they are nobody's difference.

        What another version has added to a state of the same format stays.
        """
        known = self.handler.resource_type.properties
        return {
            name: value
            for name, value in found.items()
            if name not in known or known[name].computed or have.get(name) is not None
        }

    def update(self, _id: str, _olds: dict[str, Any], _news: dict[str, Any]) -> UpdateResult:
        """Make the object what is wanted."""
        have, want = _plain(_olds), _plain(_news)
        computed = {
            e.name: have[e.name]
            for e in self.handler.resource_type.properties.values()
            if e.computed and e.name in have and e.name != POSTPONED
        }
        with self._run(_news) as cloud:
            self._hold(_id)
            changed = self.handler.update(cloud, _id, have, want | self._not_kept())
        return UpdateResult(self._managed(computed | want | self._as_written(changed, want), want))

    def delete(self, _id: str, _props: dict[str, Any]) -> None:
        """Remove the object, unless it is still wanted: then only this entry of the state goes.

        The state holds an object twice where `--replace`, a taint or another name in the program, and no
        `aliases`, made create find what is in the state's care already, and take it over.
        """
        urn = engine.current_urn()
        with self._run(_props) as cloud:
            if self._key(_id) in run.current().made or run.unreplaced_urns.get(self._key(_id), set()) - {urn}:
                cloud.notify(
                    f"{self.handler.resource_type.__name__} {_id} stays, since it is what took its own place"
                )
                self.handler.release_references(cloud, _id, _plain(_props))
            else:
                self.handler.delete(cloud, _id, _plain(_props))

    @contextmanager
    def _run(self, properties: dict[str, Any], *, writes: bool = True) -> Iterator[Cloud]:
        """Run a CRUD call with a client and a time limit; its errors reach the user unchanged."""
        if newer := formats.refusal(self.format):
            raise engine.failure(newer)
        cloud = _cloud()
        try:
            with (
                answers.translated_errors(),
                cloud.default_deadline(more=self.handler.extra_seconds(properties)),
                run.handling(engine.current_urn(), engine.current_run(), writes=writes),
            ):
                yield cloud
        except Unfinished as error:
            outs = self._managed(error.properties, properties)
            outs[PROVIDER_KEY] = properties[PROVIDER_KEY]
            raise engine.partial_failure(error.id, outs, _told(error)) from None
        except QlikError as error:
            advice = _next_step(error) if writes else ""
            raise engine.failure(_told(error, advice)) from None


def _told(error: BaseException, *advice: str) -> str:
    """Return an error for the user, and for programs which answer of Qlik it came from."""
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
    """Compare a value of the state with a wanted one; one that is not known yet counts as another."""
    return contains(want, is_unknown) or bool(have != want)


def _was(prop: Property[Any], value: Any) -> str:
    return "" if prop.sensitive else f"is {value!r} and "


def _without_value(failure: CheckFailure) -> CheckFailure:
    """Keep the engine from showing the value, which it does wherever a failure names its property."""
    return CheckFailure("", f"{failure.property} {failure.reason}")


def _plain(properties: dict[str, Any]) -> Properties:
    return {name: integers(value) for name, value in properties.items() if name != PROVIDER_KEY}


def _next_step(error: QlikError) -> str:
    """Return what to do after an error, where that follows from what a run does next."""
    if isinstance(error, TenantDisabled):
        return "`pulumi up --refresh` reactivates it first."
    if error.may_be_done and not isinstance(error, TenantUndecided):
        return "Run `pulumi up` again: it looks for what may have been done before it asks again."
    return ""


def _tell_once(cloud: Cloud, text: str) -> None:
    """Say something once in a run."""
    told = run.current().notified
    if text not in told:
        told.add(text)
        cloud.notify(text)


def _notify(text: str) -> None:
    engine.say(facts.line(facts.Progress(text)) if isinstance(text, Waiting) else text)


@cache
def _cloud() -> Cloud:
    cloud = Cloud.from_environment()
    cloud.notify = _notify
    return cloud
