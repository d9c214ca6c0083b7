"""The comparison of a stack's program with the content of its state."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial
from pathlib import Path
from typing import Any, NoReturn

import tenantry
from tenantry.fleet.unchanged.doubt import Doubt, require
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

    `config` is the result of `check_files`. With `preview`, the program runs as in a preview. This adds the
    assumptions about secrets to `assumptions`. Raises Doubt if anything differs from the state, and any
    exception of the program.
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
    require(not removed, f"{', '.join(sorted(removed))}: no longer in the program")
    require(comparison.finished == comparison.components, "a component has not registered its outputs")
    return sum(map(recorded.is_dynamic, comparison.registered))


class Comparison:
    """A stand-in for the engine, which responds to a program from a state as if nothing changes.

    `doubt` is the first possible change. Anything that the program does after it is irrelevant. `registered`
    has the URNs of all its resources, `components` the URNs of those with their own outputs, and `finished`
    the URNs of those that have registered these outputs.
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
            recorded_outputs = self._recorded.entry(urn).get("outputs") or {}
            with_assumed_secrets = self._assumptions.with_assumed_secrets(
                f"{urn} outputs", recorded_outputs, outputs
            )
            require(_equal(_plain(outputs), with_assumed_secrets), f"{urn}: its outputs differ")
        except Doubt as doubt:
            self._refuse(doubt)
        self.finished.add(urn)

    def _refuse(self, doubt: Doubt) -> NoReturn:
        self.doubt = self.doubt or doubt
        raise doubt

    def _same(self, registration: Registration) -> Registered:
        urn = self._recorded.urn(registration.parent, registration.type, registration.name, self._root)
        entry = self._recorded.entry(urn)
        require(urn not in self.registered, f"{urn} is twice in the program")
        require(not registration.others, f"{urn}: {', '.join(registration.others)}")
        require(_options(registration) == _recorded_options(entry), f"{urn}: its options differ")
        self.registered.add(urn)
        if not registration.custom:
            require(not registration.inputs, f"{urn}: its inputs differ")
            self.components.add(urn)
            return Registered(urn, "", {})
        require(self._recorded.is_dynamic(urn), f"{urn} is not a dynamic resource")
        require(entry["provider"] == self._recorded.provider_reference, f"{urn}: its provider differs")
        inputs = self._assumptions.with_assumed_secrets(f"{urn} inputs", entry["inputs"], registration.inputs)
        outputs = self._assumptions.with_assumed_secrets(
            f"{urn} outputs", entry["outputs"], registration.inputs
        )
        _compare(urn, {**entry, "inputs": inputs, "outputs": outputs}, _plain(registration.inputs))
        secret = {
            name: as_secret(outputs[name]) for name, value in entry["outputs"].items() if is_secret(value)
        }
        return Registered(urn, entry["id"], outputs | secret)


def _options(registration: Registration) -> tuple[object, ...]:
    return (
        registration.custom,
        registration.parent,
        registration.protect,
        registration.deleted_with,
        registration.dependencies,
        registration.property_dependencies,
        registration.secret_outputs,
    )


def _recorded_options(entry: Resource) -> tuple[object, ...]:
    return (
        entry["custom"],
        entry.get("parent", ""),
        bool(entry.get("protect")),
        entry.get("deletedWith", ""),
        frozenset(entry.get("dependencies") or []),
        {name: frozenset(urns or []) for name, urns in (entry.get("propertyDependencies") or {}).items()},
        frozenset(entry.get("additionalSecretOutputs") or []),
    )


def _compare(urn: str, entry: Resource, program_inputs: Mapping[str, Any]) -> None:
    """Call the provider of a resource as the engine would. Raises Doubt unless nothing changes.

    The state and the program must name the same provider. It must be a provider of Tenantry, because the
    string of a provider is code.
    """
    inputs, outputs, provider_string = entry["inputs"], entry["outputs"], program_inputs.get(PROVIDER_KEY)
    require(
        provider_string == inputs.get(PROVIDER_KEY) == outputs.get(PROVIDER_KEY),
        f"{urn}: its provider's string differs",
    )
    require(
        formats.is_ours(provider_string) and formats.format_of(provider_string) == formats.FORMAT,
        f"{urn}: its provider's string is not from this version of Tenantry",
    )
    _, _, module = called_by(provider_string) or ("", "", "")
    checked, diff = calls.answering(urn, partial(_check_and_diff, _provider(module), entry, program_inputs))
    require(not checked.failures, f"{urn}: its inputs are refused")
    require(_equal({**checked.inputs, PROVIDER_KEY: provider_string}, inputs), f"{urn}: its inputs differ")
    require(not diff.changes and not diff.replaces, f"{urn}: its provider sees a change")


def _check_and_diff(provider: Any, entry: Resource, program_inputs: Mapping[str, Any]) -> tuple[Any, Any]:
    checked = provider.check(dict(entry["inputs"]), dict(program_inputs))
    inputs = {**checked.inputs, PROVIDER_KEY: program_inputs[PROVIDER_KEY]}
    return checked, provider.diff(entry["id"], dict(entry["outputs"]), inputs)


_providers: dict[str, Any] = {}


def _provider(module: str) -> Any:
    """Return the provider of a resource type. All its resources share it, as in the engine's process."""
    if module not in _providers:
        _providers[module] = tenantry.provider(module)
    return _providers[module]


def _plain(properties: Mapping[str, Any]) -> dict[str, Any]:
    return {name: plain(value) for name, value in properties.items()}


def _equal(properties: Mapping[str, Any], recorded_properties: Mapping[str, Any]) -> bool:
    """Compare properties. Raises Doubt for assets, references and unknown values."""
    try:
        return canonical(properties) == canonical(recorded_properties)
    except (TypeError, ValueError):
        raise Doubt("a value is not valid JSON") from None
