"""Spaces, and apps imported from templates."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

from tenantry.providers.values import scripts
from tenantry.providers.values.limits import RELOAD_VARIABLES
from tenantry.settings.models.appearance import FromFiles
from tenantry.settings.models.block import AT_CREATION, NEW_IMPORT, NO_REQUEST, Block, ResourceMapping, key
from tenantry.settings.models.expectations import Expectations
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
from tenantry.settings.violations import Violation


class Space(Block):
    """A space, and the access to it. (Spaces API)"""

    mapping = ResourceMapping(
        "Space",
        "space",
        identity=("name",),
        no_inputs=("access", "user_access", "bot_access", "owner", "protect"),
        references=("owner",),
        has_own_code=True,
    )

    name: SpaceName = key(about="Its name at Qlik, unique in the tenant. Default: the key.")
    type: SpaceType = key(
        about="`shared`: for developing apps. `managed`: for published apps. `data`: for data projects.",
        change="replaces the space; it must be empty",
    )
    description: str | None = key(None, about="Shown in Qlik.")
    access: dict[str, SpaceRoles] = key(
        default_factory=dict,
        about="The roles of each group, by its key in `groups`. The possible roles depend on `type`.",
    )
    user_access: dict[str, SpaceRoles] = key(
        default_factory=dict,
        about="The roles of each person, by key in `users` or `admins`. Leave out the owner.",
    )
    bot_access: dict[str, SpaceRoles] = key(
        default_factory=dict,
        about="The roles of each bot, by its user id in this tenant. A bot is the user of an OAuth client "
        "other than Tenantry's.",
    )
    owner: Text | None = key(
        None,
        about="Key of the owner in `users` or `admins`. Default: the client's bot user. With another owner, "
        "the bot user stays a member.",
    )
    protect: Switch | None = key(
        None,
        about="Refuse to delete it. Default: `protect` of the customer for a managed space, else `false`.",
        change=NO_REQUEST,
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or a list of former keys, so that the new key keeps the same space.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False,
        about="Take over an existing space with this name that somebody else created.",
        change=AT_CREATION,
    )


class Reload(Block):
    """A reload of an app before it is published, with its variables. (Reloads API)

    Users keep the current app and data until a reload has succeeded.
    """

    variables: dict[str, Text] | None = key(
        None,
        about="Up to 20 script variables, each with a text of 256 characters at most. The load script must "
        "define them.",
        change="reloads and republishes the app",
    )
    version: ReloadVersion = key(
        1, about="A number. Change it to reload the app again.", change="reloads and republishes the app"
    )
    minutes: ReloadMinutes = key(
        30,
        about="How many minutes a run waits for the reload. Then the run fails, and the next run continues "
        "to wait.",
        change=NO_REQUEST,
    )


class App(FromFiles):
    """An app imported from a template on the source tenant, and the spaces it is published to. (Apps API)"""

    mapping = ResourceMapping(
        "App",
        "app",
        no_inputs=("staging", "publish_to", "protect", "reload", "expect"),
        from_content=("script_digest",),
        from_stack=("source_tenant",),
        references=("space",),
        output=False,
        has_own_code=True,
    )

    files = ("script",)

    name: Name = key(about="Its name at Qlik. Default: the key.")
    description: str | None = key(
        None, about="Shown in Qlik, followed by the version, for the staged app and the published apps."
    )
    template: Name | None = key(
        None,
        about="The exact name of the template app on the source tenant. Set either this or `template_id`.",
        change=NEW_IMPORT,
    )
    template_id: Text | None = key(
        None, about="The id of the template app. Set either this or `template`.", change=NEW_IMPORT
    )
    version: Version = key(
        about='The version of the template, in quotes: `"2.3.0"` if its description ends in `{v2.3.0}`.',
        change=NEW_IMPORT,
    )
    staging: Text = key(
        about="Key of the shared space into which the template is imported.", change="in place: the app moves"
    )
    publish_to: list[Text] = key(
        default_factory=list,
        about="Keys of the managed spaces into which the app is published.",
        change="in place: creates or deletes one publication per space",
    )
    data: Switch = key(
        True,
        about="Whether to publish the data of the template. `false`: published apps keep their data.",
        change=NEW_IMPORT,
    )
    script: Text | None = key(
        None,
        about="A file with the load script that replaces the script of the template. The path starts at the "
        "folder of the file that names it.",
        change=NEW_IMPORT,
    )
    replace: dict[str, Text] | None = key(
        None,
        about="Strings in the template's load script, each with its replacement. Each string must occur in "
        "the script.",
        change=NEW_IMPORT,
    )
    reload: Reload | None = key(
        None,
        about="Reload the app before Tenantry publishes it, so that users get this customer's data.",
        change="reloads and republishes the app",
    )
    expect: Expectations | None = key(
        None, about="What `tenantry smoke` checks in the data of the published apps.", change=NO_REQUEST
    )
    join_template_space: Switch = key(
        False,
        about="Let the client's bot user join the template's space on the source tenant as `producer`, if it "
        "cannot export the template otherwise. It stays a member.",
        change=NO_REQUEST,
    )
    protect: Switch | None = key(
        None,
        about="Refuse to delete its published apps. Default: `protect` of the customer.",
        change=NO_REQUEST,
    )
    renamed_from: FormerKeys | None = key(
        None,
        about="The former key, or a list of former keys, so that the new key keeps the same app.",
        change=NO_REQUEST,
    )
    adopt: Switch = key(
        False,
        about="Take over an existing app with this name that somebody else created.",
        change=AT_CREATION,
    )

    @classmethod
    def content(cls, key: str, path: Path, entry: Mapping[str, Any]) -> dict[str, str]:
        """Return the digest of the script."""
        return {"script_digest": scripts.digest(scripts.read(path))}

    @classmethod
    def rules(cls, block: str, entries: Mapping[str, Any]) -> Iterator[Violation]:
        """Check that no app sets both `script` and `replace`, and that reload variables are valid."""
        yield from super().rules(block, entries)
        for name, app in sorted(entries.items()):
            if app.script and app.replace:
                text = "set either script (a whole script) or replace (strings in the template's script)"
                yield Violation((block, name, "replace"), text)
            yield from _reload_variable_violations(block, name, app.reload)

    def resource_properties(self) -> dict[str, Any]:
        """Return the properties. With `replace`, `script_digest` is the digest of the replacements."""
        properties = super().resource_properties()
        if self.replace:
            properties["script_digest"] = scripts.digest_of_replacements(self.replace)
        return properties


def _reload_variable_violations(block: str, name: str, reload: Reload | None) -> Iterator[Violation]:
    declared = (reload.variables if reload else None) or {}
    variables = {key: value for key, value in declared.items() if isinstance(value, str)}
    if wrong := RELOAD_VARIABLES.problem and RELOAD_VARIABLES.problem(variables):
        yield Violation((block, name, "reload", "variables"), wrong)
