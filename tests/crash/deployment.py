"""The engine's steps for each resource that a program registers, one at a time as with `--parallel 1`.

Source: Pulumi's `pkg/resource/deploy`, mainly `step_generator.go`.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.crash.checkpoint import Checkpoint
from tests.crash.goals import Goal, Options, Stop, former_urns, is_replacement_requested
from tests.crash.provider import UNKNOWN, CallFailed, Difference, Provider
from tests.crash.resources import STACK, Properties, Resource, State, dependents


class Deployment:
    """One `up`: the entries of the state, the registered entries, and the steps so far."""

    def __init__(
        self, state: State, provider: Provider, options: Options, save: Callable[[State], None]
    ) -> None:
        self.entries = state.resources
        self.provider = provider
        self.options = options
        self.checkpoint = Checkpoint(state, save)
        self.errors: list[str] = []
        self.stopped = False
        self.goals: dict[str, Goal] = {}
        self.registered: dict[str, Resource] = {}
        # The operations of this run, by URN.
        self.steps: set[str] = set()
        """Entries that stay in the state, with or without a change."""
        self.deletes: set[str] = set()
        """Entries that are deleted, or scheduled for deletion."""
        self.deleted_early: set[Resource] = set()
        """Entries that were deleted before their replacement exists."""
        self.skipped: set[str] = set()
        """Entries to create that are not targets of the run."""
        self.targeted: set[str] = set()
        self.renamed: dict[str, str] = {}
        """Old URN -> new one."""

    def is_target(self, entry: Resource) -> bool:
        """Tell whether this resource is a target of the run."""
        if not self.options.targets or entry.type == STACK:
            return True
        is_named = bool({entry.urn, entry.name} & self.options.targets)
        needed = entry.needs() | {entry.parent}
        return is_named or (self.options.target_dependents and bool(needed & self.targeted))

    def refuse_unknown(self, names: frozenset[str]) -> None:
        """Raise Stop if one of these resources is neither in the state nor in the program."""
        known = {
            name for entry in [*self.entries, *self.registered.values()] for name in (entry.urn, entry.name)
        }
        if unknown := sorted(names - known):
            raise Stop(f"unknown resource: {', '.join(unknown)}")

    def register(self, goal: Goal, urn: str) -> Resource:
        """Run the steps for a registered resource; return its entry.

        Raises Stop. After that, you can only call `register` for resources whose steps had begun.
        """
        if urn in self.goals:
            raise Stop(f"duplicate resource {urn}")
        self._inherit(goal)
        self.goals[urn] = goal
        old = self._old(goal, urn)
        entry = Resource(
            urn=urn,
            type=goal.type,
            custom=goal.custom,
            inputs=goal.inputs,
            parent=goal.parent,
            protect=goal.protect,
            deletedWith=goal.deleted_with,
            dependencies=goal.dependencies,
            propertyDependencies=goal.property_dependencies,
            former_urn=old.urn if old and old.urn != urn else "",
        )
        is_target = self.is_target(entry)
        recreates = urn in self.deletes
        if not is_target:
            entry.inputs = old.inputs if old else {}
        elif goal.custom:
            old_inputs = (
                old.inputs
                if old and not recreates and not is_replacement_requested(self.options, entry, old)
                else {}
            )
            entry.inputs = self._check(urn, old_inputs, goal.inputs)
        if recreates:
            self.deletes.remove(urn)
            self._create(entry, old)
        elif old is None and is_target:
            self._record_target(entry)
            self._create(entry, None)
        elif old is None:
            self.steps.add(urn)
            self.skipped.add(urn)
        elif is_target:
            self._record_target(entry)
            self._apply_difference(goal, entry, old)
        elif old.urn not in self.steps:
            entry = self._keep(old)
        self.registered[urn] = entry
        return entry

    def outputs(self, urn: str, outputs: Properties) -> None:
        """Store the outputs that a component registers."""
        entry = self.registered[urn]
        if urn not in self.skipped and entry.outputs != outputs:
            entry.outputs = outputs
            self.checkpoint.write()

    def _inherit(self, goal: Goal) -> None:
        parent = self.goals.get(goal.parent)
        if parent:  # the SDK handles the protection
            goal.deleted_with = goal.deleted_with or parent.deleted_with

    def _old(self, goal: Goal, urn: str) -> Resource | None:
        """Return the entry of a resource by its URN, or by one of its possible former URNs."""
        current = {entry.urn: entry for entry in self.entries if not entry.delete}
        if urn in current:
            return current[urn]
        for alias in former_urns(goal, urn, self.renamed):
            if alias in current:
                if alias in self.goals or alias in self.renamed:
                    raise Stop(f"{urn}: another resource has the alias {alias}")
                self.renamed[alias] = urn
                return current[alias]
        return None

    def _check(self, urn: str, olds: Properties, news: Properties) -> Properties:
        try:
            inputs, problems = self.provider.check(urn, olds, news)
        except CallFailed as error:
            raise Stop(str(error)) from None
        if problems:
            raise Stop("\n".join(f"{urn}: {problem}" for problem in problems))
        return inputs

    def _apply_difference(self, goal: Goal, entry: Resource, old: Resource) -> None:
        is_requested = is_replacement_requested(self.options, entry, old)
        difference = self._difference(entry, old, is_requested=is_requested)
        self._refuse_skipped_needs(entry)
        changed = difference.changes
        if changed is None:
            changed = old.inputs != entry.inputs
        if not changed and not old.pendingReplacement:
            if old.initErrors:
                self._update(entry, old)
            else:
                entry.id, entry.outputs = old.id, old.outputs
                self.steps.add(entry.urn)
                self.checkpoint.same(old, entry)
        elif difference.replaces or old.pendingReplacement:
            self._replace(goal, entry, old, difference, is_requested=is_requested)
        else:
            self._update(entry, old)

    def _difference(self, entry: Resource, old: Resource, *, is_requested: bool) -> Difference:
        if is_requested:
            return Difference(True, ["id"], False)
        if not entry.custom:
            return Difference(None, [], False)
        return self._diff(old, entry.inputs, entry.urn)

    def _diff(self, old: Resource, news: Properties, urn: str) -> Difference:
        try:
            return self.provider.diff(urn, old.id, old.inputs, old.outputs, news)
        except CallFailed as error:
            raise Stop(str(error)) from None

    def _replace(
        self, goal: Goal, entry: Resource, old: Resource, difference: Difference, *, is_requested: bool
    ) -> None:
        if entry.protect and old.protect:
            raise Stop(f"unable to replace {entry.name}: it is protected")
        self.steps.add(entry.urn)
        if entry.custom and not is_requested:
            entry.inputs = self._check(entry.urn, {}, goal.inputs)
        delete_first = goal.delete_before_replace
        if delete_first is None:
            delete_first = difference.delete_before_replace
        if not delete_first:
            self._create(entry, old, delete_later=True)
            return
        dependents_to_delete = self.replaced_with(old)[::-1]
        if protected := [other.name for other in dependents_to_delete if other.protect and not other.delete]:
            raise Stop(
                f"unable to replace {', '.join(protected)} as part of replacing {entry.name}: protected"
            )
        for other in dependents_to_delete:
            self.deletes.add(other.urn)
            self.deleted_early.add(other)
        for other in [*dependents_to_delete, *([] if old.pendingReplacement else [old])]:
            self.delete(other, will_be_replaced=not other.delete)
        self._create(entry, old)

    def replaced_with(self, root: Resource) -> list[Resource]:
        """Return the entries to delete before `root`, because a new id of `root` replaces them too."""
        replaced, found = {root.urn}, []
        finished = self.steps | self.deletes
        for entry in dependents(self.entries, root, finished, children=False):
            unknown = {name for name, urns in entry.propertyDependencies.items() if replaced & set(urns)}
            if entry.custom and unknown & entry.inputs.keys():
                news = {name: UNKNOWN if name in unknown else value for name, value in entry.inputs.items()}
                if self._diff(entry, news, entry.urn).replaces:
                    replaced.add(entry.urn)
                    found.append(entry)
        return found

    def _create(self, entry: Resource, old: Resource | None, *, delete_later: bool = False) -> None:
        self._refuse_skipped_needs(entry)
        self.steps.add(entry.urn)
        self.checkpoint.begin("creating", entry)
        try:
            if entry.custom:
                entry.id, entry.outputs = self.provider.create(entry.urn, entry.inputs)
        except CallFailed as error:
            if error.partial is None:
                self.checkpoint.failed(entry)
                raise Stop(str(error)) from None
            entry.id, entry.outputs = error.partial.id, error.partial.outputs
            entry.initErrors = error.partial.reasons
            self._created(entry, old, delete_later=delete_later)
            raise Stop(str(error)) from None
        self._created(entry, old, delete_later=delete_later)

    def _created(self, entry: Resource, old: Resource | None, *, delete_later: bool) -> None:
        if old and delete_later:
            old.delete = True
        self.checkpoint.created(entry, old)

    def _update(self, entry: Resource, old: Resource) -> None:
        self.steps.add(entry.urn)
        entry.id = old.id
        self.checkpoint.begin("updating", entry)
        try:
            if entry.custom:
                entry.outputs = self.provider.update(entry.urn, old.id, old.inputs, old.outputs, entry.inputs)
        except CallFailed as error:
            if error.partial is None:
                self.checkpoint.failed(entry)
                raise Stop(str(error)) from None
            # The update is incomplete: the next run must still see the difference.
            entry.outputs, entry.initErrors = error.partial.outputs, error.partial.reasons
            entry.inputs = old.inputs
            self.checkpoint.updated(old, entry)
            raise Stop(str(error)) from None
        self.checkpoint.updated(old, entry)

    def delete(self, old: Resource, *, will_be_replaced: bool = False) -> None:
        """Delete an object, unless the deletion of another object in this run deletes it too.

        `will_be_replaced`: this run creates a replacement later.
        """
        self.checkpoint.begin("deleting", old)
        try:
            if old.custom and old.deletedWith not in self.deletes:
                self.provider.delete(old.urn, old.id, old.inputs, old.outputs)
        except CallFailed as error:
            self.checkpoint.failed(old)
            raise Stop(str(error)) from None
        old.pendingReplacement |= will_be_replaced
        self.checkpoint.deleted(old)

    def _record_target(self, entry: Resource) -> None:
        if self.options.targets and entry.type != STACK:
            self.targeted.add(entry.urn)

    def _refuse_skipped_needs(self, entry: Resource) -> None:
        if missing := (entry.needs() | {entry.parent}) & self.skipped:
            raise Stop(f"{entry.name} needs {', '.join(sorted(missing))}, which is not a target")

    def _keep(self, old: Resource) -> Resource:
        """Keep an entry unchanged, but first keep everything that it needs."""
        self.steps.add(old.urn)
        needed = old.needs() | {old.parent}
        for other in [entry for entry in self.entries if entry.urn in needed and not entry.delete]:
            if not self.is_kept(other) and other.urn not in self.deletes:
                self._keep(other)
        copy = old.copy()
        self.checkpoint.same(old, copy)
        return copy

    def is_kept(self, old: Resource) -> bool:
        """Tell whether this run keeps an entry that it has reached, under its URN or a new one."""
        return self.renamed.get(old.urn, old.urn) in self.steps
