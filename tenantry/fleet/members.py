"""The customers of a project, with the settings that select them. This module sends no requests."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from tenantry.providers.values.days import LastDay
from tenantry.settings.document import read
from tenantry.settings.errors import SettingsError
from tenantry.settings.loading import Resolved, resolve, unexpected_errors_as_problems
from tenantry.settings.merge import merge
from tenantry.settings.models import parts
from tenantry.settings.models.appearance import FromFiles, Located
from tenantry.settings.plans import missing_plan, read_chain
from tenantry.settings.sources import Source

if TYPE_CHECKING:
    from tenantry.settings.models import Settings

RINGS = ("pilot", "early", "broad")
"""The rings, in the order in which a change reaches them."""

UNKNOWN = frozenset(("plans", "ring", "tags"))
"""The properties that are unknown if the file of a customer cannot be read at all."""


@dataclass(frozen=True)
class Member:
    """One stack and the settings that selections use.

    `plans` are the names of its plan and of the plans that it extends, nearest first. `files` are the files
    of its settings. `ends_on` is the last day of a trial, and `grace_days` is how long Qlik keeps its tenant
    after that. `digest` changes with any setting. `source_tenant` is the host of its templates and its
    licence.

    If the files are broken, `broken` has the problems, and the other properties hold what can be read.
    `unknown` then names those of `plans`, `ring` and `tags` that cannot be read.
    """

    stack: str
    file: Path
    customer: str = ""
    plans: tuple[str, ...] = ()
    ring: str = RINGS[-1]
    tags: Mapping[str, str] = field(default_factory=dict)
    ends_on: LastDay | None = None
    grace_days: int | None = None
    pinned: tuple[str, ...] = ()
    files: tuple[Path, ...] = ()
    digest: str = ""
    source_tenant: str = ""
    broken: SettingsError | None = None
    unknown: frozenset[str] = frozenset()

    @property
    def plan(self) -> str:
        """The name of its plan, or an empty string."""
        return self.plans[0] if self.plans else ""

    def has_expired(self, now: datetime) -> bool:
        """Tell whether this is a trial and its last day has passed."""
        return self.ends_on is not None and self.ends_on.has_passed(now)


def members(files: Mapping[str, Path]) -> list[Member]:
    """Return the members for these stack files, sorted by name."""
    return [_member(stack, files[stack]) for stack in sorted(files)]


def _member(stack: str, file: Path) -> Member:
    try:
        with unexpected_errors_as_problems(f"stack {stack}", file):
            return _valid_member(stack, file)
    except SettingsError as error:
        broken = error
    try:
        with unexpected_errors_as_problems(f"stack {stack}", file):
            return Member(stack, file, broken=broken, **_readable(file))
    except SettingsError:
        return Member(stack, file, broken=broken, unknown=UNKNOWN)


def _valid_member(stack: str, file: Path) -> Member:
    """Return the member of a valid file. Raises SettingsError."""
    resolved = resolve(file)
    settings = resolved.settings
    plans = [layer for layer in resolved.sources.layers if layer.is_plan]
    return Member(
        stack=stack,
        file=file,
        customer=settings.customer.name,
        plans=tuple(Path(layer.name).stem for layer in plans),
        ring=settings.customer.ring,
        tags=settings.customer.tags,
        ends_on=settings.customer.lifecycle.last_day,
        grace_days=settings.customer.lifecycle.grace_days,
        pinned=tuple(_pinned(resolved)),
        files=(file, *_plan_files(file, resolved), *_key_files(file, resolved), *_named_files(resolved)),
        digest=_digest(settings),
        source_tenant=settings.source_tenant,
    )


def _readable(file: Path) -> dict[str, Any]:
    """Return the settings of a customer that can be read from a broken file."""
    try:
        value = read(file).value
    except OSError:
        value = None
    customer = _value_at(value, "config", "tenantry:customer")
    if not isinstance(customer, dict):
        return {"unknown": UNKNOWN}
    name, plan = customer.get("name"), customer.get("plan")
    layers = _readable_plans(file, plan) if isinstance(plan, str) else ()
    for layer in layers:
        customer = merge(layer.values, customer)
    plans = tuple(Path(layer.name).stem for layer in layers) or ((plan,) if isinstance(plan, str) else ())
    ring, tags = customer.get("ring", RINGS[-1]), customer.get("tags") or {}
    unknown = {
        "plans": plan is not None and not layers,
        "ring": ring not in RINGS or (plan is not None and not layers and "ring" not in customer),
        "tags": not isinstance(tags, dict) or (plan is not None and not layers),
    }
    return {
        "customer": name if isinstance(name, str) else "",
        "plans": plans,
        "ring": ring if ring in RINGS else RINGS[-1],
        "tags": {k: v for k, v in tags.items() if isinstance(v, str)} if isinstance(tags, dict) else {},
        "unknown": frozenset(key for key, is_unknown in unknown.items() if is_unknown),
    }


def _readable_plans(file: Path, plan: str) -> Sequence[Source]:
    if missing_plan(plan, file.parent):
        return ()
    try:
        return read_chain(file.parent / "plans" / f"{plan}.yaml").plans
    except OSError:
        return ()


def _value_at(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _pinned(resolved: Resolved) -> Iterator[str]:
    """Yield the apps for which the customer's own file sets another version than its plan."""
    own_layer, *plan_layers = resolved.sources.layers
    for key, app in resolved.settings.customer.apps.items():
        keys = ("tenantry:customer", "apps", key, "version")
        planned = next((layer for layer in plan_layers if layer.holds(keys)), None)
        if planned is None or not own_layer.holds(keys):
            continue
        version = planned.values["apps"][key]["version"]
        if version != app.version:
            yield f"{key} {app.version} (plan: {version})"


def _plan_files(file: Path, resolved: Resolved) -> Iterator[Path]:
    for layer in resolved.sources.layers:
        if layer.is_plan:
            yield file.parent / "plans" / Path(layer.name).name


def _key_files(file: Path, resolved: Resolved) -> Iterator[Path]:
    """Yield the PEM files of the settings. A path is relative to the file that names it."""
    for key, provider in resolved.settings.customer.jwt_identity_providers.items():
        if provider.pem_file:
            keys = ("tenantry:customer", "jwt_identity_providers", key, "pem_file")
            folder = file.parent / "plans" if resolved.sources.of(keys).is_plan else file.parent
            yield folder / provider.pem_file


def _named_files(resolved: Resolved) -> Iterator[Path]:
    """Yield the files and folders with the content of entries, such as themes and automations."""
    yield from (content.path for content in _located(resolved.settings))


def _located(settings: Settings) -> Iterator[Located]:
    for _, block in parts(settings.customer):
        if isinstance(block, FromFiles):
            yield from block.located.values()


def _digest(settings: Settings) -> str:
    text = json.dumps(settings.model_dump(mode="json", by_alias=True), sort_keys=True)
    text += json.dumps([content.content for content in _located(settings)], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]
