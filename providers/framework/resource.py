"""The base class of every resource type, for use in programs."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, dataclass_transform

import pulumi

import tenantry
from tenantry.providers.framework.formats import FORMAT
from tenantry.providers.framework.properties import Change, Property, output, prop, reference
from tenantry.pulumi_internals.dynamic_resources import PROVIDER_KEY, TYPES, encoded
from tenantry.pulumi_internals.stack_traces import no_stack_trace


def provider_string(module: str) -> str:
    """Return the `__provider` string in a resource's state: a pickled call of `tenantry.provider(module)`.

    From format 2 on, the call also has the format (see `formats`). The engine's provider process unpickles
    the string to get the provider.
    """
    return encoded(_Call(module))


class _Call:
    """An object that pickles as a call of `tenantry.provider`."""

    def __init__(self, module: str) -> None:
        self.module = module

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return tenantry.provider, (self.module,) if FORMAT == 1 else (self.module, FORMAT)


@dataclass_transform(kw_only_default=True, field_specifiers=(prop, reference, output))
class _Declared(pulumi.CustomResource):
    """A base class from which type checkers derive the constructor, by the properties in the class body."""


class Resource(_Declared):
    """A resource at Qlik Cloud: `Space(resource_name, property=…, opts=pulumi.ResourceOptions(…))`.

    `resource_name` is the Pulumi name. Every property accepts a value or an output, and reads as an output.
    The engine reports an invalid value as a check failure of the property, also in previews.
    """

    properties: ClassVar[dict[str, Property[Any]]]
    """All properties of the type, inputs first, in the order of the class body."""

    secrets: ClassVar[set[str]]
    """The inputs that are always Pulumi secrets."""

    secret_outputs: ClassVar[list[str]]
    """The outputs that are Pulumi secrets."""

    if TYPE_CHECKING:
        resource_name: str = prop("The Pulumi name.", kw_only=False)
        opts: pulumi.ResourceOptions | None = prop("Options of the resource.", default=None)
    else:

        def __init__(self, resource_name, /, *, opts=None, **inputs):
            outputs = {name: None for name, prop in self.properties.items() if prop.computed}
            for name in inputs.keys() & self.secrets:
                inputs[name] = pulumi.Output.secret(inputs[name])
            if self.secret_outputs:
                secret = pulumi.ResourceOptions(additional_secret_outputs=self.secret_outputs)
                opts = pulumi.ResourceOptions.merge(opts, secret)
            with no_stack_trace():
                super().__init__(
                    f"{TYPES}/qlik:{type(self).__name__}",
                    resource_name,
                    {**outputs, **inputs, PROVIDER_KEY: provider_string(self.module())},
                    opts,
                )

    def __init_subclass__(cls, **kwargs: Any) -> None:
        super().__init_subclass__(**kwargs)
        declared = [value for value in vars(cls).values() if isinstance(value, Property)]
        cls.secrets = {item.name for item in declared if item.sensitive and item.change is Change.UNSEEN}
        cls.secret_outputs = [item.name for item in declared if item.sensitive and item.computed]
        cls.properties = {item.name: item for item in sorted(declared, key=lambda item: item.computed)}

    @classmethod
    def module(cls) -> str:
        """Return the name of the resource type's module."""
        return cls.__module__.rpartition(".")[2]

    @classmethod
    def inputs(cls) -> list[Property[Any]]:
        """Return the properties that a program sets."""
        return [item for item in cls.properties.values() if not item.computed]
