"""Qlik's contract as data: the operations, and what they allow.

Only the files in `contract/` describe paths, tiers, parameters and bodies. Routing, request checks and the
tests' response checks all read them from here.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from functools import cache, cached_property
from pathlib import Path
from typing import Any

import jsonschema_rs
import yaml

from tenantry.emulator.errors import Invalid

FOLDER = Path(__file__).parent / "contract"
METHODS = ("get", "post", "put", "patch", "delete")
BINARY = frozenset({"application/octet-stream", "application/offset+octet-stream"})
MULTIPART = "multipart/form-data"
Schema = dict[str, Any]


@dataclass(frozen=True, eq=False)
class Operation:
    """One operation of one API.

    Attributes:
        api: name of the contract file, such as `spaces`.
        id: its operationId.
        method: upper case.
        path: template, such as `/api/v1/spaces/{spaceId}`.
        host: the kind of host that serves it: `tenant`, `register`, `console` or `any`.
        tier: rate tier, `1`, `2` or `special`.
        limit: requests per minute in that tier.
        responses: the contract's own `responses`, with references resolved one level. Empty if the contract
            only names the operation (`x-not-described`).
    """

    api: str
    id: str
    method: str
    path: str
    host: str
    tier: str
    limit: int
    body: Schema | None
    responses: dict[str, Any]
    parameters: list[Schema]
    document: Document = field(repr=False)

    @cached_property
    def pattern(self) -> re.Pattern[str]:
        """The path template as a regular expression with named groups."""
        return re.compile(re.sub(r"\\\{(\w+)\\\}", r"(?P<\1>[^/]+)", re.escape(self.path)))

    @cached_property
    def media_types(self) -> list[str]:
        """Media types of the request body; empty if the operation takes no body."""
        return list(self.body["content"]) if self.body else []

    @property
    def is_upload(self) -> bool:
        """Whether the request body is a file."""
        return any(media_type in BINARY for media_type in self.media_types)

    @property
    def form(self) -> dict[str, str]:
        """Part name -> media types; empty if the body is not a multipart form."""
        encoding = (self.body or {}).get("content", {}).get(MULTIPART, {}).get("encoding", {})
        return {name: part["contentType"] for name, part in encoding.items()}

    @property
    def is_described(self) -> bool:
        """Whether the contract describes the operation, and does not only name it."""
        return bool(self.responses)

    @cached_property
    def _query(self) -> dict[str, Schema]:
        return {p["name"]: p for p in self.parameters if p["in"] == "query"}

    @cached_property
    def _query_validator(self) -> jsonschema_rs.Validator:
        schema = {
            "type": "object",
            "properties": {name: parameter.get("schema", {}) for name, parameter in self._query.items()},
            "required": [name for name, parameter in self._query.items() if parameter.get("required")],
        }
        return self.document.validator(schema)

    @cached_property
    def _body_validator(self) -> jsonschema_rs.Validator:
        content = (self.body or {})["content"]
        return self.document.validator(next(iter(content.values()))["schema"])

    def check_query(self, pairs: Iterable[tuple[str, str]], *, drop_unknown: bool = False) -> dict[str, Any]:
        """Convert the query into typed values.

        Args:
            drop_unknown: ignore parameters that the contract does not name.

        Raises:
            Invalid: a parameter is unknown or repeated, or has a wrong value.
        """
        values: dict[str, Any] = {}
        for name, text in pairs:
            if name not in self._query:
                if drop_unknown:
                    continue
                raise Invalid("unknown query parameter", parameter=name)
            if name in values:
                raise Invalid("query parameter given twice", parameter=name)
            values[name] = _typed(text, self.document.resolve(self._query[name].get("schema", {})))
        error = next(self._query_validator.iter_errors(values), None)
        if error:
            raise Invalid(error.message, parameter=str(next(iter(error.instance_path), "")))
        return values

    def check_body(self, body: Any, *, drop_unknown: bool = False) -> None:
        """Check a JSON (or form) body against the contract.

        Args:
            drop_unknown: remove members that the contract does not name from the body.

        Raises:
            Invalid: a member is missing or unknown, or has the wrong type. The message never repeats a value.
        """
        while error := next(self._body_validator.iter_errors(body), None):
            error = _closest_cause(error)
            unknown = getattr(error.kind, "unexpected", ())
            if not (drop_unknown and unknown):
                pointer = "/" + "/".join(str(step) for step in error.instance_path)
                raise Invalid(error.message, pointer=pointer, missing=getattr(error.kind, "property", ""))
            part = body
            for step in error.instance_path:
                part = part[step]
            for name in unknown:
                del part[name]


class Document:
    """One contract file."""

    def __init__(self, path: Path) -> None:
        self.api = path.stem
        loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
        self.spec: dict[str, Any] = yaml.load(path.read_text("utf-8"), Loader=loader)  # noqa: S506 - safe loaders
        schemas = self.spec.get("components", {}).get("schemas", {})
        bases = set(_bases(schemas))
        self._components = {name: _closed(part, is_base=name in bases) for name, part in schemas.items()}

    def resolve(self, node: Mapping[str, Any]) -> dict[str, Any]:
        """Resolve a `$ref` of this file, and keep the keys beside it."""
        if "$ref" not in node:
            return dict(node)
        target: Any = self.spec
        for step in node["$ref"].removeprefix("#/").split("/"):
            target = target[step]
        return self.resolve(target) | {key: value for key, value in node.items() if key != "$ref"}

    def validator(self, schema: Schema) -> jsonschema_rs.Validator:
        """Return a validator for a schema of this file. It refuses members that the file does not name."""
        root = {**_closed(schema), "components": {"schemas": self._components}}
        return jsonschema_rs.validator_for(root, validate_formats=True, mask="the value")

    def check(self, schema: Schema, value: Any) -> None:
        """Check a value against a schema of this file.

        Raises:
            Invalid: the value does not match.
        """
        if error := next(self.validator(schema).iter_errors(value), None):
            pointer = "/" + "/".join(str(step) for step in error.instance_path)
            raise Invalid(error.message, pointer=pointer)

    def operations(self) -> Iterator[Operation]:
        """Yield every operation of the file."""
        for path, item in self.spec["paths"].items():
            for method in METHODS:
                if method in item:
                    yield self._operation(path, method, item)
        for path, methods in self.spec.get("x-not-described", {}).items():
            for method in methods:
                yield self._not_described(path, method)

    @property
    def _host(self) -> str:
        return {"oauth": "any", "organization": "console"}.get(self.api, "tenant")

    def _not_described(self, path: str, method: str) -> Operation:
        return Operation(
            api=self.api,
            id=f"{method} {path}",
            method=method.upper(),
            path=path,
            host=self._host,
            tier="",
            limit=0,
            body=None,
            responses={},
            parameters=[],
            document=self,
        )

    def _operation(self, path: str, method: str, item: dict[str, Any]) -> Operation:
        spec = item[method]
        tier = spec["x-qlik-tier"]
        body = spec.get("requestBody")
        return Operation(
            api=self.api,
            id=spec["operationId"],
            method=method.upper(),
            path=path,
            host=spec.get("x-host", self._host),
            tier=tier["tier"],
            limit=tier["limit"],
            body=self.resolve(body) if body else None,
            responses={str(status): self.resolve(response) for status, response in spec["responses"].items()},
            parameters=[self.resolve(p) for p in [*item.get("parameters", []), *spec.get("parameters", [])]],
            document=self,
        )


class Contract:
    """All operations, and the routing of a request to its operation."""

    def __init__(self, folder: Path = FOLDER) -> None:
        self.operations = [op for path in sorted(folder.glob("*.yaml")) for op in Document(path).operations()]
        # Fewest parameters first, so that `me` in /users/me is not matched as a user id.
        self.operations.sort(key=lambda op: op.path.count("{"))

    def find(self, method: str, path: str) -> tuple[Operation, dict[str, str]] | None:
        """Return the operation of a request and its path parameters, or None if the contract has none."""
        for operation in self.operations:
            if operation.method == method and (match := operation.pattern.fullmatch(path)):
                return operation, match.groupdict()
        return None


@cache
def contract() -> Contract:
    """Return the contract. It is read once per process."""
    return Contract()


def _typed(text: str, schema: Schema) -> Any:
    """Convert a query value to the type of its schema. A malformed value stays text and fails the schema."""
    kind = schema.get("type")
    if kind == "boolean":
        # Upper or lower case: Qlik's own SDK for Python writes True and False.
        return {"true": True, "false": False}.get(text.lower(), text)
    if kind in ("integer", "number"):
        return int(text) if re.fullmatch(r"-?\d{1,18}", text) else text
    if kind == "array":
        return text.split(",") if text else []
    return text


def _closest_cause(error: jsonschema_rs.ValidationError) -> jsonschema_rs.ValidationError:
    """Return the error that explains the problem. Of several alternatives, use the closest one's error."""
    while alternatives := [list(errors) for errors in getattr(error.kind, "context", None) or [] if errors]:
        error = min(alternatives, key=_distance)[0]
    return error


