"""The licence of a tenant and its entitlements."""

from __future__ import annotations

from tenantry.emulator.apis import users
from tenantry.emulator.call import Call, Reply, operation
from tenantry.emulator.clock import iso
from tenantry.emulator.errors import Invalid, Refusal
from tenantry.emulator.paging import page
from tenantry.emulator.scim import compile_filter
from tenantry.emulator.store import SHARED, Doc

FILTERABLE = {"subject": "eq co", "type": "eq"}
SORTABLE = ("subject", "type", "created")
DEFAULTS = {"id": "settings", "autoAssignProfessional": False, "autoAssignAnalyzer": False}


@operation("licenses", "getLicenseOverview")
def overview(call: Call) -> Reply:
    """Return the licence with its key, from which new tenants are created."""
    licence = call.store.get(SHARED, "licence", call.tenant["_licence"])
    if licence is None:
        raise Refusal(404)
    return Reply(200, {name: value for name, value in licence.items() if name not in ("id", "source")})


@operation("licenses", "getLicenseSettings")
def settings(call: Call) -> Reply:
    """Return which entitlements are assigned automatically."""
    return Reply(200, _view(_settings(call)))


@operation("licenses", "updateLicenseSettings")
def update(call: Call) -> Reply:
    """Set both flags. A missing flag is switched off. Qlik does not document that case, so send both."""
    changed = DEFAULTS | (call.body or {})
    return Reply(200, _view(call.store.put(call.tenant_id, "licence-settings", changed)))


@operation("licenses", "getLicenseAssignments")
def listing(call: Call) -> Reply:
    """List the assignments of the licence, including those of its other tenants.

    `orphans` lists only subjects without a user on this tenant.
    """
    found = call.store.all(SHARED, "entitlement", parent=call.tenant["_licence"])
    if "filter" in call.query:
        found = list(filter(compile_filter(call.query["filter"], FILTERABLE), found))
    if call.query.get("orphans"):
        found = [doc for doc in found if not users.by_subject(call.world, call.tenant_id, doc["subject"])]
    if (sort := str(call.query.get("sort", "subject")).lstrip("+-")) not in SORTABLE:
        raise Invalid(f"cannot sort by {sort}", parameter="sort")
    data, links = page(call, list(found), default=20, sort="subject", cursors=("page", ""))
    del links["self"]
    entries = [{name: doc[name] for name in ("type", "subject", "excess", "created")} for doc in data]
    return Reply(200, {"data": entries, "links": links})


@operation("licenses", "addLicenseAssignments")
def assign(call: Call) -> Reply:
    """Assign entitlements to subjects, which need not be users. Always return 207, with a status per item."""
    results = [_assign(call, item["subject"], item["type"]) for item in call.body["add"]]
    return Reply(207, {"data": results})


@operation("licenses", "deleteLicenseAssignments")
def release(call: Call) -> Reply:
    """Release entitlements. Always return 207, with a status per item."""
    results = [_release(call, item["subject"], item["type"]) for item in call.body["delete"]]
    return Reply(207, {"data": results})


def assign_automatically(call: Call, subject: str) -> None:
    """Assign an entitlement to a subject without one, if the settings and the licence allow it."""
    licence = call.tenant["_licence"]
    if call.store.get(SHARED, "entitlement", f"{licence}/{subject}"):
        return
    settings = _settings(call)
    for kind in ("professional", "analyzer"):
        allotment = _allotment(call, kind)
        if settings[f"autoAssign{kind.capitalize()}"] and allotment["unitsUsed"] < allotment["units"]:
            _add_entitlement(call, subject, kind)
            return


def _assign(call: Call, subject: str, kind: str) -> Doc:
    """Assign an entitlement. Qlik does not publish its response for a subject that already has one."""
    result = {"subject": subject, "type": kind}
    existing = call.store.get(SHARED, "entitlement", f"{call.tenant['_licence']}/{subject}")
    allotment = _allotment(call, kind)
    if existing:
        return result | {"status": 400, "code": "LICENSES-400", "title": "Already assigned"}
    if allotment["unitsUsed"] >= allotment["units"]:
        return result | {"status": 403, "code": "LICENSES-011", "title": "No allotment left"}
    _add_entitlement(call, subject, kind)
    return result | {"status": 201}


def _add_entitlement(call: Call, subject: str, kind: str) -> None:
    licence = call.tenant["_licence"]
    entry = {
        "id": f"{licence}/{subject}",
        "subject": subject,
        "type": kind,
        "excess": False,
        "created": iso(call.world.now()),
    }
    call.store.put(SHARED, "entitlement", entry, parent=licence)
    _count(call, kind, 1)


def _release(call: Call, subject: str, kind: str) -> Doc:
    key = f"{call.tenant['_licence']}/{subject}"
    existing = call.store.get(SHARED, "entitlement", key)
    if existing is None or existing["type"] != kind:
        return {"subject": subject, "type": kind, "status": 404, "code": "LICENSES-016", "title": "Not found"}
    call.store.delete(SHARED, "entitlement", key)
    _count(call, kind, -1)
    return {"subject": subject, "type": kind, "status": 200}


def _licence(call: Call) -> Doc:
    return call.store.get(SHARED, "licence", call.tenant["_licence"]) or {"allotments": []}


def _allotment(call: Call, kind: str) -> Doc:
    empty = {"units": 0, "unitsUsed": 0}
    allotments = _licence(call)["allotments"]
    return next((allotment for allotment in allotments if allotment["name"] == kind), empty)


def _count(call: Call, kind: str, change: int) -> None:
    licence = _licence(call)
    for allotment in licence["allotments"]:
        if allotment["name"] == kind:
            allotment["unitsUsed"] += change
    call.store.put(SHARED, "licence", licence)


def _settings(call: Call) -> Doc:
    return call.store.get(call.tenant_id, "licence-settings", "settings") or DEFAULTS


def _view(settings: Doc) -> Doc:
    return {name: value for name, value in settings.items() if name != "id"}
