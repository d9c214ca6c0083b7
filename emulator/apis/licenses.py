"""The licence behind a tenant."""

from __future__ import annotations

from ..call import Call, Reply, operation
from ..errors import Refusal
from ..store import SHARED, Doc

DEFAULTS = {"id": "settings", "autoAssignProfessional": False, "autoAssignAnalyzer": False}


@operation("licenses", "getLicenseOverview")
def overview(call: Call) -> Reply:
    """The licence with its key, which is what a new tenant is made from."""
    licence = call.store.get(SHARED, "licence", call.tenant["_licence"])
    if licence is None:
        raise Refusal(404)
    return Reply(200, {name: value for name, value in licence.items() if name not in ("id", "source")})


@operation("licenses", "getLicenseSettings")
def settings(call: Call) -> Reply:
    """Which entitlements are given out by themselves."""
    return Reply(200, _view(_settings(call)))


@operation("licenses", "updateLicenseSettings")
def update(call: Call) -> Reply:
    """Set both flags. One left out is switched off: Qlik does not say what happens then, so send both."""
    changed = DEFAULTS | (call.body or {})
    return Reply(200, _view(call.store.put(call.tenant_id, "licence-settings", changed)))


def _settings(call: Call) -> Doc:
    return call.store.get(call.tenant_id, "licence-settings", "settings") or DEFAULTS


def _view(settings: Doc) -> Doc:
    return {name: value for name, value in settings.items() if name != "id"}
