"""Load scripts and reloads of apps in stack files and plans."""

from __future__ import annotations

from tenantry.providers.values import scripts
from tests.settings.conftest import Folder

SCRIPT = "SET vCustomer = 'globex';\n"
SPACES = "spaces: {Staging: {type: shared}}\n"
APP = "template: Sales, version: '1', staging: Staging"


def test_all_problems_are_reported_at_once_with_their_lines(folder: Folder) -> None:
    (folder.path / "empty.qvs").touch()
    (folder.path / "large.qvs").write_bytes(b"x" * (scripts.MAX_BYTES + 1))
    long = "x" * 257
    problems = folder.write(
        f"""
        {SPACES.strip()}
        apps:
          A: {{{APP}, script: none.qvs}}
          B: {{{APP}, script: empty.qvs}}
          C: {{{APP}, script: large.qvs}}
          D: {{{APP}, script: ../stacks, replace: {{a: b}}}}
          E: {{{APP}, replace: {{a: 1}}}}
          F: {{{APP}, reload: {{variables: {{vLong: {long}}}, minutes: 51, version: 0}}}}
          G: {{{APP}, reload: {{variables: {{{", ".join(f"v{n}: x" for n in range(21))}}}}}}}
          H: {{{APP}, reload: {{variable: {{v: x}}}}}}
        """
    ).problems()
    expected = {
        (8, "A.script"): "No such file",
        (9, "B.script"): "is empty",
        (10, "C.script"): "has more than 1,000,000 bytes",
        (11, "D.script"): "Is a directory",
        (11, "D.replace"): "set either script",
        (12, "E.replace.a"): "1",
        (13, "F.reload.variables"): "vLong: name and value may each have at most 256",
        (13, "F.reload.minutes"): "51 is out of range; allowed: 1 to 50",
        (13, "F.reload.version"): "allowed: 1 to 1000000",
        (14, "G.reload.variables"): "21 variables; allowed: 20 at most",
        (15, "H.reload.variable"): "variables",
    }
    for (line, key), words in expected.items():
        start = f"stacks/Pulumi.globex.yaml:{line}: customer.apps.{key}: "
        assert any(problem.startswith(start) and words in problem for problem in problems), (key, problems)
    assert len(problems) == len(expected)


def test_a_variable_that_is_not_text_is_reported_once(folder: Folder) -> None:
    text = f"{SPACES}apps: {{A: {{{APP}, reload: {{variables: {{vYear: 2026}}}}}}}}"
    [problem] = folder.write(text).problems()
    assert "customer.apps.A.reload.variables.vYear: YAML reads 2026 as a number" in problem


def test_script_and_replace_exclude_each_other(folder: Folder) -> None:
    (folder.path / "sales.qvs").write_text(SCRIPT)
    text = f"{SPACES}apps: {{A: {{{APP}, script: sales.qvs, replace: {{a: b}}}}}}"
    [problem] = folder.write(text).problems()
    assert "customer.apps.A.replace: set either script" in problem


def test_the_resource_gets_the_script_and_its_digest(folder: Folder) -> None:
    """A path is relative to the folder of the file that contains it."""
    file = folder.path / "plans" / "sales.qvs"
    file.write_text(SCRIPT)
    plan = f"{SPACES}apps: {{A: {{{APP}, script: sales.qvs}}, B: {{{APP}, replace: {{x: y}}}}}}"
    apps = folder.write("plan: team\napps: {B: {replace: {x: z}}}", team=plan).customer().apps
    properties = apps["A"].resource_properties()
    assert properties["script"] == str(file.absolute())
    assert properties["script_digest"] == scripts.digest(SCRIPT)
    assert apps["B"].resource_properties()["replace"] == {"x": "z"}
    assert apps["B"].resource_properties()["script_digest"] == scripts.digest_of_replacements({"x": "z"})
    assert (
        "script_digest"
        not in folder.write(f"{SPACES}apps: {{A: {{{APP}}}}}").customer().apps["A"].resource_properties()
    )
