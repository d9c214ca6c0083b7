"""Properties of a kind of resource: each is stated once, in the class body of the kind.

From that one statement come the typed constructor and the outputs of the class, the check of what a program
sets, the meaning of a difference, the name in Qlik's JSON and the reference page. pydantic does the checking.
It is imported only for a value that was not checked before and is not right at first sight, since every run
pays for its imports.
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

INSTEAD = "make a new stack instead"
"""What to do where a property is refused another value, if nothing better is known."""

REQUIRED: Any = object()
"""Default of a property that has none: it must be set."""


class Change(enum.Enum):
    """What another value of a property does to the object that exists."""

    IN_PLACE = "in place"
    UNSEEN = "in place, never read back"
    REPLACES = "replaces"
    REFUSED = "refused"
    AT_CREATION = "at creation"
    NO_REQUEST = "no request"
    NOT_KEPT = "not kept"


class Property(Generic[T]):
    """One property: declared by `prop`, `reference` or `output`, read as an output of the resource."""

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
        # Taken away from the class, where the SDK would look for the types of outputs.
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
        """Whether Qlik holds the value, so that it is sent when it differs and read back."""
        return self.change not in (Change.AT_CREATION, Change.NO_REQUEST, Change.NOT_KEPT)

    @property
    def camel(self) -> str:
        """The name in Qlik's JSON: `provider_type` is `providerType` there."""
        head, *tail = self.name.split("_")
        return head + "".join(word.capitalize() for word in tail)

    def canonical(self, value: Any) -> Any:
        """Return the form in which a value is stored: null and empty are the default, sets are sorted.

        Where unset means "left alone", an empty list says something else: that there shall be nothing.
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
        """Say what is wrong with a value: nothing, as a rule."""
        if not is_certainly_valid(value, self.type, self.limits.field):
            from pydantic import ValidationError

            try:
                self._adapter.validate_python(value, strict=True)
            except ValidationError as error:
                return [self._reason(problem) for problem in error.errors(include_url=False)]
        wrong = self.limits.problem(value) if self.limits.problem else None
        if wrong:
            return [wrong]
        unknown = [word for word in value if word not in self.choices] if self.choices else []
        return [
            f"{word!r} is not known{nearest(word, self.choices)}; allowed: {', '.join(self.choices)}"
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
    """Tell whether a value is certain to pass pydantic's check, without importing it; False is no verdict."""
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
        case "pattern":  # one line in plain characters: the two kinds of regular expression differ in others
            return value.isascii() and value.isprintable() and re.search(bound, value) is not None
    return False


@cache
def _adapter(type: Any, limits: tuple[tuple[str, Any], ...]) -> Any:
    """Return what checks a type within limits; many properties share one, and each takes a while to build."""
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

    `default` is what unset and null mean; a default of None leaves an unset property alone at Qlik: neither
    sent nor compared. `change` is what another value does. `choices`: the words that a list may hold.
    `limits`: what a value may be. `form` gives a text the one form in which it is stored. `sensitive`: a
    wrong value may be a secret, so no message shows it. `instead`: what to do where another value is refused.
    (`kw_only` is for type checkers alone.)
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
    kind: str, doc: str, *, default: Any = REQUIRED, change: Change = Change.REPLACES, follows: bool = False
) -> Any:
    """Declare a property that holds the id of a resource of another kind.

    An id is unknown in a preview only while its resource is being replaced, so an unknown one replaces this
    resource as well, unless it `follows`: then the new id is a change like any other.
    """
    return Property(doc, default=default, change=change, reference=kind, follows=follows)


def output(doc: str, *, at_qlik: bool = True, sensitive: bool = False, init: Literal[False] = False) -> Any:
    """Declare a property that Qlik sets, or only the handler if it is not `at_qlik`.

    One that is `sensitive` is a secret of Pulumi: encrypted in the state, and hidden wherever it is shown.
    """
    change = Change.IN_PLACE if at_qlik else Change.NO_REQUEST
    return Property(doc, default=None, computed=not init, change=change, sensitive=sensitive)


def nearest(word: str, known: Iterable[str]) -> str:
    """Return ` (did you mean …?)` for a word that resembles a known one, else nothing."""
    meant = closest(word, known)
    return f" (did you mean {meant}?)" if meant else ""


def integers(value: Any) -> Any:
    """Give whole numbers back their type: the engine hands every number over as a float."""
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
