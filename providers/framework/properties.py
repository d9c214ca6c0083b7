"""Properties of a resource type. Each is declared once, in the class body of the type.

This declaration defines the typed constructor and outputs of the class, the checks of inputs, the effect of a
change, the name in Qlik's JSON, and the reference page. pydantic checks the values. Its import is slow, so it
is imported only if a new value is not certainly valid.
"""

from __future__ import annotations

import enum
import re
import sys
from collections.abc import Callable, Iterable, Mapping, Sequence
from functools import cache, cached_property
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any, Generic, Literal, TypeVar, get_args, get_origin, get_type_hints

from tenantry.providers.values.limits import Limits
from tenantry.providers.values.words import closest

if TYPE_CHECKING:
    import pulumi

T = TypeVar("T")

NONE = Limits()

OUT_OF_LIMITS = ("string_pattern", "string_too", "too_", "greater_", "less_")
"""The beginnings of pydantic's error types for a value outside its limits."""

INSTEAD = "make a new stack instead"
"""The default advice for a property that cannot change."""

REQUIRED: Any = object()
"""Marks a property without a default: it must be set."""


class Change(enum.Enum):
    """The effect of a changed property on the existing object."""

    IN_PLACE = "in place"
    UNSEEN = "in place, never read back"
    REPLACES = "replaces"
    REFUSED = "refused"
    AT_CREATION = "at creation"
    NO_REQUEST = "no request"
    NOT_KEPT = "not kept"


class Property(Generic[T]):
    """A property, declared by `prop`, `reference` or `output`. A program reads it as an output."""

    def __init__(
        self,
        doc: str,
        *,
        default: Any = REQUIRED,
        change: Change = Change.IN_PLACE,
        reference: str = "",
        follows: bool = False,
        computed: bool = False,
        choices: Sequence[str] = (),
        limits: Limits = NONE,
        form: Callable[[str], str] | None = None,
        sensitive: bool = False,
        instead: str = INSTEAD,
    ) -> None:
        self.doc = doc
        self.default = default
        self.change = change
        self.reference = reference
        self.follows = follows
        self.computed = computed
        self.choices = choices
        self.limits = limits
        self.form = form
        self.sensitive = sensitive
        self.instead = instead
        self.name = ""
        self._owner: type = object
        self._annotation = ""

    def __set_name__(self, owner: type, name: str) -> None:
        self.name = name
        self._owner = owner
        # Removed from the class, because the SDK reads the types of outputs there.
        self._annotation = owner.__annotations__.pop(name)

    if TYPE_CHECKING:

        def __get__(self, instance: Any, owner: type) -> pulumi.Output[T]: ...
        def __set__(self, instance: Any, value: pulumi.Input[T] | None) -> None: ...

    else:

        def __get__(self, instance, owner):
            return self if instance is None else instance.__dict__[self.name]

        def __set__(self, instance, value):
            raise AttributeError(f"{self.name} is set in the constructor")

    @cached_property
    def type(self) -> Any:
        """The Python type of the value: for `Property[list[str]]` it is `list[str]`."""
        declared = SimpleNamespace(__annotations__={self.name: self._annotation})
        hints = get_type_hints(declared, vars(sys.modules[self._owner.__module__]))
        return get_args(hints[self.name])[0]

    @property
    def at_qlik(self) -> bool:
        """True if Qlik stores the value. Then it is sent if it differs, and read back."""
        return self.change not in (Change.AT_CREATION, Change.NO_REQUEST, Change.NOT_KEPT)

    @property
    def camel(self) -> str:
        """The name in Qlik's JSON: `provider_type` is `providerType` there."""
        head, *tail = self.name.split("_")
        return head + "".join(word.capitalize() for word in tail)

    def canonical(self, value: Any) -> Any:
        """Return the form in which a value is stored: null and empty are the default, sets are sorted.

        If the default is None (left alone), an empty list stays: it means that Qlik must have no entries.
        """
        if value == [] and self.default is None:
            return []
        if value is None or (isinstance(value, str | list | dict) and not value):
            return None if self.default is REQUIRED else self.default
        if isinstance(value, list) and all(isinstance(item, str) for item in value):
            return sorted(set(value))
        if isinstance(value, list) and all(isinstance(item, dict) for item in value):
            return [item for _, item in sorted({str(sorted(item.items())): item for item in value}.items())]
        return self.form(value) if self.form and isinstance(value, str) else value

    def problems(self, value: Any) -> list[str]:
        """Return what is wrong with a value. An empty list means that it is valid."""
        if not is_certainly_valid(value, self.type, self.limits.field):
            from pydantic import ValidationError

            try:
                self._adapter.validate_python(value, strict=True)
            except ValidationError as error:
                return [self._reason(problem) for problem in error.errors(include_url=False)]
        if problem := self.limits.problem(value) if self.limits.problem else None:
            return [problem]
        unknown = [word for word in value if word not in self.choices] if self.choices else []
        return [
            f"{word!r} is not allowed{nearest(word, self.choices)}; allowed: {', '.join(self.choices)}"
            for word in unknown
        ]

    @property
    def _adapter(self) -> Any:
        return _adapter(self.type, tuple(self.limits.field.items()))

    def _reason(self, problem: Any) -> str:
        value = "the value" if self.sensitive else f"{problem['input']!r:.80}"
        shown = value + "".join(f" (at {at})" for at in problem["loc"])
        if self.limits.hint and problem["type"].startswith(OUT_OF_LIMITS):
            return f"{shown} is not allowed; allowed: {self.limits.hint}"
        return f"{shown}: {problem['msg'][:1].lower()}{problem['msg'][1:]}"


