"""Every script of the pipeline for GitLab, for merge requests, pushes and nightly runs."""

from __future__ import annotations

from tests.e2e.ci.gitlab import GitLab
from tests.e2e.ci.site import PLANNERS, Job, Site, credentials, trial


def results(jobs: dict[str, Job]) -> dict[str, str]:
    """Return the results of jobs by name."""
    return {name: job.result for name, job in jobs.items()}


def test_a_merge_request_gets_one_note_without_qlik_credentials(site: Site, gitlab: GitLab) -> None:
    """One note, which the next push updates, without Qlik credentials. A fork's changes are only compared."""
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

    asked = len(site.forge.requests)
    jobs = gitlab.merge_request("feature", fork=True)
    assert results(jobs) == {"diff": "success"}
    assert "umbrella" in jobs["diff"].output
    assert credentials(jobs["diff"]) == set()
    assert (len(site.forge.requests), site.qlik.control.requests()) == (asked, [])
    del gitlab.variables["PULUMI_BACKEND_URL"]
    assert gitlab.merge_request("feature") == gitlab.push() == gitlab.night("drift") == {}


def test_rings_drift_and_trials_run_on_gitlab(site: Site, gitlab: GitLab) -> None:
    """Deployments go ring by ring, and only once. Drift opens an issue. An ended trial is deactivated."""
    for name in ("initech", "acme"):
        site.write(name, name=name.title(), ring="pilot", lifecycle=trial("2999-12-31"))
    site.keep_only("hooli", "initech", "acme")
    site.push()
    assert results(gitlab.push()) == dict.fromkeys(("pilot", "early", "broad"), "success")
    assert site.tenants().keys() == {"Initech", "Hooli", "Acme"}
    asked = len(site.qlik.control.requests())
    assert [job.output.splitlines()[0] for job in gitlab.push().values()] == ["0 stacks"] * 3
    assert len(site.qlik.control.requests()) == asked

    site.write("initech", name="Initech", ring="pilot", lifecycle=trial("2000-01-01"))
    site.push()
    site.write("acme", name="Acme", ring="erly", lifecycle=trial("2999-12-31"))
    site.push()
    assert results(gitlab.night("trials")) == {"trials": "failure", "take down": "failure"}
    [issue] = site.forge.open
    assert [
        fragment for fragment in ("initech", "acme: stacks/Pulumi.acme.yaml") if fragment not in issue["body"]
    ] == []
    assert gitlab.night("trials")["trials"].result == "failure"
    assert site.forge.open == [issue], "it must stay open until all stacks are checked"
    site.write("acme", name="Acme", ring="pilot", lifecycle=trial("2999-12-31"))
    site.push()
    assert results(gitlab.night("trials")) == {"trials": "success", "take down": "success"}
    assert site.forge.open == []
    assert {name: tenant["status"] for name, tenant in site.tenants().items()} == {
        "Initech": "disabled",
        "Hooli": "active",
        "Acme": "active",
    }

    site.of("Hooli").patch(site.planners, description="Friends")
    assert results(gitlab.night("drift"))["drift 2/4"] == "failure"
    found = next(issue for issue in site.forge.open if issue["title"] == "Tenants differ from their files")
    assert "Who plans" in found["body"]
    site.of("Hooli").patch(site.planners, description="Who plans")
    assert set(results(gitlab.night("drift")).values()) == {"success"}
    assert found["state"] == "closed"
