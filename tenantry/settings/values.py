"""The types of values in settings, with their rules and error messages.

Each rule is one function that returns the error or None. The JSON schema gets the part that it can express.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import date
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, BeforeValidator, Field, Strict, WithJsonSchema
from pydantic_core import PydanticCustomError

from tenantry.providers.qlik.hostnames import DOMAIN, REGION
from tenantry.providers.values import (
    automation_schedules,
    data_files,
    days,
    host_sources,
    origins,
    pem,
    schedules,
    urls,
)
from tenantry.providers.values.identity_providers import (
    NAME_ID_FORMATS,
    REALM,
    SCOPE,
    name_id_format_problem,
)
from tenantry.providers.values.limits import (
    CLOCK_TOLERANCE,
    CONCURRENT_RUNS,
    CONNECTION_TAGS,
    CREDENTIALS_VERSION,
    CSP_DESCRIPTION,
    CSP_NAME,
    GRACE_DAYS,
    ID,
    IDP_DESCRIPTION,
    LINK_NAME,
    OAUTH_DESCRIPTION,
    OAUTH_NAME,
    RELOAD_MINUTES,
    RELOAD_VERSION,
    SECRET_VERSION,
    SPACE_NAME,
    SPACE_ROLES,
    TASK_DESCRIPTION,
    TASK_NAME,
    WEBHOOK_DESCRIPTION,
    WEBHOOK_NAME,
    Limits,
)
from tenantry.providers.values.oauth_clients import GRANTS
from tenantry.providers.values.words import counted
from tenantry.settings.scalars import ENGINE_TIME

ProviderType = Literal["idp", "custom"]
SpaceType = Literal["shared", "managed", "data"]
LifecycleKind = Literal["production", "trial"]
UserStatus = Literal["active", "disabled"]
Ring = Literal["pilot", "early", "broad"]

REGIONS = ("ap", "de", "eu", "jp", "sg", "uk", "us")
"""The regions that Qlik documents for tenants. Other regions are valid too, because Qlik opens new ones."""

NAME_LENGTH = SPACE_NAME.field["max_length"]
_FORBIDDEN_IN_SPACE_NAMES = '"*?<>/|\\:'
_LABEL = r"[a-z0-9](?:[a-z0-9-]*[a-z0-9])?"
_VERSION = r"[0-9A-Za-z](?:[0-9A-Za-z.+_-]*[0-9A-Za-z])?"
SECRET_NAME = re.compile(r"[A-Za-z0-9_.-]+")
SECRET = "secret"  # noqa: S105 - a mark
"""Marks a type whose values name secrets of the stack: `SecretName`."""
_DATE = r"\d{4}-\d{2}-\d{2}"


def _rule(what_is_wrong: Callable[[str], str | None]) -> AfterValidator:
    def check(value: str) -> str:
        if problem := what_is_wrong(value):
            # Pass it as context, not as template, because names can contain braces.
            raise PydanticCustomError("settings", "{problem}", {"problem": problem})
        return value

    return AfterValidator(check)


def _text(**schema: Any) -> WithJsonSchema:
    return WithJsonSchema({"type": "string", **schema})


def _lengths(limits: Limits) -> dict[str, Any]:
    names = {"min_length": "minLength", "max_length": "maxLength"}
    return {names[name]: bound for name, bound in limits.field.items()}


def _name(value: str) -> str | None:
    if not value.strip():
        return "a name cannot be empty"
    if len(value) > NAME_LENGTH:
        return f'"{value[:20]}…" has {len(value)} characters; a name has at most {NAME_LENGTH}'
    return None


def _space_name(value: str) -> str | None:
    bad = [character for character in _FORBIDDEN_IN_SPACE_NAMES if character in value]
    if bad:
        listed = " ".join(_FORBIDDEN_IN_SPACE_NAMES)
        return f'"{value}" contains {" ".join(bad)}; the name of a space cannot contain any of {listed}'
    return _name(value)


def _alias(value: str) -> str | None:
    if "." in value:
        return (
            f'"{value}" contains a dot; write "{value.split(".")[0]}": Tenantry adds the domain of the region'
        )
    if not 3 <= len(value) <= 63:
        return f'"{value}" has {counted(len(value), "character")}; an alias has 3 to 63'
    if not re.fullmatch(_LABEL, value):
        return f'"{value}" is not an alias; allowed: a-z, 0-9 and hyphens, no hyphen at either end'
    return None


def _region(value: str) -> str | None:
    if re.fullmatch(REGION, value):
        return None
    return f'"{value}" is not a region of Qlik Cloud; known: {", ".join(REGIONS)}'


def _hostname(value: str) -> str | None:
    if re.fullmatch(rf"{_LABEL}\.{REGION}\.{DOMAIN}", value):
        return None
    bare = re.sub(r"^\w+://|[/:?#].*$", "", value.strip().lower())
    advice = (
        f"write {bare}"
        if bare != value and bare.endswith(".qlikcloud.com")
        else "write <tenant>.<region>.qlikcloud.com"
    )
    return f'"{value}" is not a tenant hostname; {advice}'


def _email(value: str) -> str | None:
    if re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        return None
    return f'"{value}" is not an e-mail address; write it as ada@example.com'


def _version(value: str) -> str | None:
    if moment := ENGINE_TIME.fullmatch(value):
        return f'YAML reads this version as a date; put it in quotes: version: "{moment["day"]}"'
    if re.match(r"[vV]\d", value) or value.startswith("{"):
        return f'"{value}" is the mark; write only the version: "{value.strip("{}").lstrip("vV")}"'
    if not re.fullmatch(_VERSION, value):
        return f'"{value}" is not a version; allowed: letters, digits and . + _ - between them, as in "2.3.0"'
    return None


def _at_most(limits: Limits) -> Callable[[str], str | None]:
    def problem(value: str) -> str | None:
        too_long = len(value) > limits.field["max_length"]
        return f"has {len(value)} characters; allowed: {limits.hint}" if too_long else None

    return problem


def _csp_name(value: str) -> str | None:
    return _at_most(CSP_NAME)(value) if value.strip() else "a name cannot be empty"


def _task_name(value: str) -> str | None:
    return _at_most(TASK_NAME)(value) if value.strip() else "a name cannot be empty"


def _moment(value: str) -> str | None:
    if ENGINE_TIME.fullmatch(value):
        return f'YAML reads {show(value)} as a date; put it in quotes, as "2026-12-31T06:00"'
    return schedules.moment_problem(value)


def _link_name(value: str) -> str | None:
    return _at_most(LINK_NAME)(value) if value.strip() else "a name cannot be empty"


def _data_file_name(value: str) -> str | None:
    fits = re.fullmatch(data_files.NAME.field["pattern"], value)
    if not fits:
        return f"{show(value)} is not a name of a data file; allowed: {data_files.NAME.hint}"
    return _at_most(data_files.NAME)(value)


def _oauth_name(value: str) -> str | None:
    return _at_most(OAUTH_NAME)(value) if value.strip() else "a name cannot be empty"


def _realm(value: str) -> str | None:
    if re.fullmatch(REALM.field["pattern"], value):
        return _at_most(REALM)(value)
    return f"{show(value)} is not a realm: {REALM.hint}"


def _grant(value: str) -> str | None:
    return None if value in GRANTS else f"{show(value)} is not a grant type; allowed: {', '.join(GRANTS)}"


def _webhook_name(value: str) -> str | None:
    return _at_most(WEBHOOK_NAME)(value) if value.strip() else "a name cannot be empty"


def _id(value: str) -> str | None:
    fits = re.fullmatch(ID.field["pattern"], value)
    return None if fits else f"{show(value)} is not a Qlik id; allowed: {ID.hint}"


def _secret_name(value: str) -> str | None:
    if SECRET_NAME.fullmatch(value):
        return None
    return "this is not the name of a secret (letters, digits and . _ -); never write the secret itself here"


def _day(value: Any) -> Any:
    """Read a date as written in quotes, or as the engine rewrites an unquoted one."""
    if isinstance(value, date):
        return value
    text = value if isinstance(value, str) else ""
    if moment := ENGINE_TIME.fullmatch(text):
        text = moment["day"] if " 00:00:00 +0000 UTC" in text else ""
    try:
        return date.fromisoformat(text if re.fullmatch(_DATE, text) else "")
    except ValueError:
        raise PydanticCustomError(
            "settings", "{problem}", {"problem": f'{show(value)} is not a date; write it as "2026-12-31"'}
        ) from None


def _time(value: Any) -> Any:
    """Read a time as written in quotes, or as the engine rewrites an unquoted one."""
    return value[:19] if isinstance(value, str) and ENGINE_TIME.fullmatch(value) else value


def _whole(value: Any) -> Any:
    """Return 30 for 30.0: JSON can turn integers into floats."""
    return int(value) if isinstance(value, float) and value.is_integer() else value


def show(value: object) -> str:
    """Return a value for a message: short, on one line, and only the type of a map or list."""
    if value is None:
        return "nothing"
    if isinstance(value, bool):
        return str(value).lower()
    if isinstance(value, (dict, list)):
        return "a mapping" if isinstance(value, dict) else "a list"
    text = " ".join(str(value).split())
    text = text if len(text) <= 60 else f"{text[:60]}…"
    return f'"{text}"' if isinstance(value, str) else text


Switch = Annotated[bool, Strict()]
Text = Annotated[str, Field(min_length=1)]
FormerKeys = Text | Annotated[list[Text], Field(min_length=1)]
Name = Annotated[str, _rule(_name), _text(minLength=1, maxLength=NAME_LENGTH)]
SpaceName = Annotated[
    str, _rule(_space_name), _text(minLength=1, maxLength=NAME_LENGTH, pattern=SPACE_NAME.field["pattern"])
]
Alias = Annotated[str, _rule(_alias), _text(minLength=3, maxLength=63, pattern=f"^{_LABEL}$")]
Region = Annotated[
    str,
    _rule(_region),
    WithJsonSchema({"anyOf": [{"enum": [*REGIONS]}, {"type": "string", "pattern": f"^{REGION}$"}]}),
]
Id = Annotated[str, _rule(_id), _text(**ID.field)]
Hostname = Annotated[str, _rule(_hostname), _text(pattern=rf"^{_LABEL}\.{REGION}\.{DOMAIN}$")]
Email = Annotated[str, _rule(_email), _text(format="email")]
Version = Annotated[str, _rule(_version), _text(pattern=f"^{_VERSION}$")]
# Editors see the file, where an unquoted date is a date: both forms are text to a schema.
Day = Annotated[date, BeforeValidator(_day), _text(pattern=f"^{_DATE}$")]
TimeZone = Annotated[str, _rule(days.zone_problem), _text(minLength=3)]
GraceDays = Annotated[int, Field(**GRACE_DAYS.field), BeforeValidator(_whole)]
SpaceRoles = Annotated[
    list[Text],
    Field(min_length=1),
    WithJsonSchema({"type": "array", "minItems": 1, "items": {"enum": list(SPACE_ROLES)}}),
]
Origin = Annotated[str, _rule(origins.problem), _text(pattern=origins.PATTERN)]
Pem = Annotated[str, _rule(pem.problem), _text(pattern="-----BEGIN (PUBLIC KEY|CERTIFICATE)-----")]
IdpDescription = Annotated[str, _rule(_at_most(IDP_DESCRIPTION)), _text(**_lengths(IDP_DESCRIPTION))]
CredentialsVersion = Annotated[int, Field(**CREDENTIALS_VERSION.field), BeforeValidator(_whole)]
ReloadMinutes = Annotated[int, Field(**RELOAD_MINUTES.field), BeforeValidator(_whole)]
ReloadVersion = Annotated[int, Field(**RELOAD_VERSION.field), BeforeValidator(_whole)]
SecretName = Annotated[str, SECRET, _rule(_secret_name), _text(pattern=f"^{SECRET_NAME.pattern}$")]
Count = Annotated[int, Field(ge=0, le=1_000_000_000_000), BeforeValidator(_whole)]
Hours = Annotated[int, Field(ge=1, le=8760), BeforeValidator(_whole)]
Tags = Annotated[list[Text], Field(**CONNECTION_TAGS.field)]
OAuthName = Annotated[str, _rule(_oauth_name), _text(**_lengths(OAUTH_NAME))]
OAuthDescription = Annotated[str, _rule(_at_most(OAUTH_DESCRIPTION)), _text(**_lengths(OAUTH_DESCRIPTION))]
GrantType = Annotated[str, _rule(_grant), WithJsonSchema({"enum": list(GRANTS)})]
SecretVersion = Annotated[int, Field(**SECRET_VERSION.field), BeforeValidator(_whole)]
CspName = Annotated[str, _rule(_csp_name), _text(**_lengths(CSP_NAME))]
CspDescription = Annotated[str, _rule(_at_most(CSP_DESCRIPTION)), _text(**_lengths(CSP_DESCRIPTION))]
ScheduleTime = Annotated[
    str,
    BeforeValidator(_time),
    _rule(automation_schedules.time_problem),
    _text(pattern=automation_schedules.TIME_PATTERN),
]
Interval = Annotated[
    int,
    BeforeValidator(_whole),
    _rule(automation_schedules.interval_problem),
    WithJsonSchema(
        {"type": "integer", "minimum": automation_schedules.MINUTE, "multipleOf": automation_schedules.MINUTE}
    ),
]
ConcurrentRuns = Annotated[int, Field(**CONCURRENT_RUNS.field), BeforeValidator(_whole)]
LinkName = Annotated[str, _rule(_link_name), _text(**_lengths(LINK_NAME))]
DataFileName = Annotated[
    str,
    _rule(_data_file_name),
    _text(maxLength=data_files.NAME.field["max_length"], pattern=data_files.NAME.field["pattern"]),
]
HttpsUrl = Annotated[str, _rule(urls.problem), _text(pattern=urls.PATTERN)]
WebhookName = Annotated[str, _rule(_webhook_name), _text(**_lengths(WEBHOOK_NAME))]
WebhookDescription = Annotated[
    str, _rule(_at_most(WEBHOOK_DESCRIPTION)), _text(**_lengths(WEBHOOK_DESCRIPTION))
]
HostSource = Annotated[str, _rule(host_sources.problem), _text(pattern=host_sources.PATTERN)]
TaskName = Annotated[str, _rule(_task_name), _text(**_lengths(TASK_NAME))]
TaskDescription = Annotated[str, _rule(_at_most(TASK_DESCRIPTION)), _text(**_lengths(TASK_DESCRIPTION))]
Recurrence = Annotated[str, Field(min_length=1), _rule(schedules.recurrence_problem)]
Moment = Annotated[str, Field(min_length=1), _rule(_moment)]
Realm = Annotated[str, _rule(_realm), _text(maxLength=254, pattern=REALM.field["pattern"])]
Scope = Annotated[str, _rule(_at_most(SCOPE)), _text(**_lengths(SCOPE))]
NameIdFormat = Annotated[str, _rule(name_id_format_problem), WithJsonSchema({"enum": list(NAME_ID_FORMATS)})]
ClockTolerance = Annotated[int, Field(**CLOCK_TOLERANCE.field), BeforeValidator(_whole)]