def is_certainly_valid(value: Any, type_: Any, limits: Mapping[str, Any]) -> bool:
    """Tell, without pydantic, whether a value certainly passes its check. If not, pydantic must check it."""
    if get_origin(type_) is Literal:
        return value in get_args(type_) and not limits
    return _fits(value, type_) and all(_within(value, limit, bound) for limit, bound in limits.items())


def _fits(value: Any, type_: Any) -> bool:
    if get_origin(type_) is dict:
        _, value_type = get_args(type_)
        return type(value) is dict and all(
            type(key) is str and (value_type is Any or _fits(item, value_type)) for key, item in value.items()
        )
    if get_origin(type_) is list:
        (item_type,) = get_args(type_)
        return type(value) is list and all(_fits(item, item_type) for item in value)
    return type_ in (str, int, bool) and type(value) is type_


def _within(value: Any, limit: str, bound: Any) -> bool:
    match limit:
        case "min_length":
            return bool(len(value) >= bound)
        case "max_length":
            return bool(len(value) <= bound)
        case "ge":
            return bool(value >= bound)
        case "le":
            return bool(value <= bound)
        case "pattern":  # ASCII on one line, because the two regular expression engines differ in other cases
            return value.isascii() and value.isprintable() and re.search(bound, value) is not None
    return False


@cache
def _adapter(type: Any, limits: tuple[tuple[str, Any], ...]) -> Any:
    """Return pydantic's checker of a type with limits. It is slow to build, and many properties share one."""
    from typing import Annotated

    from pydantic import Field, TypeAdapter

    annotated: Any = Annotated[type, Field(**dict(limits))]
    return TypeAdapter(annotated)


def prop(
    doc: str,
    *,
    default: Any = REQUIRED,
    change: Change = Change.IN_PLACE,
    choices: Sequence[str] = (),
    limits: Limits = NONE,
    form: Callable[[str], str] | None = None,
    sensitive: bool = False,
    instead: str = INSTEAD,
    kw_only: bool = True,
) -> Any:
    """Declare a property that a program sets.

    `default`: the meaning of unset and null. None leaves an unset property alone at Qlik: it is neither sent
    nor compared. `change`: the effect of another value. `choices`: the allowed words of a list. `limits`: the
    allowed values. `form`: a function that returns the stored form of a text. `sensitive`: no message shows
    the value, because it may be a secret. `instead`: the advice if the value cannot change. `kw_only`: for
    type checkers only.
    """
    return Property(
        doc,
        default=default,
        change=change,
        choices=choices,
        limits=limits,
        form=form,
        sensitive=sensitive,
        instead=instead,
    )


def reference(
    resource_type: str,
    doc: str,
    *,
    default: Any = REQUIRED,
    change: Change = Change.REPLACES,
    follows: bool = False,
) -> Any:
    """Declare a property that has the id of a resource of another type.

    A preview does not know an id while the other resource is being replaced. An unknown id also replaces this
    resource, unless it `follows`: then the new id is a normal change.
    """
    return Property(doc, default=default, change=change, reference=resource_type, follows=follows)


def output(doc: str, *, at_qlik: bool = True, sensitive: bool = False, init: Literal[False] = False) -> Any:
    """Declare a property that Qlik sets, or only the handler if it is not `at_qlik`.

    A `sensitive` output is a Pulumi secret: encrypted in the state, and hidden in messages.
    """
    change = Change.IN_PLACE if at_qlik else Change.NO_REQUEST
    return Property(doc, default=None, computed=not init, change=change, sensitive=sensitive)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ` (the closest is …)` if a word resembles a known one, else an empty string."""
    match = closest(word, known)
    return f" (the closest is {match})" if match else ""


def integers(value: Any) -> Any:
    """Convert whole numbers to int, because the engine passes every number as a float."""
    if isinstance(value, float) and value.is_integer():
        return int(value)
    if isinstance(value, dict):
        return {key: integers(item) for key, item in value.items()}
    if isinstance(value, list):
        return [integers(item) for item in value]
    return value


def contains(value: Any, test: Callable[[Any], bool]) -> bool:
    """Tell whether a value, or anything nested in it, passes a test."""
    if isinstance(value, dict):
        return any(contains(item, test) for item in value.values())
    if isinstance(value, list):
        return any(contains(item, test) for item in value)
    return test(value)
