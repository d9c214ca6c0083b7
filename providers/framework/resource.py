"""What a program uses: the base class of every kind of resource."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar, dataclass_transform

import pulumi

import tenantry
from tenantry.providers.framework.formats import FORMAT
from tenantry.providers.framework.properties import Change, Property, output, prop, reference
from tenantry.pulumi_internals.dynamic_resources import PROVIDER_KEY, TYPES, encoded
from tenantry.pulumi_internals.stack_traces import no_stack_trace


def provider_string(module: str) -> str:
    """Return what a resource's state holds as `__provider`: a pickled call of `tenantry.provider(module)`.

    From format 2 on the call has the format, too: see `formats`. The engine's provider process turns it back
    into a provider.
    """
    return encoded(_Call(module))


class _Call:
    """Pickles as a call of `tenantry.provider`."""

    def __init__(self, module: str) -> None:
        self.module = module

    def __reduce__(self) -> tuple[Any, tuple[Any, ...]]:
        return tenantry.provider, (self.module,) if FORMAT == 1 else (self.module, FORMAT)


@dataclass_transform(kw_only_default=True, field_specifiers=(prop, reference, output))
class _Declared(pulumi.CustomResource):
    """Gives type checkers the constructor of a kind from the properties in its class body."""


class Resource(_Declared):
    """A resource at Qlik Cloud: `Kind(resource_name, property=…, opts=pulumi.ResourceOptions(…))`.

    `resource_name` is the Pulumi name. Every property takes a value or an output, and reads as an output.
    What is wrong with a value is told by the engine as a check failure of the property, in previews too.
    """

    properties: ClassVar[dict[str, Property[Any]]]
    """Every property of the kind, inputs first, in the order of the class body."""

    secrets: ClassVar[set[str]]
    """The inputs that are secrets of Pulumi, whatever the program passes."""

    secret_outputs: ClassVar[list[str]]
    """The outputs that are secrets of Pulumi."""

    if TYPE_CHECKING:
        resource_name: str = prop("The Pulumi name.", kw_only=False)
        opts: pulumi.ResourceOptions | None = prop("Options of the resource.", default=None)
    else:

        def __init__(self, resource_name, /, *, opts=None, **inputs):
            outputs = {name: None for name, each in self.properties.items() if each.computed}
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
        cls.secrets = {each.name for each in declared if each.sensitive and each.change is Change.UNSEEN}
        cls.secret_outputs = [each.name for each in declared if each.sensitive and each.computed]
        cls.properties = {each.name: each for each in sorted(declared, key=lambda each: each.computed)}

    @classmethod
    def module(cls) -> str:
        """Return the name of the module that holds the kind."""
        return cls.__module__.rpartition(".")[2]

    @classmethod
    def inputs(cls) -> list[Property[Any]]:
        """Return the properties that a program sets."""
        return [each for each in cls.properties.values() if not each.computed]
