"""Sequences of commands that together use every feature of the in-process engine."""

from __future__ import annotations

from typing import Any

from tests.crash.traces.comparison import Doc, Step


def thing(name: str, **inputs: Any) -> Doc:
    """Return the declaration of a resource; see `program/__main__.py`."""
    return {"name": name, "size": 1, **inputs}


def changed(program: list[Doc], **changes: Doc | None) -> list[Doc]:
    """Return a program in which some things have changed inputs. None removes a thing."""
    return [
        {**declaration, **(changes.get(declaration["name"]) or {})}
        for declaration in program
        if changes.get(declaration["name"], {}) is not None
    ]


def set_live(**sizes: int | None) -> Any:
    """Return a function that sets the sizes of real objects, by id with `_` for `-`. None deletes one."""

    def change(live: Doc) -> None:
        for name, size in sizes.items():
            id = name.replace("_", "-")
            if size is None:
                del live[id]
            else:
                live[id]["size"] = size

    return change


MANY_THINGS = [
    thing("base"),
    thing("user", like="base"),
    thing("room", of="base"),
    thing("deep", of="room"),
    thing("late", needs=["room", "user"]),
    thing("ball", shape="round"),
    thing("lid", of="ball"),
    thing("box", shape="square", deletes_first=True),
    thing("boxlid", of="box"),
    thing("boxlidlid", of="boxlid"),
    thing("boxlabel", like="box"),
    thing("boxneed", needs=["box"]),
    thing("host", shape="flat"),
    thing("guest", of="host", deleted_with="host"),
    thing("stray", deleted_with="host"),
    thing("group", group=True),
    thing("inside", parent="group"),
    thing("group-part", parent="group", needs=["inside"]),
    thing("club", group=True, protect=True, deleted_with="host"),
    thing("member", parent="club"),
    thing("fan", needs=["group"]),
    thing("hanger", deleted_with="boxlid"),
    thing("before", shape="old"),
    thing("waste"),
    thing("wasted", needs=["waste"], parent="waste"),
    thing("safe", protect=True, of="base"),
]
MANY_CHANGES = [
    *changed(
        MANY_THINGS,
        base={"size": 2},
        ball={"shape": "oval"},
        box={"shape": "long"},
        host={"shape": "steep"},
        group={"name": "team", "former_names": ["group"], "size": 5},
        fan={"needs": ["team"]},
        hanger=None,
        inside={"parent": "team"},
        before={"name": "after", "former_names": ["nothing", "before"], "size": 3},
        waste=None,
        wasted=None,
        **{"group-part": {"name": "team-part", "parent": "team"}},
    ),
]

LIFECYCLE = [
    Step("up", MANY_THINGS),
    Step("up"),
    Step("up", MANY_CHANGES),
    Step("refresh", live=set_live(base_1=7, user_1=None, room_1=9, host_2=None)),
    Step("up"),
    Step("up", refresh=True, live=set_live(box_2=None, inside_1=4)),
    Step("destroy", ok=False),
    Step("destroy", unprotected=True),
]

PARTS = [
    thing("group", group=True),
    thing("first", parent="group"),
    thing("second", parent="group", needs=["first"]),
    thing("third", needs=["second"]),
]
RENAMED = changed(
    PARTS,
    group={"name": "team", "former_names": ["group"]},
    first={"parent": "team", "size": 2},
    second={"parent": "team"},
)

RENAMES = [
    Step("up", PARTS),
    Step("up", RENAMED, {"update first": "fail"}, ok=False),
    Step("up"),
    Step("up", changed(RENAMED, first={"name": "one", "former_names": ["first"]}, second={"needs": ["one"]})),
]

CHAIN = [thing("a"), thing("b", needs=["a"]), thing("c", needs=["b"])]
LONG_CHAIN = [*CHAIN, thing("d", needs=["c"]), thing("e", of="d")]
CHANGED_CHAIN = changed(LONG_CHAIN, b={"size": 2}, c={"size": 2})

