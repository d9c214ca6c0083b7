"""What is in the tenant: spaces, and apps made from templates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tenantry.providers.values import scripts
from tenantry.providers.values.limits import RELOAD_VARIABLES
from tenantry.settings.complaints import Complaint
from tenantry.settings.models.block import AT_CREATION, NEW_IMPORT, NO_REQUEST, Block, Makes, key
from tenantry.settings.models.expectations import Expectations
from tenantry.settings.models.look import FromFiles
from tenantry.settings.values import (
    FormerKeys,
    Name,
    ReloadMinutes,
    ReloadVersion,
    SpaceName,
    SpaceRoles,
    SpaceType,
    Switch,
    Text,
    Version,
)


class Space(Block):
    """A space, and who has access to it. (Spaces API)"""

    makes = Makes(
        "Space",
        "space",
        identity=("name",),
        no_inputs=("access", "user_access", "bot_access", "owner", "protect"),
        references=("owner",),
        by_hand=True,
    )

    name: SpaceName = key(about="Its name at Qlik, unique in the tenant. Default: the key.")
    type: SpaceType = key(
        about="`shared`: apps are made there. `managed`: apps are published there. `data`: data projects.",
        change="replaces the space, which must be empty",
    )
    description: str | None = key(None, about="Shown in Qlik.")
    access: dict[str, SpaceRoles] = key(
        default_factory=dict,
        about="For each key of `groups` that has access: its roles here. Which there are depends on `type`.",
    )
    user_access: dict[str, SpaceRoles] = key(
        default_factory=dict, about="The same for each key of `users` or `admins`, but not for the owner."
    )
    bot_access: dict[str, SpaceRoles] = key(
        default_factory=dict,
        about="The same for bots: for each user id in this tenant of an OAuth client other than ours.",
    )
    owner: Text | None = key(
        None,
        about="Key of `users` or `admins` of who owns the space. Default: our client's bot user, who stays a "
        "member otherwise.",
    )
    protect: Switch | None = key(
        None,
        about="Refuse to delete it. Default: as `protect` of the customer for a managed space, else no.",
        change=NO_REQUEST,
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or several, so that a new key keeps the same space.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False, about="Take over a space of that name that somebody else made.", change=AT_CREATION
    )


class Reload(Block):
    """A reload of an app before it is published, with its variables. (Reloads API)

    Users keep what they have until a reload has succeeded.
    """

    variables: dict[str, Text] | None = key(
        None,
        about="Script variables, each with its text. The load script must have them; 20 at most, each of 256 "
        "characters.",
        change="reloaded and republished",
    )
    version: ReloadVersion = key(
        1, about="A number; another one reloads the app again.", change="reloaded and republished"
    )
    minutes: ReloadMinutes = key(
        30,
        about="How long a run waits for the reload. After that it fails, and the next one goes on waiting.",
        change=NO_REQUEST,
    )


class App(FromFiles):
    """An app made from a template of the source tenant, and where it is published. (Apps API)"""

    makes = Makes(
        "App",
        "app",
        no_inputs=("staging", "publish_to", "protect", "reload", "expect"),
        of_content=("script_digest",),
        of_stack=("source_tenant",),
        references=("space",),
        output=False,
        by_hand=True,
    )

    files = ("script",)

    name: Name = key(about="Its name at Qlik. Default: the key.")
    description: str | None = key(
        None, about="Shown in Qlik; the version is added to it, in the published apps, too."
    )
    template: Name | None = key(
        None,
        about="The exact name of the template app in the source tenant. Either this or `template_id`.",
        change=NEW_IMPORT,
    )
    template_id: Text | None = key(
        None, about="The id of the template app. Either this or `template`.", change=NEW_IMPORT
    )
    version: Version = key(
        about="The version of the template, in quotes: the `2.3.0` of a description that ends in `{v2.3.0}`.",
        change=NEW_IMPORT,
    )
    staging: Text = key(
        about="Key of the shared space into which the template is imported.", change="in place: the app moves"
    )
    publish_to: list[Text] = key(
        default_factory=list,
        about="Keys of the managed spaces into which the app is published.",
        change="in place: one publication each comes or goes",
    )
    data: Switch = key(
        True,
        about="The template comes with data, which is published. `false`: published apps keep theirs.",
        change=NEW_IMPORT,
    )
    script: Text | None = key(
        None,
        about="A file with the load script that the app gets instead of the template's. The path is from the "
        "folder of the file that says this.",
        change=NEW_IMPORT,
    )
    replace: dict[str, Text] | None = key(
        None,
        about="Texts of the template's load script, each with what replaces it. Each must occur there.",
        change=NEW_IMPORT,
    )
    reload: Reload | None = key(
        None,
        about="Reload the app before it is published, so that users get this customer's data.",
        change="reloaded and republished",
    )
    expect: Expectations | None = key(
        None, about="What `tenantry smoke` looks for in the data of the published apps.", change=NO_REQUEST
    )
    join_template_space: Switch = key(
        False,
        about="Our client's bot user may join the template's space on the source tenant as `producer`, for "
        "good, where it cannot export the template otherwise.",
        change=NO_REQUEST,
    )
    protect: Switch | None = key(
        None,
        about="Refuse to delete what is published of it. Default: as `protect` of the customer.",
        change=NO_REQUEST,
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or several, so that a new key keeps the same app.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False, about="Take over an app of that name that somebody else made.", change=AT_CREATION
    )

    @classmethod
    def content(cls, key: str, path: Path, entry: Mapping[str, Any]) -> dict[str, str]:
        """Return the digest of the script."""
        return {"script_digest": scripts.digest(scripts.read(path))}

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Complaint]:
        """A script comes from one place, and what a file does not have is not replaced."""
        yield from super().rules(block, entries)
        for entry, app in sorted(entries.items()):
            if app.script and app.replace:
                text = "set either script (a whole script) or replace (texts of the template's script)"
                yield Complaint((block, entry, "replace"), text)
            yield from _variables(block, entry, app.reload)

    def given(self) -> dict[str, Any]:
        """Add what tells the script from others."""
        given = super().given()
        if self.replace:
            given["script_digest"] = scripts.digest_of_replacements(self.replace)
        return given


def _variables(block: str, entry: str, reload: Reload | None) -> Iterator[Complaint]:
    given = (reload.variables if reload else None) or {}
    variables = {name: value for name, value in given.items() if isinstance(value, str)}
    if wrong := RELOAD_VARIABLES.problem and RELOAD_VARIABLES.problem(variables):
        yield Complaint((block, entry, "reload", "variables"), wrong)
