"""All scripts of the workflows for GitHub: pull requests, pushes and nightly runs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from tenantry.fleet.outcome import Report
from tests.e2e.ci.github import GitHub
from tests.e2e.ci.site import PLANNERS, Site, credentials, trial

ALL_WELL = dict.fromkeys(("select", "pilot", "early", "broad"), "success")
NOTHING_TO_DO = dict.fromkeys(("pilot", "early", "broad"), "skipped") | {"select": "success"}


def plan(version: str) -> dict[str, Any]:
    """Return a plan with one app."""
    app = {"template": "Sales Overview", "version": version, "staging": "Staging", "publish_to": ["Sales"]}
    return {
        "spaces": {"Staging": {"type": "shared"}, "Sales": {"type": "managed"}},
        "apps": {"Sales Overview": app},
    }


def deploy(github: GitHub, site: Site, **options: Any) -> dict[str, str]:
    """Deploy main. Return the results of the jobs."""
    return github.run("deploy", site.git("rev-parse", "main"), **options).results


def test_a_pull_request_gets_one_comment(site: Site, github: GitHub) -> None:
    """It covers all customers, broken files and lost machines. The next push updates it."""
    site.write_plan("standard", **plan("2.3.0"))
    site.push()
    assert deploy(github, site) == ALL_WELL
    github.variables["TENANTRY_STACKS_PER_JOB"] = "2"
    before, requests_before = site.states(), len(site.qlik.control.requests())

    site.write_plan("standard", **plan("2.4.0"))
    site.write("umbrella", name="Umbrella", groups={"Scientists": {}})
    site.write("hooli", name="Hooli", ring="erly")
    site.push("feature")
    run = github.pull_request("feature", lost_jobs=["preview 1/2"])  # the other job has hooli and umbrella
    parts = {"preview 1/2": "failure", "preview 2/2": "failure"}
    assert run.results == {"select": "success", **parts, "comment": "failure", "diff": "skipped"}
    [comment] = site.forge.comments
    assert comment["body"].startswith("<!-- tenantry preview -->\n> [!CAUTION]")
    first_commit = site.git("rev-parse", "--short=8", "feature")
    expected = (
        "1 of 2 parts of the run left no report: 1/2",
        "erly",
        "New customers",
        "umbrella",
        "runs/2",
        first_commit,
    )
    assert [text for text in expected if text not in comment["body"]] == []

    site.write("hooli", name="Hooli", ring="early", groups=PLANNERS | {"Sellers": {}})
    site.push("feature")
    run = github.pull_request("feature")
    assert run.results == dict.fromkeys(run.results, "success") | {"diff": "skipped"}
    assert site.forge.comments == [comment]
    expected = ("2.3.0", "2.4.0", "globex", "initech", "Sellers", "umbrella")
    assert [text for text in expected if text not in comment["body"]] == []
    assert [fragment for fragment in ("CAUTION", "erly", first_commit) if fragment in comment["body"]] == []
    assert comment["body"].partition("\n")[2].strip() in run.summary

    needs = {"preview 1/2": {"PULUMI_BACKEND_URL", "PULUMI_CONFIG_PASSPHRASE"}, "comment": {"GITHUB_TOKEN"}}
    needs |= {"preview 2/2": needs["preview 1/2"], "select": set(), "diff": set()}
    assert {name: credentials(job) for name, job in run.jobs.items()} == needs
    assert len(site.qlik.control.requests()) == requests_before
    assert site.states() == before, "a preview must work with read-only access to the backend"


def test_a_failed_preview_is_visible(site: Site, github: GitHub) -> None:
    """A repository without configuration skips all jobs."""
    site.push("feature")
    run = github.pull_request("feature", lost_jobs=["select"])
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


def test_a_fork_gets_no_credentials(site: Site, github: GitHub) -> None:
    """Without the state and the passphrase, the settings are still checked and compared."""
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
    """A late ring catches up. Each template is exported once. A repeated deployment changes nothing."""
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


def test_a_failed_deployment_stops_before_the_next_ring(site: Site, github: GitHub) -> None:
    """A second attempt skips finished stacks. The run of an old commit is refused."""
    site.write("acme", name="Acme", ring="pilot", groups={"Sellers": {}})
    old_commit = site.push()
    fault = site.qlik.control.add_fault(method="POST", path="/api/v1/spaces", status=403)
    run = github.run("deploy", old_commit)
    assert run.results == NOTHING_TO_DO | {"pilot": "failure"}
    assert "initech" in run.summary
    site.qlik.control.release(fault)
    run = github.run("deploy", old_commit, attempt=2)
    assert run.results == ALL_WELL
    assert "done in an earlier run" in run.jobs["pilot"].summary

    site.write("acme", name="Acme", ring="pilot", groups={"Buyers": {}})
    site.push()
    selection = {"what": "stacks", "names": "acme\nglobex"}
    assert deploy(github, site, inputs=selection) == ALL_WELL | {"early": "skipped"}
    assert deploy(github, site, inputs={"what": "plan"})["select"] == "failure"
    assert deploy(github, site) == NOTHING_TO_DO | {"pilot": "success"}
    assert site.groups("Acme") == {"Buyers"}
    refused = github.run("deploy", old_commit)
    assert refused.results["select"] == "failure"
    assert "newer than this commit" in refused.jobs["select"].output
    assert github.run("deploy", old_commit, inputs={"what": "all"}).results["select"] == "failure"
    saved = dict(github.caches)
    github.caches.clear()
    assert "main has newer commits" in github.run("deploy", old_commit).jobs["pilot"].output
    assert site.groups("Acme") == {"Buyers"}
    github.caches.update(saved)

    site.git("revert", "--no-edit", "HEAD")
    site.push()
    assert deploy(github, site) == NOTHING_TO_DO | {"pilot": "success"}
    assert site.groups("Acme") == {"Sellers"}


def test_a_commit_that_a_force_push_removed_is_reverted(site: Site, github: GitHub) -> None:
    site.keep_only("initech")
    site.push()
    previous_commit = site.git("rev-parse", "HEAD")
    site.write("initech", name="Initech", ring="pilot", groups={"Buyers": {}})
    site.push()
    deploy(github, site)
    site.git("push", "--quiet", "origin", "HEAD:refs/heads/another")  # keeps the commit in the repository
    site.git("reset", "--hard", "--quiet", previous_commit)
    site.push()
    assert deploy(github, site)["pilot"] == "success"
    assert site.groups("Initech") == set()


def test_an_issue_is_open_as_long_as_there_is_drift(site: Site, github: GitHub) -> None:
    """A nightly run gets the durations of the previous one."""
    site.keep_only("hooli")
    commit = site.push()
    deploy(github, site, inputs={"what": "all"})
    site.world("Hooli").patch(site.planners, description="Friends")
    run = github.run("drift", commit)
    assert run.results == {"select": "success", "look 1/1": "failure", "issue": "success"}
    [issue] = site.forge.open
    assert issue["title"] == "Tenants differ from their files"
    assert [fragment for fragment in ("hooli", "Planners", "Friends") if fragment not in issue["body"]] == []

    [times] = [folder for key, folder in github.caches.items() if key.startswith("tenantry-times-")]
    assert [outcome.stack for outcome in Report.from_json((times / "report.json").read_bytes()).outcomes] == [
        "hooli"
    ]

    site.world("Hooli").patch(site.planners, description="Who plans")
    # A report that cannot be read, such as one from a later version, must not stop the run.
    (times / "report.json").write_text((times / "report.json").read_text()[:-20])
    assert set(github.run("drift", commit).results.values()) == {"success"}
    assert set(github.run("drift", commit).results.values()) == {"success"}
    assert site.forge.open == []


def test_ended_trials_are_deactivated_after_approval(site: Site, github: GitHub) -> None:
    """An issue lists the trials that end soon."""
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
