"""The next step for an error that Qlik returned.

Qlik's error code decides first, then the operation (`BY_OPERATION`), then the HTTP status.
"""

from __future__ import annotations

import json
from collections.abc import Set as AbstractSet
from fnmatch import fnmatchcase

from tenantry.providers.qlik.hostnames import region
from tenantry.providers.qlik.messages import Part, Request
from tenantry.providers.qlik.settings import DEADLINE

DISABLED = frozenset({"TENANT_DISABLED", "TENANT_DEACTIVATED"})

BY_CODE = {
    "CHO-003": "The app does not exist, or the client's bot user may not reload it. Check its roles.",
    "CHO-013": "Qlik could not store the task and created nothing. Run it again.",
    "CHO-014": "An app can have at most 10 tasks. Remove one of them.",
    "CHO-015": "The client's bot user may not read the app of the preceding task.",
    "CHO-016": "The preceding task does not exist. A refresh shows what happened to it.",
    "CHO-017": "Check the recurrence and the time zone. A schedule must end after it starts, in the future.",
    "CHO-018": "The client's bot user has as many tasks as Qlik allows one user. Remove some.",
    "CHO-024": "Qlik's scheduler is down, and nothing was created. Run it again later.",
    "DF-009": "The space of the data file does not exist. A refresh shows what happened to it.",
    "DF-010": "Qlik does not accept data files with this extension. Rename the file.",
    "DF-011": "The name of a data file must have an extension, such as rates.csv.",
    "DF-013": "Give the client's bot user a role that may edit in the space of the data file.",
    "DF-014": "The space of the data file does not exist. A refresh shows what happened to it.",
    "DF-021": "A user or a reload is using the data file. Run it again.",
    "DF-025": "A user or a reload is using the data file. Run it again.",
    "RELOADS-003": "The client's bot user must own the app, or have a role that may edit in its space.",
    "RELOADS-013": "The tenant has used up its reloads for now. Wait, or ask Qlik for a higher quota.",
    "TENANTS-21": "Qlik received no licence key. Check that the licence on the source tenant is valid.",
    "TENANTS-22": "The licence allows no more tenants. Take down ended trials, or ask Qlik for more.",
    "TENANTS-23": "Qlik refuses the licence key. Check the licence on the source tenant (status, dates).",
}

_ADMIN = "This requires the role TenantAdmin. Check that the client's bot user has it on this host."
_DELETED = (
    "If somebody deleted it at Qlik, `pulumi up --refresh` detects that and creates it again. If a proxy"
    " answered instead of Qlik, run it again."
)

