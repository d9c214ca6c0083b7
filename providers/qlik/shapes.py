"""The shapes of Qlik's responses, one for each operation whose response Tenantry reads.

`Host` checks each 2xx response against its shape before other code reads it. So a resource, a note or a
report never gets a value of an unexpected type. Shapes contain only what Tenantry reads, so Qlik may add or
change other parts. If an operation has no shape, its 201 response must be an object with an id.

A shape is a type, a list with the shape of its items, or a dict of shapes by name. A name that ends in `?`
is optional, and null counts as absent.

Sources: https://qlik.dev/apis/rest and https://qlik.dev/apis/org-rest.
"""

from __future__ import annotations

import re
from typing import Any


class Id(str):
    """A text that can safely be part of a path."""

    __slots__ = ()


class Hostname(str):
    """A hostname from Qlik."""

    __slots__ = ()


Shape = type | list[Any] | dict[str, Any] | None
"""A shape. None if Tenantry does not read the response."""

_ID = re.compile(r"(?!\.{1,2}$)[\w.:@|~+=-]{1,200}", re.ASCII)
_HOSTNAME = re.compile(r"[A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)+")
_KINDS = {
    str: "a text",
    bool: "true or false",
    int: "a whole number",
    dict: "an object",
    list: "a list",
    Id: "an id",
    Hostname: "a hostname",
}

_ROLES = [{"name": str}]
_APP = {
    "attributes": {
        "id": Id,
        "name": str,
        "description?": str,
        "spaceId?": str,
        "ownerId?": str,
        "originAppId?": str,
        "publishTime?": str,
        "lastReloadTime?": str,
    },
    "privileges?": [str],
}
_ASSIGNMENT = {"id": Id, "type?": str, "assigneeId?": str, "roles?": [str], "createdBy?": str}
_AUTOMATION = {
    "id": Id,
    "name": str,
    "description?": str,
    "state?": str,
    "ownerId?": str,
    "workspace?": dict,
    "maxConcurrentRuns?": int,
    "schedules?": [{"startAt?": str, "stopAt?": str, "interval?": int, "timezone?": str}],
}
_CSP_ORIGIN = {"id": Id, "origin": str, "name?": str, "description?": str}
_ARCHIVED = {"id": Id, "name": str, "userId?": str, "file?": {"md5?": str}}
_CONNECTION = {
    "qID": Id,
    "qName?": str,
    "datasourceID?": str,
    "connectionProperties?": dict,
    "tags?": [str],
    "space?": str,
    "user?": str,
}
_DATA_FILE = {
    "id": Id,
    "name": str,
    "size?": int,
    "ownerId?": str,
    "spaceId?": str,
    "modifiedDate?": str,
    "contentUpdatedDate?": str,
}
_BRAND_FILE = {"id": str, "eTag?": str}
_BRAND = {
    "id": Id,
    "name": str,
    "description?": str,
    "active?": bool,
    "files?": [_BRAND_FILE],
    "createdBy?": str,
}
_GROUP = {
    "id": Id,
    "name": str,
    "status?": str,
    "description?": str,
    "providerType?": str,
    "assignedRoles?": _ROLES,
    "createdBy?": str,
}
_IDENTITY_PROVIDER = {
    "id": Id,
    "protocol?": str,
    "provider?": str,
    "interactive?": bool,
    "active?": bool,
    "description?": str,
    "clockToleranceSec?": int,
    "createNewUsersOnLogin?": bool,
    "postLogoutRedirectUri?": str,
    "options?": {
        "issuer?": str,
        "staticKeys?": [{"kid?": str, "pem?": str}],
        "discoveryUrl?": str,
        "clientId?": str,
        "realm?": str,
        "scope?": str,
        "emailVerifiedAlwaysTrue?": bool,
        "blockOfflineAccessScope?": bool,
        "entityId?": str,
        "signOnUrl?": str,
        "certificates?": [{"certificate?": str}],
        "nameIdFormat?": str,
        "allowIdpInitiatedLogin?": bool,
        "claimsMapping?": dict,
    },
}
_ITEM = {
    "id?": Id,
    "name": str,
    "description?": str,
    "resourceId": Id,
    "resourceType?": str,
    "resourceAttributes?": {
        "publishTime?": str,
        "modifiedDate?": str,
        "originAppId?": str,
        "description?": str,
    },
    "spaceId?": Id,
    "ownerId?": str,
    "creatorId?": str,
    "createdAt?": str,
    "updatedAt?": str,
}
_LICENCE_SETTINGS = {"autoAssignProfessional": bool, "autoAssignAnalyzer": bool}
_GROUP_SETTINGS = {
    "autoCreateGroups?": bool,
    "syncIdpGroups?": bool,
    "systemGroups?": {"000000000000000000000001?": {"assignedRoles?": _ROLES}},
}
_TASK = {
    "id": Id,
    "name": str,
    "description?": str,
    "enabled?": bool,
    "start?": dict,
    "events?": [{"correlation?": [{"contextAttributeName": str, "contextAttributeValue?": str}]}],
    "metadata?": {"disabledCode?": str, "createdBy?": str},
}
_PINNED_LINK = {"id": Id, "name": str, "link": str, "createdBy?": str}
_OAUTH_CLIENT = {
    "clientId": Id,
    "clientName?": str,
    "appType?": str,
    "description?": str,
    "redirectUris?": [str],
    "allowedOrigins?": [str],
    "allowedScopes?": [str],
    "allowedGrantTypes?": [str],
    "clientSecrets?": [{"hint": Id}],
    "connectionConfig?": {"consentMethod?": str},
    "clientSecret?": str,
    "clientSecretHint?": str,
}
_ROLE = {"name": str, "type?": str}
_SPACE = {
    "id": Id,
    "name": str,
    "type": str,
    "description?": str,
    "ownerId?": Id,
    "createdBy?": str,
}
_TENANT = {
    "id": Id,
    "name?": str,
    "status?": str,
    "hostnames": [Hostname],
    "datacenter?": str,
    "autoAssignCreateSharedSpacesRoleToProfessionals?": bool,
    "autoAssignPrivateAnalyticsContentCreatorRoleToProfessionals?": bool,
    "autoAssignDataServicesContributorRoleToProfessionals?": bool,
    "enableAppOpeningFeedback?": bool,
}
_LISTED_TENANT = {
    "id": Id,
    "name?": str,
    "status?": str,
    "hostnames?": [Hostname],
    "createdAt?": str,
    "subscriptionId?": str,
}
_RELOAD = {
    "id": Id,
    "appId": Id,
    "status": str,
    "creationTime": str,
    "endTime?": str,
    "errorCode?": str,
    "errorMessage?": str,
    "log?": str,
}
_USER = {
    "id": Id,
    "name?": str,
    "subject": str,
    "email?": str,
    "status?": str,
    "assignedRoles?": _ROLES,
}
_WEBHOOK = {
    "id": Id,
    "name": str,
    "url?": str,
    "description?": str,
    "level?": str,
    "eventTypes?": [str],
    "enabled?": bool,
    "filter?": str,
    "headers?": dict,
    "encryptedHeaders?": [str],
    "secretKeyAdded?": bool,
    "checkCertificateRevocation?": bool,
    "createdByUserId?": str,
}
_WEB_INTEGRATION = {"id": Id, "name": str, "validOrigins?": [str], "createdBy?": str}

