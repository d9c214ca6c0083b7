"""What to do next, for the errors of Qlik that have an answer to that.

A code of Qlik decides first, then what was asked of which kind of thing (`BY_OPERATION`), then the status.
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
    "CHO-003": "There is no such app, or the client's bot user may not reload it: see its roles there.",
    "CHO-013": "Qlik could not store the task, and made nothing: run it again.",
    "CHO-014": "An app takes 10 tasks at most: remove one of them.",
    "CHO-015": "The client's bot user may not read the app of the task after which this one is to run.",
    "CHO-016": "The task after which this one is to run is not there: a refresh shows what became of it.",
    "CHO-017": "See the recurrence and the time zone; a schedule ends after its start, and in the future.",
    "CHO-018": "The client's bot user has as many tasks as Qlik allows one user: remove some.",
    "CHO-024": "Qlik's scheduler is down, and nothing was made: run it again later.",
    "DF-009": "The space of the data file is not there: a refresh shows what became of it.",
    "DF-010": "Qlik does not take data files with this extension: give the file another name.",
    "DF-011": "Qlik takes a data file only with an extension in its name, such as rates.csv.",
    "DF-013": "Give the client's bot user a role that may edit in the space of the data file.",
    "DF-014": "The space of the data file is not there: a refresh shows what became of it.",
    "DF-021": "Somebody, or a reload, uses the data file at this moment: run it again.",
    "DF-025": "Somebody, or a reload, uses the data file at this moment: run it again.",
    "RELOADS-003": "See that the client's bot user may reload the app: it owns it, or may edit in its space.",
    "RELOADS-013": "The tenant has used up its reloads for now: wait, or ask Qlik for a higher quota.",
    "TENANTS-21": "Qlik got no licence key: read it from the source tenant, and see that it is valid there.",
    "TENANTS-22": "The licence has no tenant left: take down trials that have ended, or ask Qlik for more.",
    "TENANTS-23": "Qlik refuses the licence key: look at the licence on the source tenant (status, dates).",
}

_ADMIN = "This takes the role TenantAdmin: see that the client's bot user has it on this host."
_DELETED = (
    "If somebody deleted it at Qlik, `pulumi up --refresh` finds that out and makes it anew. If something on"
    " the way (a proxy) answered in Qlik's place, run it again."
)

BY_OPERATION: dict[int, tuple[tuple[str, str], ...]] = {
    400: (
        (
            "P[OU]* */brands*",
            "Qlik takes a logo as PNG or JPEG of 300 KB at most, and a favicon as ICO of 100 KB at most: save"
            " the image in that format, or make it smaller.",
        ),
        (
            "P[OU]* */csp-origins*",
            "Qlik takes 256 origins per tenant and a header of 6,144 characters, in which each origin stands"
            " once for each directive: take out origins and directives that nobody needs.",
        ),
        (
            "POST */pinned-links",
            "Qlik takes 50 pinned links per tenant, names of 50 characters, and addresses with https.",
        ),
        (
            "P* */oauth-clients*",
            "Qlik takes five redirect URIs and five origins for a client, and 200 clients for a tenant. See"
            " that its scopes are those of Qlik's list.",
        ),
        ("* *", ""),
    ),
    403: (
        (
            "POST */core/webhooks",
            "Qlik takes 150 webhooks per user and tenant, and those of the tenant from a TenantAdmin alone:"
            " remove webhooks that nobody needs, and see that the client's bot user has that role.",
        ),
        (
            "POST */tenants",
            "Qlik lets this client make no tenant. See whether the licence allows one more (TENANTS-22) and"
            " is valid (TENANTS-23), and whether the region's OAuth client has the scope tenants:create.",
        ),
        (
            "POST */tenants/*/actions/*",
            "See whether the region's OAuth client has the scopes tenants:deactivate and tenants:reactivate,"
            " and whether the tenant is one of its organisation.",
        ),
        (
            "GET */core/tenants",
            "See whether the organisation's OAuth client has the scope cloud-console.tenants:read.",
        ),
        (
            "POST */apps/*/export",
            "The client's bot user may not export this template: give it a role that may edit, such as"
            " `producer`, in the template's space.",
        ),
        (
            "P* */apps/*/publish",
            'The client\'s bot user has to own the app, or to have "Can publish" (`publisher`) in the managed'
            " space and a role that may edit in the space of the app.",
        ),
        (
            "POST */apps/import",
            "Give the client's bot user a role that may edit, such as `producer`, in the space that the app"
            " goes to: TenantAdmin is not enough.",
        ),
        (
            "* */apps/*",
            "Give the client's bot user a role in the app's space: TenantAdmin is not enough. An app that is"
            " published may not be moved.",
        ),
        (
            "P* */brands*",
            "See that the client's bot user has the role TenantAdmin on this host, and that the contract with"
            " Qlik allows brands of one's own: Qlik may limit them to OEM customers.",
        ),
        (
            "GET */licenses/*",
            "See whether the OAuth client has the scope admin_classic on this host, and its bot user the role"
            " TenantAdmin.",
        ),
        (
            "POST */workflows/automations",
            "See that the client's bot user has the role AutomationCreator, or its OAuth client the scope"
            " admin.automations.",
        ),
        (
            "* */workflows/automations/*",
            "Qlik lets only the owner read and change an automation. If somebody else owns it now, make the"
            " client's bot user its owner again, or take it out of the stack file and the state.",
        ),
        (
            "* */data-files*",
            "Give the client's bot user a role that may edit in the space of the data file.",
        ),
        (
            "* */spaces/*",
            "See that the client's bot user owns the space, or has the role `facilitator` in it, or"
            " TenantAdmin in the tenant.",
        ),
        ("* *", _ADMIN),
    ),
    404: (
        (
            "POST */tenants/*/actions/*",
            "Qlik knows no such tenant in this region: it was purged, or it is not one of the OAuth client's"
            " organisation. `tenantry forget` takes it out of the state.",
        ),
        (
            "* */tenants/*",
            "Qlik knows no tenant of that id on this host: it was purged, or somebody deleted it. `pulumi up"
            " --refresh` tells; `tenantry forget` takes it out of the state.",
        ),
        (
            "POST */apps/*/export",
            "The template is gone, or the client's bot user may not see it any more: look for it in its space"
            " on this host, then run it again.",
        ),
        ("GET */temp-contents/*", "Qlik keeps an exported app for an hour. Run it again to export it anew."),
        ("POST */apps/import", f"The space that the app goes to is not there. {_DELETED}"),
        ("P* */apps/*/publish", f"The app, or the space or copy to publish to, is not there. {_DELETED}"),
        ("* */spaces/*/assignments*", f"The space, or the assignment in it, is not there. {_DELETED}"),
        ("P[AU]T* *", _DELETED),
        ("* *", "It is absent or not visible to this client, or something on the way (a proxy) said so."),
    ),
    409: (
        (
            "POST */oauth-clients/*/client-secrets",
            "A client has five secrets at most: delete those that nobody uses, in Qlik's administration.",
        ),
        (
            "POST */spaces/*/assignments",
            "The assignee has roles in this space already, and there is one assignment for each: set `adopt:"
            " true` for it to manage that one.",
        ),
        (
            "POST */users",
            "Another user has that subject or e-mail address, and both are unique: give one of the two"
            " another.",
        ),
        (
            "DELETE */groups/*",
            "Qlik deletes a custom group only while nobody is in it: take its users out, then run it again.",
        ),
        (
            "POST *",
            "The name is taken, perhaps by something that this client may not see. Set `adopt: true` to"
            " manage what has it, or choose another name.",
        ),
        (
            "PUT */workflows/automations/*",
            "Somebody, or a run, used the automation at the same moment: run it again.",
        ),
        ("PATCH */tenants/*", "Another tenant has that alias: choose another one."),
        ("P[AU]T* *", "Something else has that value, which is unique: choose another one."),
        ("* *", "Something at Qlik stands against it, or changed at the same moment. Run it again."),
    ),
    413: (
        (
            "POST */apps/import",
            "Import the template without its data (`data: false`) or make it smaller; the size of apps that"
            " the licence allows is Qlik's to raise.",
        ),
        (
            "P* */data-files*",
            "Qlik limits the size of one file (`GET /api/v1/data-files/quotas`), and a proxy on the way may"
            " take less: make the file smaller.",
        ),
        ("* *", "Qlik, or a proxy on the way, takes less: shorten the lists and texts of this entry."),
    ),
    423: (
        ("* */data-files*", "Somebody, or a reload, uses the data file at this moment: run it again."),
        ("* *", ""),
    ),
}
"""By status: operations, as patterns of method and path, and the next step. The first that fits counts. A
status of 410 is looked up as 404.
"""


def advice(request: Request, status: int, codes: AbstractSet[str]) -> str:
    """Return the next step for an error, empty if there is none that holds in general."""
    if codes & DISABLED:
        return (
            "The tenant is deactivated; it is not gone, and the credentials are not at fault."
            f" Reactivate it on register.{region(request.host)}.qlikcloud.com before it is purged,"
            " or take it down for good."
        )
    for code in sorted(codes & BY_CODE.keys()):
        return BY_CODE[code]
    if request.proof is not None and status in (400, 401):
        return _not_let_in(request)
    if request.credentials and status in (404, 410):
        return (
            f"No tenant answers at {request.host}: it was purged, or something on the way answered in Qlik's"
            " place (a proxy, an ingress). The credentials are not at fault."
        )
    if request.credentials and status == 403:
        return "The OAuth client's bot user is disabled on this host, or it holds too many tokens."
    if request.credentials and 400 <= status < 500 and status != 429:
        return _wrong_client(request)
    if status == 429:
        return f"Qlik limits requests per user and tenant: run less at once, or allow more time ({DEADLINE})."
    if status == 401:
        return "A new token is refused too: see whether the OAuth client and its bot user still exist here."
    if status == 410:
        status = 404
    if status in BY_OPERATION and request.proof is None:
        return _of_operation(request, status)
    if status >= 500:
        return (
            "Qlik failed, not this program: try again later; with the traceId Qlik's support can look it up."
        )
    return ""


def _of_operation(request: Request, status: int) -> str:
    operation = f"{request.method} {request.plain_path}"
    step = next(text for pattern, text in BY_OPERATION[status] if fnmatchcase(operation, pattern))
    return f"Sent: {_sent(request)}. {step}" if status == 413 else step


def _sent(request: Request) -> str:
    """Return what the body of a request was, and how large."""
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


def _not_let_in(request: Request) -> str:
    if request.method == "POST":
        return (
            "See whether the tenant has a JWT identity provider with the token's issuer and key id and its"
            " signer's public key, and whether this machine's clock is right."
        )
    return "The session has ended, or its user is gone: log in again with a new token."


def _wrong_client(request: Request) -> str:
    where = region(request.host)
    if not where:
        return f"Look at {request.credentials}: this host takes the organisation's OAuth client only."
    upper = where.upper().replace("-", "_")
    return (
        f"Look at {request.credentials}. A region's OAuth client works in its own region only:"
        f" for {where} it can be set apart as QLIK_CLIENT_ID_{upper} and QLIK_CLIENT_SECRET_{upper}."
    )
