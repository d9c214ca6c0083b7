"""All scripts of the pipeline for GitLab: merge requests, pushes and nightly runs."""

from __future__ import annotations

from tests.e2e.ci.gitlab import GitLab
from tests.e2e.ci.site import PLANNERS, Job, Site, credentials, trial


def results(jobs: dict[str, Job]) -> dict[str, str]:
    """Return the results of jobs by name."""
    return {name: job.result for name, job in jobs.items()}


def test_a_merge_request_gets_one_note(site: Site, gitlab: GitLab) -> None:
    """The next push updates the note. No job has Qlik credentials. A fork's changes are only compared."""
    site.write("umbrella", name="Umbrella", groups={"Scientists": {}})
    site.write("hooli", name="Hooli", ring="erly")
    site.push("feature")
    jobs = gitlab.merge_request("feature")
    assert [name for name, job in jobs.items() if job.result == "failure"] == ["preview 1/4"]
    [note] = site.forge.comments
    assert "umbrella" in note["body"]
    assert "erly" in note["body"]
    assert "no report" not in note["body"]

    site.write("hooli", name="Hooli", ring="early", groups=PLANNERS)
    site.push("feature")
    jobs = gitlab.merge_request("feature")
    assert results(jobs) == dict.fromkeys([*(f"preview {n}/4" for n in range(1, 5)), "comment"], "success")
    assert site.forge.comments == [note]
    assert "erly" not in note["body"]
    assert not any(name.startswith("QLIK_") for job in jobs.values() for name in credentials(job))

    requests_before = len(site.forge.requests)
    jobs = gitlab.merge_request("feature", fork=True)
    assert results(jobs) == {"diff": "success"}
    assert "umbrella" in jobs["diff"].output
    assert credentials(jobs["diff"]) == set()
    assert (len(site.forge.requests), site.qlik.control.requests()) == (requests_before, [])
    del gitlab.variables["PULUMI_BACKEND_URL"]
    assert gitlab.merge_request("feature") == gitlab.push() == gitlab.run_scheduled("drift") == {}


def test_rings_trials_and_drift(site: Site, gitlab: GitLab) -> None:
    """A push deploys ring by ring, and only once. Nightly runs deactivate ended trials and report drift."""
    for name in ("initech", "acme"):
        site.write(name, name=name.title(), ring="pilot", lifecycle=trial("2999-12-31"))
    site.keep_only("hooli", "initech", "acme")
    site.push()
    assert results(gitlab.push()) == dict.fromkeys(("pilot", "early", "broad"), "success")
    assert site.tenants().keys() == {"Initech", "Hooli", "Acme"}
    requests_before = len(site.qlik.control.requests())
    assert [job.output.splitlines()[0] for job in gitlab.push().values()] == ["0 stacks"] * 3
    assert len(site.qlik.control.requests()) == requests_before

    site.write("initech", name="Initech", ring="pilot", lifecycle=trial("2000-01-01"))
    site.push()
    site.write("acme", name="Acme", ring="erly", lifecycle=trial("2999-12-31"))
    site.push()
    assert results(gitlab.run_scheduled("trials")) == {"trials": "failure", "take down": "failure"}
    [issue] = site.forge.open
    assert [
        fragment for fragment in ("initech", "acme: stacks/Pulumi.acme.yaml") if fragment not in issue["body"]
    ] == []
    assert gitlab.run_scheduled("trials")["trials"].result == "failure"
    assert site.forge.open == [issue], "the issue must stay open until all stacks are checked"
    site.write("acme", name="Acme", ring="pilot", lifecycle=trial("2999-12-31"))
    site.push()
    assert results(gitlab.run_scheduled("trials")) == {"trials": "success", "take down": "success"}
    assert site.forge.open == []
    assert {name: tenant["status"] for name, tenant in site.tenants().items()} == {
        "Initech": "disabled",
        "Hooli": "active",
        "Acme": "active",
    }

    site.world("Hooli").patch(site.planners, description="Friends")
    assert results(gitlab.run_scheduled("drift"))["drift 2/4"] == "failure"
    found = next(issue for issue in site.forge.open if issue["title"] == "Tenants differ from their files")
    assert "Who plans" in found["body"]
    site.world("Hooli").patch(site.planners, description="Who plans")
    assert set(results(gitlab.run_scheduled("drift")).values()) == {"success"}
    assert found["state"] == "closed"