MEMBERS: dict[str, Shape] = {
    "/api/core/tenants": _LISTED_TENANT,
    "/api/core/webhooks": _WEBHOOK,
    "/api/scheduling/tasks": _TASK,
    "/api/v1/brands": _BRAND,
    "/api/v1/csp-origins": _CSP_ORIGIN,
    "/api/v1/data-connections": _CONNECTION,
    "/api/v1/data-files": _DATA_FILE,
    "/api/v1/data-files/connections": {"id": Id, "spaceId?": Id},
    "/api/workflows/automations": _AUTOMATION,
    "/api/v1/extensions": _ARCHIVED,
    "/api/v1/groups": _GROUP,
    "/api/v1/identity-providers": _IDENTITY_PROVIDER,
    "/api/v1/items": _ITEM,
    "/api/v1/licenses/assignments": {"subject": str, "type": str},
    "/api/v1/reloads": _RELOAD,
    "/api/v1/oauth-clients": _OAUTH_CLIENT,
    "/api/v1/roles": _ROLE,
    "/api/v1/spaces": _SPACE,
    "/api/v1/spaces/{}/assignments": _ASSIGNMENT,
    "/api/v1/tenants": _TENANT,
    "/api/v1/themes": _ARCHIVED,
    "/api/v1/ui-config/pinned-links": _PINNED_LINK,
    "/api/v1/users": _USER,
    "/api/v1/web-integrations": _WEB_INTEGRATION,
}
"""The shapes of a collection's members. A list, a POST and a GET return the same shape."""

