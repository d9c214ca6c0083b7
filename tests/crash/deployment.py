"""What the engine does with each resource that a program registers, one at a time as with `--parallel 1`.

Pulumi's own is `pkg/resource/deploy`, above all `step_generator.go`.
"""

from __future__ import annotations

from collections.abc import Callable

from tests.crash.checkpoint import Checkpoint
from tests.crash.goals import Goal, Options, Stop, former_urns, is_asked_to_replace
from tests.crash.provider import UNKNOWN, CallFailed, Difference, Provider
from tests.crash.resources import STACK, Properties, Resource, State, dependents


class Deployment:
    """One `up`: the entries of the state, those that the program registers, and what has been done so far."""

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
        """Those that stay in the state, whatever was done to them."""
        self.deletes: set[str] = set()
        """Those that are deleted, or about to be."""
        self.early: set[Resource] = set()
        """Entries that were deleted to be replaced."""
        self.skipped: set[str] = set()
        """Those that would be created, but are not what the run is about."""
        self.targeted: set[str] = set()
        self.renamed: dict[str, str] = {}
        """Old URN -> new one."""

    def is_target(self, each: Resource) -> bool:
        """Whether the run is about this resource."""
        if not self.options.targets or each.type == STACK:
            return True
        named = bool({each.urn, each.name} & self.options.targets)
        above = each.needs() | {each.parent}
        return named or (self.options.target_dependents and bool(above & self.targeted))

    def refuse_unknown(self, wanted: frozenset[str]) -> None:
        """Raise Stop if one of these is neither in the state nor in the program."""
        known = {
            name for each in [*self.entries, *self.registered.values()] for name in (each.urn, each.name)
        }
        if unknown := sorted(wanted - known):
            raise Stop(f"there is no {', '.join(unknown)}")

    def register(self, goal: Goal, urn: str) -> Resource:
        """Do what makes a resource as it is wanted; return its entry.

        Raises Stop, after which nothing but `register` of what had begun may follow.
        """
        if urn in self.goals:
            raise Stop(f"duplicate resource {urn}")
        self._inherit(goal)
        self.goals[urn] = goal
        old = self._old(goal, urn)
        each = Resource(
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
        target = self.is_target(each)
        recreating = urn in self.deletes
        if not target:
            each.inputs = old.inputs if old else {}
        elif goal.custom:
            known = (
                old.inputs
                if old and not recreating and not is_asked_to_replace(self.options, each, old)
                else {}
            )
            each.inputs = self._checked(urn, known, goal.inputs)
        if recreating:
            self.deletes.remove(urn)
            self._create(each, old)
        elif old is None and target:
            self._remember(each)
            self._create(each, None)
        elif old is None:
            self.steps.add(urn)
            self.skipped.add(urn)
        elif target:
            self._remember(each)
            self._by_difference(goal, each, old)
        elif old.urn not in self.steps:
            each = self._keep(old)
        self.registered[urn] = each
        return each

    def outputs(self, urn: str, outputs: Properties) -> None:
        """Take the outputs that a component registers."""
        each = self.registered[urn]
        if urn not in self.skipped and each.outputs != outputs:
            each.outputs = outputs
            self.checkpoint.write()

    def _inherit(self, goal: Goal) -> None:
        above = self.goals.get(goal.parent)
        if above:  # of the protection the SDK takes care
            goal.deleted_with = goal.deleted_with or above.deleted_with

    def _old(self, goal: Goal, urn: str) -> Resource | None:
        """The entry of a resource, by its URN or else by those that it may have had before."""
        current = {each.urn: each for each in self.entries if not each.delete}
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

    def _by_difference(self, goal: Goal, each: Resource, old: Resource) -> None:
        asked = is_asked_to_replace(self.options, each, old)
        difference = self._difference(each, old, asked=asked)
        self._refuse_missing(each)
        changed = difference.changes
        if changed is None:
            changed = old.inputs != each.inputs
        if not changed and not old.pendingReplacement:
            if old.initErrors:
                self._update(each, old)
            else:
                each.id, each.outputs = old.id, old.outputs
                self.steps.add(each.urn)
                self.checkpoint.same(old, each)
        elif difference.replaces or old.pendingReplacement:
            self._replace(goal, each, old, difference, asked=asked)
        else:
            self._update(each, old)

    def _difference(self, each: Resource, old: Resource, *, asked: bool) -> Difference:
        if asked:
            return Difference(True, ["id"], False)
        if not each.custom:
            return Difference(None, [], False)
        return self._diffed(old, each.inputs, each.urn)

    def _diffed(self, old: Resource, news: Properties, urn: str) -> Difference:
        try:
            return self.provider.diff(urn, old.id, old.inputs, old.outputs, news)
        except CallFailed as error:
            raise Stop(str(error)) from None

    def _replace(
        self, goal: Goal, each: Resource, old: Resource, difference: Difference, *, asked: bool
    ) -> None:
        if each.protect and old.protect:
            raise Stop(f"unable to replace {each.name}: it is protected")
        self.steps.add(each.urn)
        if each.custom and not asked:
            each.inputs = self._checked(each.urn, {}, goal.inputs)
        first = goal.delete_before_replace
        if first is None:
            first = difference.delete_before_replace
        if not first:
            self._create(each, old, delete_later=True)
            return
        going = self.replaced_with(old)[::-1]
        if protected := [other.name for other in going if other.protect and not other.delete]:
            raise Stop(
                f"unable to replace {', '.join(protected)} as part of replacing {each.name}: protected"
            )
        for other in going:
            self.deletes.add(other.urn)
            self.early.add(other)
        for other in [*going, *([] if old.pendingReplacement else [old])]:
            self.delete(other, to_be_replaced=not other.delete)
        self._create(each, old)

    def replaced_with(self, root: Resource) -> list[Resource]:
        """The entries that must go before `root` can, since a new id of it replaces them."""
        going, found = {root.urn}, []
        done = self.steps | self.deletes
        for each in dependents(self.entries, root, done, children=False):
            unknown = {name for name, urns in each.propertyDependencies.items() if going & set(urns)}
            if each.custom and unknown & each.inputs.keys():
                news = {name: UNKNOWN if name in unknown else value for name, value in each.inputs.items()}
                if self._diffed(each, news, each.urn).replaces:
                    going.add(each.urn)
                    found.append(each)
        return found

    def _create(self, each: Resource, old: Resource | None, *, delete_later: bool = False) -> None:
        self._refuse_missing(each)
        self.steps.add(each.urn)
        self.checkpoint.begin("creating", each)
        try:
            if each.custom:
                each.id, each.outputs = self.provider.create(each.urn, each.inputs)
        except CallFailed as error:
            if error.half is None:
                self.checkpoint.failed(each)
                raise Stop(str(error)) from None
            each.id, each.outputs, each.initErrors = error.half.id, error.half.outputs, error.half.reasons
            self._created(each, old, delete_later=delete_later)
            raise Stop(str(error)) from None
        self._created(each, old, delete_later=delete_later)

    def _created(self, each: Resource, old: Resource | None, *, delete_later: bool) -> None:
        if old and delete_later:
            old.delete = True
        self.checkpoint.created(each, old)

    def _update(self, each: Resource, old: Resource) -> None:
        self.steps.add(each.urn)
        each.id = old.id
        self.checkpoint.begin("updating", each)
        try:
            if each.custom:
                each.outputs = self.provider.update(each.urn, old.id, old.inputs, old.outputs, each.inputs)
        except CallFailed as error:
            if error.half is None:
                self.checkpoint.failed(each)
                raise Stop(str(error)) from None
            # The object is not what was wanted: the next run must still see the difference.
            each.outputs, each.initErrors, each.inputs = error.half.outputs, error.half.reasons, old.inputs
            self.checkpoint.updated(old, each)
            raise Stop(str(error)) from None
        self.checkpoint.updated(old, each)

    def delete(self, old: Resource, *, to_be_replaced: bool = False) -> None:
        """Delete an object, unless it goes with another one that is deleted in this run."""
        self.checkpoint.begin("deleting", old)
        try:
            if old.custom and old.deletedWith not in self.deletes:
                self.provider.delete(old.urn, old.id, old.inputs, old.outputs)
        except CallFailed as error:
            self.checkpoint.failed(old)
            raise Stop(str(error)) from None
        old.pendingReplacement |= to_be_replaced
        self.checkpoint.deleted(old)

    def _remember(self, each: Resource) -> None:
        if self.options.targets and each.type != STACK:
            self.targeted.add(each.urn)

    def _refuse_missing(self, each: Resource) -> None:
        if missing := (each.needs() | {each.parent}) & self.skipped:
            raise Stop(f"{each.name} needs {', '.join(sorted(missing))}, which is not a target")

    def _keep(self, old: Resource) -> Resource:
        """Leave an entry as it is, and before it all that it needs."""
        self.steps.add(old.urn)
        needed = old.needs() | {old.parent}
        for other in [each for each in self.entries if each.urn in needed and not each.delete]:
            if not self.stays(other) and other.urn not in self.deletes:
                self._keep(other)
        kept = old.copy()
        self.checkpoint.same(old, kept)
        return kept

    def stays(self, old: Resource) -> bool:
        """Whether this run has come to what an entry is about, under its URN or a new one, and keeps it."""
        return self.renamed.get(old.urn, old.urn) in self.steps
