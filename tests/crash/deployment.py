"""The engine's steps for each resource that a program registers, one at a time as with `--parallel 1`.

Source: Pulumi's `pkg/resource/deploy`, mainly `step_generator.go`.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.crash.checkpoint import Checkpoint
from tests.crash.goals import Goal, Options, Stop, former_urns, is_asked_to_replace
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
        self.early: set[Resource] = set()
        """Entries that were deleted before their replacement."""
        self.skipped: set[str] = set()
        """Entries to create that are not targets of the run."""
        self.targeted: set[str] = set()
        self.renamed: dict[str, str] = {}
        """Old URN -> new one."""

    def is_target(self, entry: Resource) -> bool:
        """Tell whether this resource is a target of the run."""
        if not self.options.targets or entry.type == STACK:
            return True
        named = bool({entry.urn, entry.name} & self.options.targets)
        above = entry.needs() | {entry.parent}
        return named or (self.options.target_dependents and bool(above & self.targeted))

    def refuse_unknown(self, wanted: frozenset[str]) -> None:
        """Raise Stop if one of these resources is neither in the state nor in the program."""
        known = {
            name for entry in [*self.entries, *self.registered.values()] for name in (entry.urn, entry.name)
        }
        if unknown := sorted(wanted - known):
            raise Stop(f"unknown resource: {', '.join(unknown)}")

    def register(self, goal: Goal, urn: str) -> Resource:
        """Run the steps for a registered resource; return its entry.

        Raises Stop. After that, you can only call `register` for resources that had begun.
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
            formerly=old.urn if old and old.urn != urn else "",
        )
        target = self.is_target(entry)
        recreating = urn in self.deletes
        if not target:
            entry.inputs = old.inputs if old else {}
        elif goal.custom:
            known = (
                old.inputs
                if old and not recreating and not is_asked_to_replace(self.options, entry, old)
                else {}
            )
            entry.inputs = self._checked(urn, known, goal.inputs)
        if recreating:
            self.deletes.remove(urn)
            self._create(entry, old)
        elif old is None and target:
            self._remember(entry)
            self._create(entry, None)
        elif old is None:
            self.steps.add(urn)
            self.skipped.add(urn)
        elif target:
            self._remember(entry)
            self._by_difference(goal, entry, old)
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
        above = self.goals.get(goal.parent)
        if above:  # the SDK handles the protection
            goal.deleted_with = goal.deleted_with or above.deleted_with

    def _old(self, goal: Goal, urn: str) -> Resource | None:
        """Return the entry of a resource by its URN, or by one of its possible former URNs."""
        current = {entry.urn: entry for entry in self.entries if not entry.delete}
        if urn in current:
            return current[urn]
        for alias in former_urns(goal, urn, self.renamed):
            if alias in current:
                if alias in self.goals or alias in self.renamed:
                    raise Stop(f"{urn}: there is another resource with the alias {alias}")
                self.renamed[alias] = urn
                return current[alias]
        return None

    def _checked(self, urn: str, olds: Properties, news: Properties) -> Properties:
        try:
            inputs, problems = self.provider.check(urn, olds, news)
        except CallFailed as error:
            raise Stop(str(error)) from None
        if problems:
            raise Stop("\n".join(f"{urn}: {problem}" for problem in problems))
        return inputs

    def _by_difference(self, goal: Goal, entry: Resource, old: Resource) -> None:
        asked = is_asked_to_replace(self.options, entry, old)
        difference = self._difference(entry, old, asked=asked)
        self._refuse_missing(entry)
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
            self._replace(goal, entry, old, difference, asked=asked)
        else:
            self._update(entry, old)

    def _difference(self, entry: Resource, old: Resource, *, asked: bool) -> Difference:
        if asked:
            return Difference(True, ["id"], False)
        if not entry.custom:
            return Difference(None, [], False)
        return self._diffed(old, entry.inputs, entry.urn)

    def _diffed(self, old: Resource, news: Properties, urn: str) -> Difference:
        try:
            return self.provider.diff(urn, old.id, old.inputs, old.outputs, news)
        except CallFailed as error:
            raise Stop(str(error)) from None

    def _replace(
        self, goal: Goal, entry: Resource, old: Resource, difference: Difference, *, asked: bool
    ) -> None:
        if entry.protect and old.protect:
            raise Stop(f"unable to replace {entry.name}: it is protected")
        self.steps.add(entry.urn)
        if entry.custom and not asked:
            entry.inputs = self._checked(entry.urn, {}, goal.inputs)
        first = goal.delete_before_replace
        if first is None:
            first = difference.delete_before_replace
        if not first:
            self._create(entry, old, delete_later=True)
            return
        going = self.replaced_with(old)[::-1]
        if protected := [other.name for other in going if other.protect and not other.delete]:
            raise Stop(
                f"unable to replace {', '.join(protected)} as part of replacing {entry.name}: protected"
            )
        for other in going:
            self.deletes.add(other.urn)
            self.early.add(other)
        for other in [*going, *([] if old.pendingReplacement else [old])]:
            self.delete(other, to_be_replaced=not other.delete)
        self._create(entry, old)

    def replaced_with(self, root: Resource) -> list[Resource]:
        """Return the entries to delete before `root`, because a new id of `root` replaces them."""
        going, found = {root.urn}, []
        done = self.steps | self.deletes
        for entry in dependents(self.entries, root, done, children=False):
            unknown = {name for name, urns in entry.propertyDependencies.items() if going & set(urns)}
            if entry.custom and unknown & entry.inputs.keys():
                news = {name: UNKNOWN if name in unknown else value for name, value in entry.inputs.items()}
                if self._diffed(entry, news, entry.urn).replaces:
                    going.add(entry.urn)
                    found.append(entry)
        return found

    def _create(self, entry: Resource, old: Resource | None, *, delete_later: bool = False) -> None:
        self._refuse_missing(entry)
        self.steps.add(entry.urn)
        self.checkpoint.begin("creating", entry)
        try:
            if entry.custom:
                entry.id, entry.outputs = self.provider.create(entry.urn, entry.inputs)
        except CallFailed as error:
            if error.half is None:
                self.checkpoint.failed(entry)
                raise Stop(str(error)) from None
            entry.id, entry.outputs, entry.initErrors = error.half.id, error.half.outputs, error.half.reasons
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
            if error.half is None:
                self.checkpoint.failed(entry)
                raise Stop(str(error)) from None
            # The update is incomplete: the next run must still see the difference.
            entry.outputs, entry.initErrors, entry.inputs = error.half.outputs, error.half.reasons, old.inputs
            self.checkpoint.updated(old, entry)
            raise Stop(str(error)) from None
        self.checkpoint.updated(old, entry)

    def delete(self, old: Resource, *, to_be_replaced: bool = False) -> None:
        """Delete an object, unless the deletion of another object in this run deletes it too."""
        self.checkpoint.begin("deleting", old)
        try:
            if old.custom and old.deletedWith not in self.deletes:
                self.provider.delete(old.urn, old.id, old.inputs, old.outputs)
        except CallFailed as error:
            self.checkpoint.failed(old)
            raise Stop(str(error)) from None
        old.pendingReplacement |= to_be_replaced
        self.checkpoint.deleted(old)

    def _remember(self, entry: Resource) -> None:
        if self.options.targets and entry.type != STACK:
            self.targeted.add(entry.urn)

    def _refuse_missing(self, entry: Resource) -> None:
        if missing := (entry.needs() | {entry.parent}) & self.skipped:
            raise Stop(f"{entry.name} needs {', '.join(sorted(missing))}, which is not a target")

    def _keep(self, old: Resource) -> Resource:
        """Keep an entry unchanged, and before it everything that it needs."""
        self.steps.add(old.urn)
        needed = old.needs() | {old.parent}
        for other in [entry for entry in self.entries if entry.urn in needed and not entry.delete]:
            if not self.stays(other) and other.urn not in self.deletes:
                self._keep(other)
        kept = old.copy()
        self.checkpoint.same(old, kept)
        return kept

    def stays(self, old: Resource) -> bool:
        """Tell whether this run has reached and keeps an entry's resource, under its URN or a new one."""
        return self.renamed.get(old.urn, old.urn) in self.steps