OPERATIONS: dict[str, Shape] = {
    "GET /api/core/tenants/{}": {"data": [_LISTED_TENANT]},
    "GET /api/v1/apps/{}": _APP,
    "GET /api/v1/apps/{}/data/metadata": {
        "tables?": [{"name": str, "no_of_rows?": int}],
        "fields?": [{"name": str, "cardinal?": int, "comment?": str}],
    },
    "GET /api/v1/apps/{}/scripts/{}": {"script": str, "versionMessage?": str},
    "GET /api/v1/groups/settings": _GROUP_SETTINGS,
    "GET /api/v1/licenses/overview": {
        "status": str,
        "trial": bool,
        "valid": str,
        "licenseKey?": str,
        "licenseNumber?": str,
        "allotments?": [{"name": str, "units": int, "unitsUsed": int, "overage?": int}],
    },
    "GET /api/v1/licenses/settings": _LICENCE_SETTINGS,
    "GET /api/v1/oauth-clients/{}/connection-configs/me": {"consentMethod": str},
    "GET /api/v1/users/me": {"id": Id},
    "PATCH /api/v1/users/{}": {
        "errors?": [{"code?": str, "title?": str, "detail?": str}],
        "traceId?": str,
    },
    "POST /api/v1/apps/import": _APP,
    "POST /api/v1/apps/{}/publish": _APP,
    "POST /api/v1/brands/{}/files/{}": _BRAND_FILE,
    "POST /api/scheduling/tasks/resources/{}/actions/reload/on-task-event": {"id": Id},
    "POST /api/scheduling/tasks/resources/{}/actions/reload/on-time-schedule": {"id": Id},
    "PUT /api/v1/brands/{}/files/{}": _BRAND_FILE,
    "POST /api/v1/apps/{}/scripts": None,
    "POST /api/v1/licenses/assignments/actions/delete": {"data": [{"type?": str, "status": int}]},
    "POST /api/v1/oauth-clients/{}/client-secrets": {"clientSecret": str, "hint": Id},
    "POST /api/v1/tenants/{}/actions/deactivate": {"estimatedPurgeDate?": str},
    "POST /api/v1/tenants/{}/actions/reactivate": None,
}
"""The shapes of operations that do not belong to a collection."""

MAY_BE_EMPTY = ("PATCH", "PUT", "DELETE")
"""The methods with responses that may have no body."""


def problem(method: str, path: str, status: int, value: Any) -> str:
    """Return what is wrong with the response of an operation, or an empty string.

    Removes null values of optional names from `value`.
    """
    shape = _shape_of(method, path, status)
    if shape is None or (value is None and (method in MAY_BE_EMPTY or "/actions/" in path)):
        return ""
    return _find_problem(value, shape, "")


def member_problem(path: str, value: Any) -> str:
    """Return what is wrong with an object of the collection at `path`, or an empty string."""
    return _find_problem(value, MEMBERS.get(_template(path), dict), "")


def _shape_of(method: str, path: str, status: int) -> Shape:
    template = _template(path)
    operation = f"{method} {template}"
    if operation in OPERATIONS:
        return OPERATIONS[operation]
    if method == "POST":
        return MEMBERS.get(template, {"id": Id} if status == 201 else None)
    return MEMBERS.get(template.rpartition("/")[0]) if method == "GET" else None


_WORDS = {word for path in (*MEMBERS, *OPERATIONS) for word in path.split("/")}


def _template(path: str) -> str:
    """Return a path with `{}` instead of each id."""
    return "/".join(part if part in _WORDS or not part else "{}" for part in path.split("/"))


def _find_problem(value: Any, shape: Any, at: str) -> str:
    if isinstance(shape, dict) and isinstance(value, dict):
        return next(
            filter(None, (_part_problem(value, name, inner, at) for name, inner in shape.items())), ""
        )
    if isinstance(shape, list) and isinstance(value, list):
        if not value and shape == [Hostname]:
            return _shape_problem(at, shape, "an empty list")
        found = (_find_problem(item, shape[0], f"{at}/{number}") for number, item in enumerate(value))
        return next(filter(None, found), "")
    return "" if _fits(value, shape) else _shape_problem(at, shape, _kind(value))


def _part_problem(value: dict[str, Any], declared: str, shape: Any, at: str) -> str:
    name = declared.removesuffix("?")
    part = value.get(name)
    if name != declared and (part is None or (part == "" and shape is Id)):
        value.pop(name, None)
        return ""
    return (
        _find_problem(part, shape, f"{at}/{name}")
        if name in value
        else _shape_problem(f"{at}/{name}", shape, "nothing")
    )


def _fits(value: Any, shape: Any) -> bool:
    if shape in (Id, Hostname):
        fullmatch = _ID.fullmatch if shape is Id else _HOSTNAME.fullmatch
        return isinstance(value, str) and fullmatch(value) is not None
    if shape is int:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(shape, type) and isinstance(value, shape)


def _shape_problem(at: str, shape: Any, actual: str) -> str:
    """Return the message for a value of another shape, without the value, which may be secret."""
    expected = _KINDS[shape if isinstance(shape, type) else type(shape)]
    place = f" at {at}" if at else ""
    return f"another shape than Qlik's: expected {expected}{place}, got {actual}"


def _kind(value: Any) -> str:
    if isinstance(value, str):
        return "another text"
    return "null" if value is None else _KINDS.get(type(value), "another number")
