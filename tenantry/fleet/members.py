"""The customers of a project as a run over many of them sees them: what selects each, without any request."""

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
from tenantry.settings.loading import Resolved, as_problems, resolve
from tenantry.settings.merge import merge
from tenantry.settings.models import parts
from tenantry.settings.models.look import FromFiles, Located
from tenantry.settings.plans import missing, read_chain
from tenantry.settings.sources import Source

if TYPE_CHECKING:
    from tenantry.settings.models import Settings

RINGS = ("pilot", "early", "broad")
"""In the order in which changes reach them."""

UNKNOWN = frozenset(("plans", "ring", "tags"))
"""What cannot be told of a customer whose file says nothing."""


@dataclass(frozen=True)
class Member:
    """One stack. `plans` are the names of its plan and all that it extends, nearest first; `files` are
    those that its settings were read from. `ends_on` is the last day of a trial, `grace_days` what Qlik is
    to keep its tenant for after that. `digest` changes with any setting. `source_tenant` is the host of its
    templates and its licence. Where the files are broken, `broken` says how, and the rest is what could be
    read; `unknown` are the names of those of `plans`, `ring` and `tags` that could not.
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
        """The name of its plan, if it has one."""
        return self.plans[0] if self.plans else ""

    def expired(self, now: datetime) -> bool:
        """Whether it is a trial whose last day has passed."""
        return self.ends_on is not None and self.ends_on.has_passed(now)


def members(files: Mapping[str, Path]) -> list[Member]:
    """Return the members with these stack files, by name, in the order of names."""
    return [_member(stack, files[stack]) for stack in sorted(files)]


def _member(stack: str, file: Path) -> Member:
    try:
        with as_problems(f"stack {stack}", file):
            return _sound(stack, file)
    except SettingsError as error:
        broken = error
    try:
        with as_problems(f"stack {stack}", file):
            return Member(stack, file, broken=broken, **_readable(file))
    except SettingsError:
        return Member(stack, file, broken=broken, unknown=UNKNOWN)


def _sound(stack: str, file: Path) -> Member:
    """Return the member with a file that is right. Raises SettingsError."""
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
    """Return what a broken file still tells of its customer."""
    try:
        value = read(file).value
    except OSError:
        value = None
    customer = _inside(value, "config", "tenantry:customer")
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
        "unknown": frozenset(key for key, is_so in unknown.items() if is_so),
    }


def _readable_plans(file: Path, plan: str) -> Sequence[Source]:
    if missing(plan, file.parent):
        return ()
    try:
        return read_chain(file.parent / "plans" / f"{plan}.yaml").plans
    except OSError:
        return ()


def _inside(value: Any, *keys: str) -> Any:
    for key in keys:
        value = value.get(key) if isinstance(value, dict) else None
    return value


def _pinned(resolved: Resolved) -> Iterator[str]:
    """Yield the apps whose version the customer's own file holds, against that of its plan."""
    own, *plans = resolved.sources.layers
    for key, app in resolved.settings.customer.apps.items():
        keys = ("tenantry:customer", "apps", key, "version")
        planned = next((layer for layer in plans if layer.holds(keys)), None)
        if planned is None or not own.holds(keys):
            continue
        version = planned.values["apps"][key]["version"]
        if version != app.version:
            yield f"{key} {app.version} (plan: {version})"


def _plan_files(file: Path, resolved: Resolved) -> Iterator[Path]:
    for layer in resolved.sources.layers:
        if layer.is_plan:
            yield file.parent / "plans" / Path(layer.name).name


def _key_files(file: Path, resolved: Resolved) -> Iterator[Path]:
    """Yield the PEM files that are named; a path is from the folder of the file that says it."""
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
