"""The store of documents."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path

import pytest

from tenantry.emulator.store import Store, public


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    new_store = Store(tmp_path / "state.sqlite3")
    yield new_store
    new_store.close()


def test_a_transaction_is_all_or_nothing(store: Store) -> None:
    store.put("t", "group", {"id": "1", "name": "A"})
    with suppress(KeyError), store.transaction():
        store.put("t", "group", {"id": "1", "name": "B"})
        store.put("t", "group", {"id": "2", "name": "C"})
        raise KeyError
    assert store.all("t", "group") == [{"id": "1", "name": "A"}]


def test_a_changed_document_keeps_its_position_and_its_parent(store: Store) -> None:
    for key in "123":
        store.put("t", "app", {"id": key, "name": key}, parent="space")
    store.put("t", "app", {"id": "1", "name": "renamed"})
    assert [doc["name"] for doc in store.all("t", "app", parent="space")] == ["renamed", "2", "3"]
    assert store.by_name("t", "app", "renamed") == [{"id": "1", "name": "renamed"}]
    assert store.by_name("t", "app", "1") == []


def test_deleting_a_document_deletes_its_children_in_the_same_tenant(store: Store) -> None:
    store.put("t", "space", {"id": "s"})
    store.put("t", "assignment", {"id": "a"}, parent="s")
    store.put("other", "assignment", {"id": "a"}, parent="s")
    store.delete("t", "space", "s")
    assert store.dump() == {"other": {"assignment": [{"id": "a"}]}}
    assert (store.count("t", "assignment"), store.count("other", "assignment", parent="s")) == (0, 1)


def test_the_emulators_own_keys_are_not_public() -> None:
    assert public({"id": "1", "_file": "x"}) == {"id": "1"}
