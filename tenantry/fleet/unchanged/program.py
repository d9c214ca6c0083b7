"""Runs the program of a stack and compares it with the content of its state."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import tenantry
from tenantry.fleet.unchanged.doubt import Doubt, must
from tenantry.fleet.unchanged.recorded import RecordedState, canonical
from tenantry.fleet.unchanged.secrets import Assumptions, as_secret, is_secret, plain
from tenantry.providers.framework import formats
from tenantry.pulumi_internals import calls
from tenantry.pulumi_internals.backend_files import ORGANISATION
from tenantry.pulumi_internals.deployment import Resource
from tenantry.pulumi_internals.dynamic_resources import PROVIDER_KEY
from tenantry.pulumi_internals.program_runs import Registered, Registration, run_program
from tenantry.pulumi_internals.provider_strings import called_by


def unchanged(
    root: Path,
    project: str,
    stack: str,
    recorded: RecordedState,
    config: Mapping[str, Any],
    assumptions: Assumptions,
    *,
    preview: bool,
) -> int:
    """Run the program of the project in the folder `root` and count the unchanged dynamic resources.

    `config` is the result of `check_files`. `preview`: run it as in a preview. `assumptions` gets the
    assumptions about secrets. Raises Doubt if anything differs from the state, and any exception of the
    program.
    """
    comparison = Comparison(project, stack, recorded, assumptions)
    try:
        run_program(
            root,
            comparison,
            project=project,
            stack=stack,
            config={key: plain(value) for key, value in config.items()},
            secret_keys=[key for key, value in config.items() if is_secret(value)],
            organisation=ORGANISATION,
            preview=preview,
        )
    finally:
        if comparison.doubt:
            raise comparison.doubt
    removed = recorded.resources.keys() - comparison.registered - {recorded.provider["urn"]}
    must(not removed, f"{', '.join(sorted(removed))}: no longer in the program")
    must(comparison.finished == comparison.components, "a component has not registered its outputs")
    return sum(map(recorded.is_dynamic, comparison.registered))


class Comparison:
    """Responds to a program from a state, as the engine does if nothing changes.

    `doubt` is the first possible change. What the program does after it does not matter. `registered` are the
    URNs of all its resources, `components` those with their own outputs, and `finished` those that have
    registered them.
    """

    def __init__(self, project: str, stack: str, recorded: RecordedState, assumptions: Assumptions) -> None:
        self._recorded = recorded
        self._assumptions = assumptions
        self._root = f"urn:pulumi:{stack}::{project}"
        self.doubt: Doubt | None = None
        self.registered: set[str] = set()
        self.components: set[str] = set()
        self.finished: set[str] = set()

    def say(self, text: str) -> None:
        """Stop the program: the engine would print this text."""
        self._refuse(Doubt(f"the program prints: {text}"))

    def call(self, name: str) -> None:
        """Stop the program: it calls the engine for something other than registering a resource."""
        self._refuse(Doubt(f"the program calls {name}"))

    def register(self, registration: Registration) -> Registered:
        """Respond to a registration with the resource of the state, if the engine would find it the same."""
        try:
            return self._same(registration)
        except Doubt as doubt:
            self._refuse(doubt)

    def register_outputs(self, urn: str, outputs: Mapping[str, Any]) -> None:
        """Check that the outputs of the stack or a component are the same as in the state."""
        try:
            held = self._recorded.entry(urn).get("outputs") or {}
            with_assumed_secrets = self._assumptions.with_assumed_secrets(f"{urn} outputs", held, outputs)
            must(_equal(_plain(outputs), with_assumed_secrets), f"{urn}: its outputs")
        except Doubt as doubt:
            self._refuse(doubt)
        self.finished.add(urn)

    def _refuse(self, doubt: Doubt) -> NoReturn:
        self.doubt = self.doubt or doubt
        raise doubt

    def _same(self, given: Registration) -> Registered:
        urn = self._recorded.urn(given.parent, given.type, given.name, self._root)
        held = self._recorded.entry(urn)
        must(urn not in self.registered, f"{urn} is twice in the program")
        must(not given.others, f"{urn}: {', '.join(given.others)}")
        must(_options(given) == _recorded_options(held), f"{urn}: its options")
        self.registered.add(urn)
        if not given.custom:
            must(not given.inputs, f"{urn}: its inputs")
            self.components.add(urn)
            return Registered(urn, "", {})
        must(self._recorded.is_dynamic(urn), f"{urn} is not a dynamic resource")
        must(held["provider"] == self._recorded.provider_reference, f"{urn}: its provider")
        inputs = self._assumptions.with_assumed_secrets(f"{urn} inputs", held["inputs"], given.inputs)
        outputs = self._assumptions.with_assumed_secrets(f"{urn} outputs", held["outputs"], given.inputs)
        _compare(urn, {**held, "inputs": inputs, "outputs": outputs}, _plain(given.inputs))
        secret = {
            name: as_secret(outputs[name]) for name, value in held["outputs"].items() if is_secret(value)
        }
        return Registered(urn, held["id"], outputs | secret)


def _options(given: Registration) -> tuple[object, ...]:
    return (
        given.custom,
        given.parent,
        given.protect,
        given.deleted_with,
        given.dependencies,
        given.property_dependencies,
        given.secret_outputs,
    )


def _recorded_options(held: Resource) -> tuple[object, ...]:
    return (
        held["custom"],
        held.get("parent", ""),
        bool(held.get("protect")),
        held.get("deletedWith", ""),
        frozenset(held.get("dependencies") or []),
        {name: frozenset(urns or []) for name, urns in (held.get("propertyDependencies") or {}).items()},
        frozenset(held.get("additionalSecretOutputs") or []),
    )


def _compare(urn: str, held: Resource, given: Mapping[str, Any]) -> None:
    """Call the provider of a resource as the engine would. Raises Doubt unless nothing changes.

    The state and the program must name the same provider, and it must be one of ours: the string is code.
    """
    inputs, outputs, named = held["inputs"], held["outputs"], given.get(PROVIDER_KEY)
    must(named == inputs.get(PROVIDER_KEY) == outputs.get(PROVIDER_KEY), f"{urn}: its provider's string")
    must(
        formats.is_ours(named) and formats.format_of(named) == formats.FORMAT, f"{urn}: its provider's string"
    )
    _, _, module = called_by(named) or ("", "", "")
    checked, diff = calls.answering(urn, partial(_check_and_diff, _provider(module), held, given))
    must(not checked.failures, f"{urn}: its inputs are refused")
    must(_equal({**checked.inputs, PROVIDER_KEY: named}, inputs), f"{urn}: its inputs")
    must(not diff.changes and not diff.replaces, f"{urn}: its provider sees a change")


def _check_and_diff(provider: Any, held: Resource, given: Mapping[str, Any]) -> tuple[Any, Any]:
    checked = provider.check(dict(held["inputs"]), dict(given))
    inputs = {**checked.inputs, PROVIDER_KEY: given[PROVIDER_KEY]}
    return checked, provider.diff(held["id"], dict(held["outputs"]), inputs)


_providers: dict[str, Any] = {}


def _provider(module: str) -> Any:
    """Return the provider of a resource type. All its resources share one, as in the engine's process."""
    if module not in _providers:
        _providers[module] = tenantry.provider(module)
    return _providers[module]


def _plain(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in properties.items()}


def _equal(found: Mapping[str, Any], held: Mapping[str, Any]) -> bool:
    """Compare properties. Raises Doubt for assets, references and unknown values."""
    try:
        return canonical(found) == canonical(held)
    except (TypeError, ValueError):
        raise Doubt("a value is not valid JSON") from None
