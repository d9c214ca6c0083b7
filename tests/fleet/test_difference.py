"""The differences between the earlier and the current merged settings of customers."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenantry.fleet.changes import UnknownRef
from tenantry.fleet.difference import compare
from tenantry.fleet.outcome import Change, Difference, Outcome
from tests.fleet.conftest import PLAN, Repository
from tests.keys import public_pem


def outcomes(repository: Repository, base: str) -> dict[str, Outcome]:
    """Return the outcomes of a comparison with `base` by stack."""
    report = compare(repository.select(changed_since=base), repository.root, base)
    assert (report.operation, report.base) == ("diff", base)
    return {outcome.stack: outcome for outcome in report.outcomes}


def setting(operation: str, name: str, old: object, new: object) -> Change:
    return Change(operation, "setting", name, (Difference("value", old, new),))


def test_a_changed_plan_changes_its_customers_except_for_their_own_settings(repository: Repository) -> None:
    repository.plan()
    repository.customer("acme", plan="standard")
    repository.customer("held", plan="standard", apps={"Sales": {"version": "1.0.0"}})
    base = repository.commit()
    newer_apps = {"Sales": {**PLAN["apps"]["Sales"], "version": "2.0.0"}}
    repository.plan(plan=PLAN | {"apps": newer_apps, "groups": {"Viewers": {}}})
    found = outcomes(repository, base)
    assert setting("update", "customer.apps.Sales.version", "1.0.0", "2.0.0") in found["acme"].changes
    assert "customer.apps.Sales.version" not in [change.name for change in found["held"].changes]
    assert setting("create", "customer.groups.Viewers", None, "") in found["acme"].changes
    deleted = setting("delete", "customer.groups.Analysts", "roles AnalyticsAdmin", None)
    assert deleted in found["acme"].changes
    assert len(found["acme"].changes) == 3, "defaults of added and removed entries are not changes"
    assert found["held"].pinned == ("Sales 1.0.0 (plan: 2.0.0)",)


def test_new_broken_and_formerly_broken_customers_have_their_own_outcomes(repository: Repository) -> None:
    repository.plan()
    repository.customer("acme", plan="standard")
    repository.customer("mended", plan="nowhere")
    base = repository.commit()
    repository.customer("new", plan="standard")
    repository.customer("acme", plan="standard", ring="outer")
    repository.customer("mended", plan="standard")
    found = outcomes(repository, base)
    assert (found["new"].new, found["new"].status) == (True, "ok")
    assert setting("create", "customer.name", None, "New") in found["new"].changes
    assert "customer.ring" not in [change.name for change in found["new"].changes], (
        "a default is not a change"
    )
    assert (found["acme"].status, found["acme"].changes) == ("failed", ())
    assert '"outer" is not allowed' in found["acme"].troubles[0].text
    assert found["mended"].remarks == ("its earlier settings cannot be read",)


def test_a_comment_in_a_file_is_not_a_difference(repository: Repository) -> None:
    file = repository.customer("acme")
    base = repository.commit()
    file.write_text(f"# a remark\n{file.read_text()}")
    assert outcomes(repository, base)["acme"].changes == ()


def test_a_link_out_of_the_repository_is_ignored(repository: Repository, tmp_path: Path) -> None:
    repository.customer("acme")
    (repository.root / "elsewhere").symlink_to(tmp_path)
    base = repository.commit()
    repository.customer("acme", ring="pilot")
    (change,) = outcomes(repository, base)["acme"].changes
    assert (change.name, change.differences) == ("customer.ring", (Difference("value", "broad", "pilot"),))


def test_a_reference_that_is_not_a_commit_is_refused(repository: Repository) -> None:
    repository.customer("acme")
    repository.commit()
    for ref in ("nowhere", "--output=x"):
        with pytest.raises(UnknownRef, match=r"no commit|not a commit"):
            compare(repository.select(every=True), repository.root, ref)


def test_in_a_new_project_every_setting_is_new(repository: Repository) -> None:
    """A branch can add Tenantry to a folder of an existing repository."""
    root = repository.root
    (root / "README.md").write_text("another project\n")
    base = repository.commit()
    inner = Repository(root / "tenants")
    inner.customer("acme")
    report = compare(inner.select(every=True), inner.root, base)
    assert [(outcome.stack, outcome.new) for outcome in report.outcomes] == [("acme", True)]


def test_defaults_of_a_block_are_not_differences(repository: Repository) -> None:
    provider = {"issuer": "portal", "kid": "1", "pem": public_pem()}
    repository.customer("acme", jwt_identity_providers={"portal": provider}, tenant={})
    base = repository.commit()
    repository.customer("acme", jwt_identity_providers={"portal": provider}, license_settings={})
    assert outcomes(repository, base)["acme"].changes == ()
    repository.customer(
        "acme",
        jwt_identity_providers={"portal": provider | {"clock_tolerance_seconds": 9}},
        license_settings={"auto_assign_analyzer": True},
    )
    assert outcomes(repository, base)["acme"].changes == (
        setting("update", "customer.jwt_identity_providers.portal.clock_tolerance_seconds", 5, 9),
        setting("create", "customer.license_settings.auto_assign_analyzer", None, True),
    )
