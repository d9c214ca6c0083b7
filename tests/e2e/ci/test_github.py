"""Every script of every workflow for GitHub, for pull requests, pushes and nightly runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tenantry.fleet.outcome import Report
from tests.e2e.ci.github import GitHub
from tests.e2e.ci.site import PLANNERS, Site, credentials, trial

ALL_WELL = dict.fromkeys(("select", "pilot", "early", "broad"), "success")
NOTHING_TO_DO = dict.fromkeys(("pilot", "early", "broad"), "skipped") | {"select": "success"}


def plan(version: str) -> dict[str, Any]:
    """A plan with one app."""
    app = {"template": "Sales Overview", "version": version, "staging": "Staging", "publish_to": ["Sales"]}
    return {
        "spaces": {"Staging": {"type": "shared"}, "Sales": {"type": "managed"}},
        "apps": {"Sales Overview": app},
    }


def deploy(github: GitHub, site: Site, **more: Any) -> dict[str, str]:
    """Deploy main; return the results of the jobs."""
    return github.run("deploy", site.git("rev-parse", "main"), **more).results


def test_a_pull_request_gets_one_comment_about_all_customers(site: Site, github: GitHub) -> None:
    """One comment covers all customers; the next push updates it. It shows broken files and lost machines."""
    site.write_plan("standard", **plan("2.3.0"))
    site.push()
    assert deploy(github, site) == ALL_WELL
    github.variables["TENANTRY_STACKS_PER_JOB"] = "2"
    before, asked = site.states(), len(site.qlik.control.requests())

    site.write_plan("standard", **plan("2.4.0"))
    site.write("umbrella", name="Umbrella", groups={"Scientists": {}})
    site.write("hooli", name="Hooli", ring="erly")
    site.push("feature")
    run = github.pull_request("feature", lost=["preview 1/2"])  # the other job has hooli and umbrella
    parts = {"preview 1/2": "failure", "preview 2/2": "failure"}
    assert run.results == {"select": "success", **parts, "comment": "failure", "diff": "skipped"}
    [comment] = site.forge.comments
    assert comment["body"].startswith("<!-- tenantry preview -->\n> [!CAUTION]")
    first = site.git("rev-parse", "--short=8", "feature")
    expected = (
        "1 of 2 parts of the run left no report: 1/2",
        "erly",
        "New customers",
        "umbrella",
        "runs/2",
        first,
    )
    assert [text for text in expected if text not in comment["body"]] == []

    site.write("hooli", name="Hooli", ring="early", groups=PLANNERS | {"Sellers": {}})
    site.push("feature")
    run = github.pull_request("feature")
    assert run.results == dict.fromkeys(run.results, "success") | {"diff": "skipped"}
    assert site.forge.comments == [comment]
    expected = ("2.3.0", "2.4.0", "globex", "initech", "Sellers", "umbrella")
    assert [text for text in expected if text not in comment["body"]] == []
    assert [fragment for fragment in ("CAUTION", "erly", first) if fragment in comment["body"]] == []
    assert comment["body"].partition("\n")[2].strip() in run.summary

    needs = {"preview 1/2": {"PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE"}, "comment": {"GITHUB_TOKEN"}}
    needs |= {"preview 2/2": needs["preview 1/2"], "select": set(), "diff": set()}
    assert {name: credentials(job) for name, job in run.jobs.items()} == needs
    assert len(site.qlik.control.requests()) == asked
    assert site.states() == before, "a preview must work with read-only access to the backend"


def test_a_failed_preview_is_visible_in_the_comment(site: Site, github: GitHub) -> None:
    """A failed preview is visible. A repository without configuration skips all jobs."""
    site.push("feature")
    run = github.pull_request("feature", lost=["select"])
    assert run.results["comment"] == "failure"
    [comment] = site.forge.comments
    assert "before it had selected its stacks" in comment["body"]
    run = github.pull_request("feature")
    assert run.results["comment"] == "success"
    assert "No stack is affected" in comment["body"]

    del github.variables["PULUMI_BACKEND_URL"]
    assert set(github.pull_request("feature").results.values()) == {"skipped"}
    commit = site.git("rev-parse", "main")
    for workflow in ("deploy", "drift", "expire-trials"):
        assert set(github.run(workflow, commit).results.values()) == {"skipped"}


def test_a_fork_gets_no_secrets_and_its_settings_are_compared(site: Site, github: GitHub) -> None:
    """A fork gets neither state nor passphrase, but its settings are checked and compared."""
    site.write_plan("standard", **plan("2.4.0"))
    site.push("feature")
    run = github.pull_request("feature", fork=True)
    assert run.results == dict.fromkeys(("select", "preview", "comment"), "skipped") | {"diff": "success"}
    assert "2.4.0" in run.summary
    assert credentials(run.jobs["diff"]) == set()
    assert (site.forge.requests, site.qlik.control.requests()) == ([], [])

    site.write("hooli", name="Hooli", ring="erly")
    site.push("feature")
    run = github.pull_request("feature", fork=True)
    assert run.results["diff"] == "failure"
    assert "erly" in run.summary


def test_rings_deploy_in_order(site: Site, github: GitHub) -> None:
    """Rings deploy in order. A late ring catches up. Templates are exported once. A repeat does nothing."""
    site.write_plan("standard", **plan("2.3.0"))
    site.push()
    assert deploy(github, site, rejected=["early"])["broad"] == "skipped"
    assert site.tenants().keys() == {"Initech"}

    site.write("globex", name="Globex", plan="standard", groups={"Buyers": {}})
    site.push()
    assert deploy(github, site) == ALL_WELL | {"pilot": "skipped"}
    assert site.tenants().keys() == {"Initech", "Hooli", "Globex"}
    requests = site.qlik.control.requests()
    assert sum("/export" in request["path"] for request in requests) == 1

    assert deploy(github, site) == NOTHING_TO_DO
    github.caches.clear()
    assert deploy(github, site) == ALL_WELL
    assert len(site.qlik.control.requests()) == len(requests)


def test_a_failed_deployment_stops_the_next_ring(site: Site, github: GitHub) -> None:
    """The next ring does not start. A second attempt skips finished stacks, and an old run is refused."""
    site.write("acme", name="Acme", ring="pilot", groups={"Sellers": {}})
    old = site.push()
    fault = site.qlik.control.add_fault(method="POST", path="/api/v1/spaces", status=403)
    run = github.run("deploy", old)
    assert run.results == NOTHING_TO_DO | {"pilot": "failure"}
    assert "initech" in run.summary
    site.qlik.control.release(fault)
    run = github.run("deploy", old, attempt=2)
    assert run.results == ALL_WELL
    assert "done in an earlier run" in run.jobs["pilot"].summary

    site.write("acme", name="Acme", ring="pilot", groups={"Buyers": {}})
    site.push()
    chosen = {"what": "stacks", "names": "acme\nglobex"}
    assert deploy(github, site, inputs=chosen) == ALL_WELL | {"early": "skipped"}
    assert deploy(github, site, inputs={"what": "plan"})["select"] == "failure"
    assert deploy(github, site) == NOTHING_TO_DO | {"pilot": "success"}
    assert site.groups("Acme") == {"Buyers"}
    refused = github.run("deploy", old)
    assert refused.results["select"] == "failure"
    assert "newer than this commit" in refused.jobs["select"].output
    assert github.run("deploy", old, inputs={"what": "all"}).results["select"] == "failure"
    kept = dict(github.caches)
    github.caches.clear()
    assert "main has newer commits" in github.run("deploy", old).jobs["pilot"].output
    assert site.groups("Acme") == {"Buyers"}
    github.caches.update(kept)

    site.git("revert", "--no-edit", "HEAD")
    site.push()
    assert deploy(github, site) == NOTHING_TO_DO | {"pilot": "success"}
    assert site.groups("Acme") == {"Sellers"}


def test_a_force_push_reverts_the_deployed_commit(site: Site, github: GitHub) -> None:
    """A deployed commit that is no longer in the history is reverted."""
    site.keep_only("initech")
    site.push()
    kept = site.git("rev-parse", "HEAD")
    site.write("initech", name="Initech", ring="pilot", groups={"Buyers": {}})
    site.push()
    deploy(github, site)
    site.git("push", "--quiet", "origin", "HEAD:refs/heads/another")  # so that it still exists
    site.git("reset", "--hard", "--quiet", kept)
    site.push()
    assert deploy(github, site)["pilot"] == "success"
    assert site.groups("Initech") == set()


def test_drift_opens_an_issue_and_its_repair_closes_it(site: Site, github: GitHub) -> None:
    """One issue is open while anything differs at Qlik, and closed when nothing does.

    The next nightly run has the times of the previous one.
    """
    site.keep_only("hooli")
    commit = site.push()
    deploy(github, site, inputs={"what": "all"})
    site.of("Hooli").patch(site.planners, description="Friends")
    run = github.run("drift", commit)
    assert run.results == {"select": "success", "look 1/1": "failure", "issue": "success"}
    [issue] = site.forge.open
    assert issue["title"] == "Tenants differ from their files"
    assert [fragment for fragment in ("hooli", "Planners", "Friends") if fragment not in issue["body"]] == []

    [times] = [folder for key, folder in github.caches.items() if key.startswith("tenantry-times-")]
    assert [outcome.stack for outcome in Report.from_json((times / "report.json").read_bytes()).outcomes] == [
        "hooli"
    ]

    site.of("Hooli").patch(site.planners, description="Who plans")
    (times / "report.json").write_text((times / "report.json").read_text()[:-20])  # as from a later version
    assert set(github.run("drift", commit).results.values()) == {"success"}
    assert set(github.run("drift", commit).results.values()) == {"success"}
    assert site.forge.open == []


def test_trials_are_listed_and_deactivated_after_approval(site: Site, github: GitHub) -> None:
    """Trials that end soon are listed. Ended trials are deactivated, if the environment is approved."""
    soon = (datetime.now(UTC) + timedelta(days=3)).date().isoformat()
    site.write("initech", name="Initech", lifecycle=trial(soon))
    site.write("globex", name="Globex", lifecycle=trial("2999-12-31"))
    site.keep_only("initech", "globex")
    site.push()
    deploy(github, site)
    site.write("globex", name="Globex", lifecycle=trial("2000-01-01"))
    commit = site.push()
    run = github.run("expire-trials", commit, rejected=["trials"])
    assert run.results == {"remind": "success", "take-down": "failure"}
    [issue] = site.forge.open
    assert issue["title"] == "Trials that end soon"
    assert [name for name in ("initech", "globex") if name in issue["body"]] == ["initech", "globex"]
    assert site.tenants()["Globex"]["status"] == "active"

    run = github.run("expire-trials", commit)
    assert run.results == {"remind": "success", "take-down": "success"}
    assert site.tenants()["Initech"]["status"] == "active"
    globex = site.tenants()["Globex"]
    assert globex["status"] == "disabled"
    assert f"revive: {{hostname: {globex['hostnames'][0]}," in run.summary
    assert "purges it on" in run.summary

    assert github.run("expire-trials", commit).results == {"remind": "success", "take-down": "skipped"}
    assert "globex" not in issue["body"]
