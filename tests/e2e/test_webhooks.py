"""Webhooks with the real engine: their secrets are never in plain text."""

from __future__ import annotations

import json

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, changed, settings
from tests.e2e.harness import Stack
from tests.providers.test_webhook import EXAMPLE, PATH

FIRST, SECOND = "first-sign+ing/word of globex 0123456789", "second-sign+ing/word of globex 0123456789"


def test_a_secret_signs_and_is_rotated(stack: Stack, qlik: Emulator) -> None:
    entry = {"Portal": EXAMPLE["Portal"] | {"secret": "sales", "encrypted_headers": {"X-Key": "sales"}}}
    stack.write(**settings(changed(GLOBEX, ("webhooks", entry))))
    stack.set_secret("sales", FIRST)
    results = [stack.up()]
    assert ("create", "Webhook Portal") in results[-1].operations
    results.append(stack.pulumi("refresh", "--yes", "--skip-preview"))
    results.append(stack.up("--expect-no-changes"))
    stack.set_secret("sales", SECOND)
    results.append(stack.preview("--diff"))
    results.append(stack.up())
    assert [request["method"] for request in results[-1].requests if PATH in request["path"]] == ["PATCH"]
    [held] = [webhook for docs in qlik.control.dump().values() for webhook in docs.get("webhook", [])]
    assert (held["_secret"], held["_encryptedHeaders"]) == (SECOND, {"X-Key": SECOND})
    places = {str(result.args): f"{result.output}{json.dumps(result.events)}" for result in results}
    places["stack export"] = json.dumps(stack.export())
    places["requests"] = json.dumps(qlik.control.requests(all=True))
    for file in stack.folder.rglob("*"):
        if file.is_file() and not any(path.is_symlink() for path in (file, *file.parents)):
            places[str(file)] = file.read_text("utf-8", "replace")
    assert [place for place, text in places.items() if FIRST in text or SECOND in text] == []
