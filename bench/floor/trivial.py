"""A dynamic resource that does nothing, written as in the SDK's documentation."""

from typing import Any

from pulumi.dynamic import CreateResult, Resource, ResourceProvider


class NothingProvider(ResourceProvider):
    """A provider that does nothing."""

    serialize_as_secret_always = False

    def create(self, props: dict[str, Any]) -> CreateResult:
        """Return an id and the properties."""
        return CreateResult("nothing", props)


class Nothing(Resource):
    """A resource that does nothing and has five properties."""

    def __init__(self, name: str) -> None:
        super().__init__(NothingProvider(), name, {f"property_{n}": "value" for n in range(5)})
