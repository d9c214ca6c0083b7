"""The OEM example of the documentation, with the commands of its page: three customers on two plans."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat

from tenantry.emulator import Emulator
from tests.documents import ROOT, script
from tests.e2e.fleet import Fleet
from tests.e2e.test_documents import run
from tests.keys import key, public_pem
from tests.world import World, writes

EXAMPLE = ROOT / "docs" / "examples" / "oem"
PAGE = "docs/examples/oem/README.md"
CUSTOMERS = {"acme": "business", "globex": "business", "initech": "starter"}
MAX_LINES = 25


class Oem(Fleet):
    """The project of the example, with passwords in files and with known private keys."""

    def __init__(self, folder: Path, qlik: Emulator) -> None:
        super().__init__(folder, qlik)
        shutil.rmtree(self.project)
        shutil.copytree(EXAMPLE, self.project)
        self.secrets = folder / "secrets"
        self.secrets.mkdir()
        for customer in CUSTOMERS:
            (self.secrets / customer).write_text(f"password-of-{customer}")
            (self.project / "keys" / f"{customer}.pem").write_text(public_pem(customer))

    def commands(self, heading: str) -> str:
        """Run the commands under a heading of the page."""
        page_commands = script(PAGE, heading).replace("/run/secrets", str(self.secrets))
        return run(self.project, self.env, page_commands)

    def world(self, customer: str) -> World:
        """Return the tenant of a customer."""
        assert isinstance(self.qlik, Emulator)
        return World(self.qlik, self.run("outputs", customer).json[customer]["hostname"])


@pytest.fixture
def oem(scratch: Path, qlik: Emulator) -> Oem:
    return Oem(scratch, qlik)


def test_each_customer_has_its_own_data_colours_and_login(oem: Oem) -> None:
    output = oem.commands("Create the customers")
    print(output)
    worlds = {customer: oem.world(customer) for customer in CUSTOMERS}
    for customer, world in worlds.items():
        [connection] = world.every("data-connection")
        assert (connection["_secret"], connection["_properties"]["host"]) == (
            {"password": f"password-of-{customer}"},
            f"warehouse.{customer}.example",
        )
        scripts = {app["name"]: app["_script"] for app in world.every("app") if app["publishTime"]}
        assert "FROM sales" in scripts["Sales Overview"]
        variables = [reload["_variables"] for reload in world.every("reload")]
        assert {"vCurrency": "USD" if customer == "globex" else "EUR"} in variables
        assert len(world.every("task")) == len(scripts)
        [provider] = world.every("identity-provider")
        assert provider["options"]["issuer"] == f"https://portal.{customer}.example"
        is_business = CUSTOMERS[customer] == "business"
        apps = {name for space, name in world.apps if space == "Reports"}
        assert apps == ({"Sales Overview", "Inventory"} if is_business else {"Sales Overview"})
        assert len(world.every("extension")) == is_business
        recipients = [
            automation["workspace"]["blocks"][1]["operations"] for automation in world.every("automation")
        ]
        expected = [[{"value": f"controlling@{customer}.example"}]] if is_business else []
        assert recipients == expected
        [brand] = world.every("brand")
        assert (brand["name"], brand["active"]) == (f"{customer.capitalize()} Insights", True)
    colours = {customer: world.every("theme")[0]["file"]["md5"] for customer, world in worlds.items()}
    assert len(set(colours.values())) == len(CUSTOMERS)
    assert oem.run("up", "--all", "--yes").requests == []


def test_a_change_reaches_only_its_customers(oem: Oem) -> None:
    """A colour changes for one customer, and a definition for one plan. Each login needs its own key."""
    oem.commands("Create the customers")
    theme = oem.project / "look" / "acme" / "theme" / "theme.json"
    theme.write_text(theme.read_text().replace("#b3123b", "#000000"))
    report = oem.project / "automations" / "monthly-report.json"
    report.write_text(report.read_text().replace('"name": "Start"', '"name": "Begin"'))
    preview = oem.run("preview", "--all", "--json")
    assert {stack: len(outcome.changes) for stack, outcome in preview.outcomes.items()} == {
        "acme": 2,
        "globex": 1,
        "initech": 0,
    }
    assert writes(preview.requests) == []
    oem.commands("Change them")
    assert oem.run("up", "--all", "--yes").requests == []

    private = oem.folder / "private.pem"
    private.write_bytes(key("acme").private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption()))
    smoke = ("smoke", "--key", str(private), "--wait", "0", "--group", "Readers")
    assert "Readers: ok" in oem.run(*smoke, "acme").stdout
    assert "the key belongs to no identity provider" in oem.run(*smoke, "globex", expect=1).stdout


def test_a_customers_file_is_short() -> None:
    files = sorted(EXAMPLE.glob("stacks/Pulumi.*.yaml"))
    assert [file.name for file in files] == [f"Pulumi.{customer}.yaml" for customer in CUSTOMERS]
    assert {file.name: len(file.read_text().splitlines()) for file in files if _is_long(file)} == {}


def test_the_example_contains_no_private_key() -> None:
    files = [file for file in EXAMPLE.rglob("*") if file.is_file()]
    assert len(files) > 10
    assert [file for file in files if b"PRIVATE KEY" in file.read_bytes()] == []


def _is_long(file: Path) -> bool:
    return len(file.read_text().splitlines()) > MAX_LINES