BY_OPERATION: dict[int, tuple[tuple[str, str], ...]] = {
    400: (
        (
            "P[OU]* */brands*",
            "Qlik accepts a logo as PNG or JPEG of at most 300 KB, and a favicon as ICO of at most 100 KB."
            " Save the image in that format, or make it smaller.",
        ),
        (
            "P[OU]* */csp-origins*",
            "Qlik accepts 256 origins per tenant and a header of 6,144 characters, which repeats each origin"
            " for each of its directives. Remove origins and directives that nobody needs.",
        ),
        (
            "POST */pinned-links",
            "Qlik accepts 50 pinned links per tenant, names of 50 characters, and addresses with https.",
        ),
        (
            "P* */oauth-clients*",
            "Qlik accepts five redirect URIs and five origins per client, and 200 clients per tenant. Check"
            " that its scopes are in Qlik's list.",
        ),
        ("* *", ""),
    ),
    403: (
        (
            "POST */core/webhooks",
            "Qlik accepts 150 webhooks per user and tenant, and only a TenantAdmin may create tenant-level"
            " webhooks. Remove webhooks that nobody needs, and check that the client's bot user has that"
            " role.",
        ),
        (
            "POST */tenants",
            "Qlik does not let this client create a tenant. Check that the licence allows one more"
            " (TENANTS-22) and is valid (TENANTS-23), and that the region's OAuth client has the scope"
            " tenants:create.",
        ),
        (
            "POST */tenants/*/actions/*",
            "Check that the region's OAuth client has the scopes tenants:deactivate and tenants:reactivate,"
            " and that the tenant belongs to its organisation.",
        ),
        (
            "GET */core/tenants",
            "Check that the organisation's OAuth client has the scope cloud-console.tenants:read.",
        ),
        (
            "POST */apps/*/export",
            "The client's bot user may not export this template. Give it a role that may edit, such as"
            " `producer`, in the template's space.",
        ),
        (
            "P* */apps/*/publish",
            'The client\'s bot user must own the app, or have "Can publish" (`publisher`) in the managed'
            " space and a role that may edit in the space of the app.",
        ),
        (
            "POST */apps/import",
            "Give the client's bot user a role that may edit, such as `producer`, in the app's target space."
            " TenantAdmin is not enough.",
        ),
        (
            "* */apps/*",
            "Give the client's bot user a role in the app's space. TenantAdmin is not enough. A published app"
            " cannot be moved.",
        ),
        (
            "P* */brands*",
            "Check that the client's bot user has the role TenantAdmin on this host, and that your contract"
            " with Qlik allows custom brands. Qlik may limit them to OEM customers.",
        ),
        (
            "GET */licenses/*",
            "Check that the OAuth client has the scope admin_classic on this host, and that its bot user has"
            " the role TenantAdmin.",
        ),
        (
            "POST */workflows/automations",
            "The client's bot user needs the role AutomationCreator, or its OAuth client the scope"
            " admin.automations.",
        ),
        (
            "* */workflows/automations/*",
            "Only the owner can read and change an automation. If somebody else owns it now, make the"
            " client's bot user its owner again, or remove it from the stack file and the state.",
        ),
        (
            "* */data-files*",
            "Give the client's bot user a role that may edit in the space of the data file.",
        ),
        (
            "* */spaces/*",
            "The client's bot user must own the space, have the role `facilitator` in it, or have"
            " TenantAdmin in the tenant.",
        ),
        ("* *", _ADMIN),
    ),
    404: (
        (
            "POST */tenants/*/actions/*",
            "This tenant does not exist in this region: it was purged, or it belongs to another organisation"
            " than the OAuth client. `tenantry forget` removes it from the state.",
        ),
        (
            "* */tenants/*",
            "No tenant with this id exists on this host: it was purged, or somebody deleted it. Run `pulumi"
            " up --refresh` to find out, and `tenantry forget` to remove it from the state.",
        ),
        (
            "POST */apps/*/export",
            "The template is gone, or the client's bot user may no longer see it. Look for it in its space"
            " on this host, then run it again.",
        ),
        (
            "GET */temp-contents/*",
            "Qlik keeps an exported app for an hour. Run it again to repeat the export.",
        ),
        ("POST */apps/import", f"The app's target space does not exist. {_DELETED}"),
        ("P* */apps/*/publish", f"The app, or the space or copy to publish to, does not exist. {_DELETED}"),
        ("* */spaces/*/assignments*", f"The space, or the assignment in it, does not exist. {_DELETED}"),
        ("P[AU]T* *", _DELETED),
        ("* *", "It does not exist, this client may not see it, or a proxy answered instead of Qlik."),
    ),
    409: (
        (
            "POST */oauth-clients/*/client-secrets",
            "A client can have at most five secrets. Delete unused ones in Qlik's administration.",
        ),
        (
            "POST */spaces/*/assignments",
            "The assignee already has an assignment in this space, and can have only one. Set `adopt: true`"
            " to manage it.",
        ),
        (
            "POST */users",
            "Another user has this subject or e-mail address, and both must be unique. Change one of the two"
            " users.",
        ),
        (
            "DELETE */groups/*",
            "Qlik deletes a custom group only if it is empty. Remove its users, then run it again.",
        ),
        (
            "POST *",
            "The name is taken, perhaps by an object that this client may not see. Set `adopt: true` to"
            " manage that object, or choose another name.",
        ),
        (
            "PUT */workflows/automations/*",
            "A user or a run used the automation at the same time. Run it again.",
        ),
        ("PATCH */tenants/*", "Another tenant has this alias. Choose another one."),
        ("P[AU]T* *", "Another object has this value, which must be unique. Choose another one."),
        ("* *", "It conflicts with something at Qlik, or changed at the same time. Run it again."),
    ),
    413: (
        (
            "POST */apps/import",
            "Import the template without its data (`data: false`) or make it smaller. Only Qlik can raise the"
            " app size that the licence allows.",
        ),
        (
            "P* */data-files*",
            "Qlik limits the size of one file (`GET /api/v1/data-files/quotas`), and a proxy may allow even"
            " less. Make the file smaller.",
        ),
        ("* *", "Qlik or a proxy allows less. Shorten the lists and texts of this entry."),
    ),
    423: (
        ("* */data-files*", "A user or a reload is using the data file. Run it again."),
        ("* *", ""),
    ),
}
"""The next step by status and operation (a pattern of method and path).

The first pattern that matches counts. Status 410 is treated as 404.
"""