FAILURES = [
    Step("up", CHAIN, {"create b": "fail"}, ok=False),
    Step("up", LONG_CHAIN, {"create d": "half"}, ok=False),
    Step("up"),
    Step("up", CHANGED_CHAIN, {"update b": "fail"}, ok=False),
    Step("up", changed(CHANGED_CHAIN, b={"wrong": True}), ok=False),
    Step("up", changed(CHANGED_CHAIN, d={"size": 5}), {"update d": "half"}, ok=False),
    Step("refresh"),
    Step("up", changed(CHANGED_CHAIN, d={"size": 6}), {"update d": "half"}, ok=False),
    Step("up"),
    Step("refresh", None, {"read b": "fail"}, live=set_live(c_1=8), ok=False),
    Step("up", None, {"read b": "fail"}, refresh=True, ok=False),
]

HALF_REPLACED = [
    Step("up", LONG_CHAIN),
    Step("up", changed(LONG_CHAIN, d={"shape": "new"}), {"create d": "fail"}, ok=False),
    Step("up", None, {"create d": "half"}, ok=False),
    Step("up", None, {"delete e": "fail"}, ok=False),
    Step("refresh"),
    Step("up", changed(LONG_CHAIN, d={"shape": "first", "deletes_first": True})),
    Step(
        "up", changed(LONG_CHAIN, d={"shape": "again", "deletes_first": True}), {"delete d": "fail"}, ok=False
    ),
    Step("up", None, {"create d": "fail"}, ok=False),
    Step("refresh"),
    Step("up", CHAIN),
    Step("up", changed(LONG_CHAIN, d={"deletes_first": True})),
    Step(
        "up", changed(LONG_CHAIN, d={"deletes_first": True, "shape": "odd"}), {"create d": "fail"}, ok=False
    ),
    Step("up", changed(LONG_CHAIN, d={"deletes_first": True})),
    Step("destroy", None, {"delete b": "fail"}, ok=False),
]

PROTECTED_THINGS = [thing("a"), thing("b", of="a", protect=True), thing("c", needs=["b"])]

PROTECTED = [
    Step("up", PROTECTED_THINGS),
    Step("up", changed(PROTECTED_THINGS, b={"shape": "new"}), ok=False),
    Step("up", changed(PROTECTED_THINGS, a={"shape": "new", "deletes_first": True}), ok=False),
    Step("up", changed(PROTECTED_THINGS, b=None, c=None), ok=False),
    Step("up", changed(PROTECTED_THINGS, b={"protect": False, "shape": "new"})),
    Step("up", [*PROTECTED_THINGS, thing("a")], ok=False),
]

TARGET_THINGS = [
    thing("a"),
    thing("b", of="a"),
    thing("c", like="a"),
    thing("d"),
    thing("y", delete_before_replace=True),
    thing("z", of="y"),
    thing("kid", parent="z"),
    thing("p", needs=["d"]),
    thing("q", needs=["p"]),
]
MORE_THINGS = [*TARGET_THINGS, thing("e", of="a"), thing("f", of="e")]

TARGETS = [
    Step("up", TARGET_THINGS),
    Step("up", replace=("a", "d")),
    Step("up", replace=("y",)),
    Step("up", tainted="d"),
    Step("up", changed(TARGET_THINGS, a={"size": 2}, d={"size": 2}), targets=("d",)),
    Step("up", changed(MORE_THINGS, a={"size": 2}), targets=("f",), ok=False),
    Step("up", [*changed(MORE_THINGS, q=None), thing("q", like="e")], targets=("q",), ok=False),
    Step("up", changed(MORE_THINGS, a={"size": 2}), targets=("e",)),
    Step("up", targets=("a",), target_dependents=True),
    Step(
        "up", changed(MORE_THINGS, b=None, d=None, f=None, p=None, q={"needs": []}), targets=("a",), ok=False
    ),
    Step("up", targets=("nothing",), ok=False),
    Step("up", replace=("nothing",), ok=False),
    Step("refresh", targets=("nothing",), ok=False),
    Step("refresh", live=set_live(c_1=9, z_2=9), targets=("c",)),
    Step("up", targets=("z",)),
    Step("destroy", targets=("a",), ok=False),
    Step("destroy", targets=("a", "y"), target_dependents=True),
    Step("destroy"),
]

PARALLEL = [
    Step(
        "up",
        [thing("a"), thing("b"), thing("c"), thing("d"), thing("e", needs=["b"])],
        {
            "create a": "late begun b,begun c,begun d",
            "create b": "slow",
            "create c": "slow",
            "create d": "slow",
        },
        ok=False,
        parallel=4,
    ),
    Step("up", parallel=4),
]
