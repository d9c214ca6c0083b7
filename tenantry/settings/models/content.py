"""What is in the tenant: spaces, and apps made from templates."""

from __future__ import annotations

from tenantry.settings.models.block import AT_CREATION, NEW_IMPORT, NO_REQUEST, Block, Makes, key
from tenantry.settings.values import FormerKeys, Name, SpaceName, SpaceRoles, SpaceType, Switch, Text, Version


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


class App(Block):
    """An app made from a template of the source tenant, and where it is published. (Apps API)"""

    makes = Makes(
        "App",
        "app",
        no_inputs=("staging", "publish_to", "protect"),
        of_stack=("source_tenant",),
        references=("space",),
        output=False,
        by_hand=True,
    )

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