def advice(request: Request, status: int, codes: AbstractSet[str]) -> str:
    """Return the next step for an error, or an empty string."""
    if codes & DISABLED:
        return (
            "The tenant is deactivated. It still exists, and the credentials are correct."
            f" Reactivate it on register.{region(request.host)}.qlikcloud.com before it is purged,"
            " or take it down permanently."
        )
    for code in sorted(codes & BY_CODE.keys()):
        return BY_CODE[code]
    if request.login_headers is not None and status in (400, 401):
        return _login_advice(request)
    if request.client_source and status in (404, 410):
        return (
            f"No tenant answers at {request.host}: it was purged, or a proxy or ingress answered instead of"
            " Qlik. The credentials are correct."
        )
    if request.client_source and status == 403:
        return "The OAuth client's bot user is disabled on this host, or it has too many tokens."
    if request.client_source and 400 <= status < 500 and status != 429:
        return _client_advice(request)
    if status == 429:
        return (
            f"Qlik limits requests per user and tenant. Run fewer at once, or allow more time ({DEADLINE})."
        )
    if status == 401:
        return "A new token is refused too. Check that the OAuth client and its bot user still exist here."
    if status == 410:
        status = 404
    if status in BY_OPERATION and request.login_headers is None:
        return _operation_advice(request, status)
    if status >= 500:
        return (
            "The failure is at Qlik, not in this program. Try again later. Qlik's support can look up the"
            " traceId."
        )
    return ""


def _operation_advice(request: Request, status: int) -> str:
    operation = f"{request.method} {request.plain_path}"
    next_step = next(text for pattern, text in BY_OPERATION[status] if fnmatchcase(operation, pattern))
    return f"Sent: {_describe_body(request)}. {next_step}" if status == 413 else next_step


def _describe_body(request: Request) -> str:
    """Describe the body of a request, with its size."""
    if request.form is not None:
        return f"a form of {_size(sum(map(_length, request.form.values())))}"
    if request.file is None:
        return f"JSON of {_size(len(json.dumps(request.body)))}"
    try:
        return f"the file {request.file.name}, {_size(request.file.stat().st_size)}"
    except OSError:
        return f"the file {request.file.name}"


def _length(part: Part) -> int:
    try:
        return part.file.stat().st_size if part.file else len(part.content)
    except OSError:
        return 0


def _size(length: int) -> str:
    return f"{length / 1e6:.1f} MB" if length >= 1e6 else f"{length / 1e3:.1f} kB"


def _login_advice(request: Request) -> str:
    if request.method == "POST":
        return (
            "Check that the tenant has a JWT identity provider with the token's issuer, key id and public"
            " key, and that this machine's clock is right."
        )
    return "The session has ended, or its user is gone. Log in again with a new token."


def _client_advice(request: Request) -> str:
    name = region(request.host)
    if not name:
        return f"Check {request.client_source}: this host accepts only the organisation's OAuth client."
    upper = name.upper().replace("-", "_")
    return (
        f"Check {request.client_source}. A region's OAuth client works in its own region only. To set a"
        f" separate one for {name}, use QLIK_CLIENT_ID_{upper} and QLIK_CLIENT_SECRET_{upper}."
    )