def _distance(errors: list[jsonschema_rs.ValidationError]) -> tuple[bool, int]:
    """Rank how far a body is from an alternative: by the values that identify it, then by error count."""
    identifies_another = any(error.kind.name in ("enum", "const") for error in errors)
    return identifies_another, sum(len(getattr(error.kind, "unexpected", ".")) for error in errors)


def _bases(node: Any) -> Iterator[str]:
    """Yield the names of the schemas that others extend by `allOf`. These cannot forbid further members."""
    if isinstance(node, dict):
        yield from (part["$ref"].rsplit("/", 1)[1] for part in node.get("allOf", []) if "$ref" in part)
        for value in node.values():
            yield from _bases(value)


def _closed(schema: Any, *, is_base: bool = False) -> Any:
    """Return a copy that forbids further members, without the keys that check nothing."""
    if isinstance(schema, list):
        return [_closed(item) for item in schema]
    if not isinstance(schema, dict):
        return schema
    copy: Schema = {}
    for key, value in schema.items():
        if key in ("properties", "$defs"):
            copy[key] = {name: _closed(part) for name, part in value.items()}
        elif key == "allOf":
            copy[key] = [_closed(part, is_base=True) for part in value]
        elif key in ("enum", "const", "required"):
            copy[key] = value
        elif (
            key not in ("examples", "example", "default", "description", "discriminator") and key[:2] != "x-"
        ):
            copy[key] = _closed(value)
    if not is_base and ("allOf" in schema or "properties" in schema):
        copy.setdefault("unevaluatedProperties" if "allOf" in schema else "additionalProperties", False)
    return copy
