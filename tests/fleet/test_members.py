"""The settings that select a customer, read from its file and plans."""

from __future__ import annotations

import json
import pickle
from datetime import UTC, date, datetime

from tenantry.providers.values.days import LastDay
from tenantry.settings.loading import resolve
from tests.archives import write
from tests.fleet.conftest import PLAN, Repository
from tests.keys import public_pem


def test_a_member_has_the_settings_of_its_file_and_plans(repository: Repository) -> None:
    repository.plan()
    repository.plan("gold", {"extends": "standard", "ring": "early", "tags": {"tier": "gold"}})
    repository.customer(
        "acme",
        plan="gold",
        tags={"country": "se"},
        lifecycle={"kind": "trial", "ends_on": "2026-12-31", "grace_days": 12},
    )
    acme = repository.members()["acme"]
    assert (acme.customer, acme.plan, acme.plans) == ("Acme", "gold", ("gold", "standard"))
    assert (acme.ring, acme.tags) == ("early", {"tier": "gold", "country": "se"})
    assert (acme.ends_on, acme.grace_days) == (LastDay(date(2026, 12, 31)), 12)
    assert not acme.has_expired(datetime(2026, 12, 31, 23, 59, tzinfo=UTC))
    assert acme.has_expired(datetime(2027, 1, 1, tzinfo=UTC))
    plans = repository.root / "stacks" / "plans"
    assert set(acme.files) == {acme.file, plans / "gold.yaml", plans / "standard.yaml"}


def test_a_customer_without_a_plan_has_the_broad_ring_and_no_end_date(repository: Repository) -> None:
    repository.customer("acme")
    acme = repository.members()["acme"]
    assert (acme.plan, acme.ring, acme.tags, acme.ends_on) == ("", "broad", {}, None)
    assert acme.files == (acme.file,)


def test_a_version_in_a_customers_file_is_a_pin_only_if_it_differs_from_the_plan(
    repository: Repository,
) -> None:
    repository.plan()
    repository.customer("same", plan="standard", apps={"Sales": {"version": "1.0.0"}})
    repository.customer("other", plan="standard", apps={"Sales": {"version": "0.9.0"}})
    repository.customer("follows", plan="standard", apps={"Sales": {"name": "Revenue"}})
    repository.customer("without", **PLAN)
    pins = {name: member.pinned for name, member in repository.members().items()}
    assert pins == {"same": (), "other": ("Sales 0.9.0 (plan: 1.0.0)",), "follows": (), "without": ()}


def test_a_version_in_an_extending_plan_is_not_a_pin(repository: Repository) -> None:
    repository.plan()
    repository.plan("gold", {"extends": "standard", "apps": {"Sales": {"version": "2.0.0"}}})
    repository.customer("acme", plan="gold")
    repository.customer("held", plan="gold", apps={"Sales": {"version": "1.0.0"}})
    found = repository.members()
    assert found["acme"].pinned == ()
    assert found["held"].pinned == ("Sales 1.0.0 (plan: 2.0.0)",)


def test_the_digest_changes_only_with_the_settings(repository: Repository) -> None:
    repository.plan()
    file = repository.customer("acme", plan="standard")
    first = repository.members()["acme"].digest
    file.write_text(f"# a remark\n{file.read_text()}")
    assert repository.members()["acme"].digest == first
    repository.plan(plan=PLAN | {"groups": {"Analysts": {"roles": ["AuditAdmin"]}}})
    assert repository.members()["acme"].digest != first


def test_the_files_include_keys(repository: Repository) -> None:
    key = repository.write("keys/acme.pem", public_pem())
    providers = {"portal": {"issuer": "portal", "kid": "1", "pem_file": "../keys/acme.pem"}}
    repository.customer("acme", jwt_identity_providers=providers)
    files = [file.resolve() for file in repository.members()["acme"].files]
    assert key in files


def test_the_files_include_themes(repository: Repository) -> None:
    """The digest covers the content of the theme, but not the location of the project."""
    theme = write(repository.root / "themes" / "corporate", "Corporate")
    repository.customer("acme", themes={"Look": {"path": "../themes/corporate"}})
    member = repository.members()["acme"]
    assert theme.resolve() in [file.resolve() for file in member.files]
    assert str(repository.root) not in json.dumps(resolve(member.file).settings.model_dump(mode="json"))
    write(theme, "Corporate", "blue")
    assert repository.members()["acme"].digest != member.digest


def test_the_files_include_automations(repository: Repository) -> None:
    """The digest covers the content of the automation file."""
    path = repository.write("automations/nightly.json", '{"blocks": ["{{CUSTOMER}}"]}')
    entry = {"path": "../automations/nightly.json", "values": {"CUSTOMER": "Acme"}}
    repository.customer("acme", automations={"Nightly": entry})
    member = repository.members()["acme"]
    assert path in [file.resolve() for file in member.files]
    path.write_text('{"blocks": ["{{CUSTOMER}}", "more"]}')
    assert repository.members()["acme"].digest != member.digest


def test_a_broken_file_keeps_its_readable_criteria(repository: Repository) -> None:
    repository.plan()
    repository.customer("acme", plan="standard", ring="pilot", tags={"a": "b"}, colour="red")
    repository.customer("bad", plan="standard", ring="outer", tags={"n": 1})
    repository.write("stacks/Pulumi.torn.yaml", "config: {a")
    found = repository.members()
    acme = found["acme"]
    assert acme.broken
    assert (acme.customer, acme.plan, acme.ring, acme.tags) == ("Acme", "standard", "pilot", {"a": "b"})
    assert found["bad"].broken
    assert (found["bad"].ring, found["bad"].tags, set(found["bad"].unknown)) == ("broad", {}, {"ring"})
    assert found["torn"].broken
    assert (found["torn"].plan, set(found["torn"].unknown)) == ("", {"plans", "ring", "tags"})
    assert acme.unknown == set()


def test_a_broken_file_keeps_the_criteria_of_its_plan(repository: Repository) -> None:
    """Without them, a pilot customer counts as broad, and its ring as done."""
    repository.plan()
    gold = {"extends": "standard", "ring": "pilot", "tags": {"country": "se", "tier": "gold"}}
    repository.plan("gold", gold)
    repository.customer("acme", plan="gold", tags={"country": "no"}, colour="red")
    acme = repository.members()["acme"]
    assert acme.broken
    assert (acme.plans, acme.ring) == (("gold", "standard"), "pilot")
    assert acme.tags == {"country": "no", "tier": "gold"}


def test_a_broken_member_can_be_pickled(repository: Repository) -> None:
    repository.customer("acme", plan="nowhere")
    member = repository.members()["acme"]
    copy = pickle.loads(pickle.dumps(member))
    assert member.broken is not None
    assert copy.broken.problems == member.broken.problems
    assert str(copy.broken) == str(member.broken)
