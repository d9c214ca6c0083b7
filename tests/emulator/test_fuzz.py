"""Generated requests: each one gets a response that the contract allows."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from tenantry.emulator import Emulator
from tenantry.emulator.apis import apps  # noqa: F401 - registers the handlers
from tenantry.emulator.call import HANDLERS
from tenantry.emulator.contract import Operation, contract
from tests.contract import ContractChecker
from tests.emulator.api import CONSOLE, REGISTER, Api, create_everything, new_tenant

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")

COVERED = [op for op in contract().operations if (op.api, op.id) in HANDLERS]
SCHEMAS = {op.api: schemathesis.openapi.from_dict(op.document.spec) for op in COVERED}


def _can_be_wrong(operation: Operation) -> bool:
    return bool(operation.body) or any(parameter["in"] != "path" for parameter in operation.parameters)


CASES = [
    pytest.param(operation, mode, id=f"{operation.api}-{operation.id}-{mode.value}")
    for operation in COVERED
    for mode in schemathesis.GenerationMode
    if mode.is_positive or _can_be_wrong(operation)
]


@dataclass
class Cloud:
    """A tenant with one object of each type, and the ids of the objects."""

    hosts: dict[str, Api]
    ids: dict[str, list[str]]
    checker: ContractChecker


@pytest.fixture(scope="module")
def cloud() -> Iterator[Cloud]:
    checker = ContractChecker()
    with Emulator(middleware=checker.wrap) as qlik:
        tenant = new_tenant(qlik)
        console = Api(qlik, CONSOLE, "demo-org").login()
        hosts = {"tenant": tenant, "register": tenant.on(REGISTER).login(), "console": console, "any": tenant}
        yield Cloud(hosts, create_everything(tenant), checker)


@pytest.mark.parametrize(("operation", "mode"), CASES)
def test_any_request_gets_a_response_that_the_contract_allows(
    cloud: Cloud, operation: Operation, mode: schemathesis.GenerationMode
) -> None:
    strategy = SCHEMAS[operation.api][operation.path][operation.method].as_strategy(generation_mode=mode)

    @given(case=strategy, pick=st.integers(0, 9))
    @settings(
        max_examples=4 if mode.is_negative else 8,
        phases=[Phase.generate],
        derandomize=True,
        database=None,
        deadline=None,
        suppress_health_check=list(HealthCheck),
    )
    def send(case: Any, pick: int) -> None:
        for name in case.path_parameters or {}:
            known = cloud.ids.get(name, [])
            # Nine in ten requests use the id of an existing object.
            if known and pick:
                case.path_parameters[name] = known[pick % len(known)]
        # With a wrong length, the request is incomplete.
        (case.headers or {}).pop("Content-Length", None)
        api = cloud.hosts[operation.host]
        headers = {"Host": api.host, "Authorization": f"Bearer {api.token}"}
        response = case.call(base_url=api.qlik.url, headers=headers, allow_redirects=False)
        assert response.status_code < 500, response.text

    checked = cloud.checker.checked
    send()
    assert cloud.checker.violations == []
    assert cloud.checker.checked > checked
