"""Rules for more than one value. Each rule yields all its violations.

They run on the values that could be read. An invalid value is None here; its error is reported elsewhere.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import replace
from pathlib import Path

from tenantry.providers.values import texts
from tenantry.providers.values.limits import ROLES_BY_SPACE_TYPE
from tenantry.providers.values.words import closest
from tenantry.settings.document import Keys
from tenantry.settings.models import BLOCKS, ENTRIES, Content, Settings
from tenantry.settings.models.content import App
from tenantry.settings.models.identity_providers import LOGIN_BLOCKS
from tenantry.settings.models.people import Admin, User
from tenantry.settings.models.reload_tasks import TASKS_PER_APP, space_of_task
from tenantry.settings.names import find_clashes, former_names
from tenantry.settings.sources import CUSTOMER
from tenantry.settings.violations import Removed, Violation, same_names

MAX_LISTED_NAMES = 12
"""The largest number of names in a message."""


def nearest(wrong: str, allowed: Iterable[str]) -> str:
    """Return `; the closest is "x"` if an allowed word resembles the wrong one, else nothing.

    Capitals make no difference. If a word only looks the same, the text shows how the two are spelled.
    """
    allowed = list(allowed)
    if lookalike := next((name for name in allowed if texts.alike(name, wrong)), None):
        return (
            f"; it looks like another name but differs: {texts.spelled(wrong)} and {texts.spelled(lookalike)}"
        )
    meant = closest(wrong, allowed)
    return f'; the closest is "{meant}"' if meant else ""


def choices(wrong: str, allowed: Iterable[str], title: str = "allowed") -> str:
    """Return `; the closest is "x"; allowed: x, y, z` with the allowed names in order."""
    names = sorted(allowed)
    return f"{nearest(wrong, names)}; {title}: {', '.join(names)}"


def missing_stack(name: str, files: Mapping[str, Path], folder: Path) -> str:
    """Return the error if no stack with that name has a file, else nothing.

    It lists all names if there are few.
    """
    if name in files:
        return ""
    there = choices(name, files, "there are") if 0 < len(files) <= MAX_LISTED_NAMES else nearest(name, files)
    return f"there is no stack file Pulumi.{name}.yaml in {folder}{there}"


def settings_rules(settings: Settings, removed: Removed) -> Iterator[Violation]:
    """Check all settings of a stack. `removed` are the entries that were removed from its plans."""
    yield from _regions(settings)
    for violation in customer_rules(settings.customer, removed):
        inside = CUSTOMER, *violation.keys
        yield replace(violation, keys=inside, unless=violation.unless and (CUSTOMER, *violation.unless))


def _regions(settings: Settings) -> Iterator[Violation]:
    region = settings.region
    hosts: list[tuple[Keys, str | None]] = [(("qlik:source_tenant",), settings.source_tenant)]
    if settings.customer.revive:
        hosts.append(((CUSTOMER, "revive", "hostname"), settings.customer.revive.hostname))
    for keys, host in hosts:
        if region and host and host.split(".")[1] != region:
            yield Violation(keys, f"{host} is in region {host.split('.')[1]}, but qlik:region is {region}")


def customer_rules(customer: Content, removed: Removed) -> Iterator[Violation]:
    """Check a customer or plan against the rules of Qlik that need several values."""
    yield from _lifecycle(customer)
    for block in ENTRIES:
        yield from BLOCKS[block].rules(block, getattr(customer, block))
    yield from _logins(customer)
    yield from _access(customer, removed)
    yield from _people(customer)
    yield from _apps(customer, removed)
    yield from _app_names(customer)
    yield from _in_spaces(customer, removed)
    yield from _reload_tasks(customer, removed)
    for block in ENTRIES:
        yield from _renames(block, getattr(customer, block))
    yield from find_clashes(customer)


def _lifecycle(customer: Content) -> Iterator[Violation]:
    lifecycle = customer.lifecycle
    keys: Keys = ("lifecycle", "ends_on")
    if lifecycle.kind == "trial" and lifecycle.ends_on is None:
        yield Violation(keys, 'is required for a trial, for example ends_on: "2026-12-31"', incomplete=True)
    if lifecycle.kind == "production" and lifecycle.ends_on is not None:
        yield Violation(keys, "only a trial has an end; set kind: trial, or remove ends_on")


def _logins(customer: Content) -> Iterator[Violation]:
    """Check that there is at most one interactive identity provider."""
    found = [(block, key) for block in LOGIN_BLOCKS for key in sorted(getattr(customer, block))]
    for block, key in found[1:]:
        first_block, first = found[0]
        text = f'users already log in with "{first}" of {first_block}; a tenant has one interactive provider'
        yield Violation((block, key), text)


def _access(customer: Content, removed: Removed) -> Iterator[Violation]:
    for key, space in customer.spaces.items():
        known = ROLES_BY_SPACE_TYPE.get(space.type, ())
        for field in ("access", "user_access", "bot_access"):
            for assignee, roles in getattr(space, field).items():
                keys: Keys = ("spaces", key, field, assignee)
                if field == "access" and assignee not in customer.groups:
                    yield _undeclared("group", assignee, keys, customer.groups, removed)
                if field == "user_access":
                    yield from _person(customer, keys, assignee, removed)
                for role in roles if known else ():
                    if role not in known:
                        text = f'a {space.type} space has no role "{role}"{choices(role, known)}'
                        yield Violation(keys, text, item=role)
        if space.owner is not None:
            yield from _person(customer, ("spaces", key, "owner"), space.owner, removed)
        if space.owner in space.user_access:
            text = f'"{space.owner}" owns the space and so has every role; remove this entry'
            yield Violation(("spaces", key, "user_access", space.owner or ""), text)


def _person(customer: Content, keys: Keys, name: str, removed: Removed) -> Iterator[Violation]:
    people = [*customer.users, *customer.admins]
    by = removed.get(("users", name)) or removed.get(("admins", name))
    if name in people:
        return
    if by:
        text = f'person "{name}" is removed by {by}, but still used here; remove this as well'
    else:
        near = choices(name, people) if people else ""
        text = f'person "{name}" is not declared under users or admins{near}'
    yield Violation(keys, text, incomplete=True, unless=("users",))


def _people(customer: Content) -> Iterator[Violation]:
    """Check that no person is listed twice."""
    for key in customer.admins:
        if key in customer.users:
            yield Violation(("admins", key), f'"{key}" is also a key under users; keys of people must differ')
    yield from _same_people(customer)


def _same_people(customer: Content) -> Iterator[Violation]:
    taken: dict[tuple[str, str], str] = {}
    blocks: dict[str, Mapping[str, User | Admin]] = {"users": customer.users, "admins": customer.admins}
    for block, people in blocks.items():
        for key, person in sorted(people.items()):
            this = f'"{key}" under {block}'
            advice = (
                "" if block == "users" else "; to make a user an administrator, give it the role TenantAdmin"
            )
            for field, value in (("subject", person.subject), ("email", person.email)):
                same = value if field == "subject" or value is None else value.casefold()
                first = this if same is None else taken.setdefault((field, same), this)
                if first != this:
                    yield Violation(
                        (block, key, field), f'{field} "{value}" already belongs to {first}{advice}'
                    )


def _apps(customer: Content, removed: Removed) -> Iterator[Violation]:
    for key, app in customer.apps.items():
        if app.template and app.template_id:
            yield Violation(("apps", key, "template_id"), "give template or template_id, not both")
        if not app.template and not app.template_id:
            text = "template (its exact name) or template_id is required"
            yield Violation(
                ("apps", key, "template"), text, incomplete=True, unless=("apps", key, "template_id")
            )
        places = [(app.staging, "shared", "staging"), *((s, "managed", "publish_to") for s in app.publish_to)]
        for name, wanted, field in places:
            if name is not None:
                yield from _space_of_type(customer, ("apps", key, field), name, wanted, removed)
        if app.expect is not None and app.publish_to == []:
            text = "smoke checks published apps, but this app is not published; add publish_to"
            yield Violation(("apps", key, "expect"), text, incomplete=True)
        for twice in sorted({s for s in app.publish_to if app.publish_to.count(s) > 1}):
            yield Violation(("apps", key, "publish_to"), f'space "{twice}" is listed twice', item=twice)


def _space_of_type(
    customer: Content, keys: Keys, name: str, wanted: str, removed: Removed
) -> Iterator[Violation]:
    item = name if keys[-1] == "publish_to" else None
    fitting = {key: space for key, space in customer.spaces.items() if space.type == wanted}
    if name not in customer.spaces:
        yield replace(_undeclared("space", name, keys, fitting, removed), item=item)
    elif customer.spaces[name].type not in (wanted, None):
        use = "imported into a shared" if wanted == "shared" else "published into a managed"
        listed = ", ".join(sorted(fitting)) or "none declared"
        text = f'"{name}" is a {customer.spaces[name].type} space, but apps are {use} one'
        yield Violation(keys, f"{text}; {wanted} spaces: {listed}", item)


def _undeclared(
    kind: str, name: str, keys: Keys, declared: Mapping[str, object], removed: Removed
) -> Violation:
    block = f"{kind.replace(' ', '_')}s"
    if by := removed.get((block, name)):
        text = f'{kind} "{name}" is removed by {by}, but still used here; remove this as well'
    elif declared:
        text = f'{kind} "{name}" is not declared under {block}{choices(name, declared)}'
    else:
        text = f'{kind} "{name}" is not declared under {block}'
    return Violation(keys, text, incomplete=True, unless=(block,))


def _in_spaces(customer: Content, removed: Removed) -> Iterator[Violation]:
    for block in ENTRIES:
        mapping = BLOCKS[block].mapping
        refers = mapping is not None and "space" in mapping.references
        for key, entry in getattr(customer, block).items() if refers else ():
            space = getattr(entry, "space", None)
            if space is not None and space not in customer.spaces:
                yield _undeclared("space", space, (block, key, "space"), customer.spaces, removed)


def _reload_tasks(customer: Content, removed: Removed) -> Iterator[Violation]:
    """Check that each task reloads a published app and has one trigger."""
    for key, task in customer.reload_tasks.items():
        at: Keys = ("reload_tasks", key)
        if task.app is not None:
            yield from _app_of_task(customer, at, task.app, task.space, removed)
        if task.recurrence is None and task.after is None:
            text = "recurrence or after (the key of another task) is required"
            yield Violation((*at, "recurrence"), text, incomplete=True, unless=(*at, "after"))
        if task.recurrence is not None and task.after is not None:
            yield Violation((*at, "after"), "set recurrence or after, not both")
        for field in ("starts_at", "ends_at"):
            if getattr(task, field) is not None and task.recurrence is None:
                yield Violation((*at, field), "belongs to recurrence, which is not set", incomplete=True)
        if task.after_status is not None and task.after is None:
            yield Violation((*at, "after_status"), "belongs to after, which is not set", incomplete=True)
        if task.after is not None and task.after not in customer.reload_tasks:
            yield _undeclared("reload task", task.after, (*at, "after"), customer.reload_tasks, removed)
        elif _waits_for_itself(customer, key):
            yield Violation(
                (*at, "after"), "the task waits for itself; give one task of this chain a recurrence"
            )
    yield from _tasks_per_app(customer)


def _app_of_task(
    customer: Content, at: Keys, app: str, space: str | None, removed: Removed
) -> Iterator[Violation]:
    if app not in customer.apps:
        yield _undeclared("app", app, (*at, "app"), customer.apps, removed)
        return
    places = [place for place in customer.apps[app].publish_to or () if place is not None]
    listed = ", ".join(places)
    if not places:
        text = f'app "{app}" is not published, but a task reloads a published app; set its publish_to'
        yield Violation((*at, "app"), text, incomplete=True, unless=("apps", app, "publish_to"))
    elif space is None and len(places) > 1:
        text = f'app "{app}" is published in several spaces; set space to one of them: {listed}'
        yield Violation((*at, "space"), text, incomplete=True)
    elif space is not None and space not in places:
        text = f'app "{app}" is not published in space "{space}"; it is published in: {listed}'
        yield Violation((*at, "space"), text, incomplete=True)


def _waits_for_itself(customer: Content, key: str) -> bool:
    seen: set[str] = set()
    at: str | None = key
    while at in customer.reload_tasks and at not in seen:
        seen.add(at)
        at = customer.reload_tasks[at].after
    return at == key


def _tasks_per_app(customer: Content) -> Iterator[Violation]:
    found: dict[tuple[str | None, str | None], list[str]] = {}
    for key, task in sorted(customer.reload_tasks.items()):
        found.setdefault((task.app, space_of_task(customer.apps, task)), []).append(key)
    for (app, _), keys in found.items():
        for key in keys[TASKS_PER_APP:] if app is not None else ():
            text = f'app "{app}" has {len(keys)} tasks; Qlik allows {TASKS_PER_APP} per app'
            yield Violation(("reload_tasks", key, "app"), text)


def _app_names(customer: Content) -> Iterator[Violation]:
    for where, spaces_of in _PLACES_OF_APPS.items():
        named = (
            (key, ("apps", key), app.name, space)
            for key, app in customer.apps.items()
            for space in dict.fromkeys(spaces_of(app))
            if space is not None
        )
        yield from same_names("app", where, named)


_PLACES_OF_APPS: dict[str, Callable[[App], list[str]]] = {
    ', also imported into "{}"': lambda app: [app.staging],
    ', also published into "{}"': lambda app: app.publish_to,
}


def _renames(block: str, entries: Mapping[str, object]) -> Iterator[Violation]:
    claimed: dict[str, str] = {}
    for key in sorted(entries):
        keys: Keys = (block, key, "renamed_from")
        for was in former_names(getattr(entries[key], "renamed_from", None)):
            if was in entries:
                yield Violation(
                    keys, f'"{was}" is still a key under {block}; a renamed entry has only its new key'
                )
            elif (first := claimed.setdefault(was, key)) != key:
                yield Violation(keys, f'"{was}" was already renamed to "{first}"')
