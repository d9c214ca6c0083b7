"""Webhooks with the real engine: their secrets are never in plain text."""

from __future__ import annotations

import json

from tenantry.emulator import Emulator
from tests.e2e.customers import GLOBEX, settings, with_changes
from tests.e2e.harness import Stack
from tests.providers.test_webhook import EXAMPLE, PATH

FIRST, SECOND = "first-sign+ing/word of globex 0123456789", "second-sign+ing/word of globex 0123456789"


def test_a_webhooks_secret_rotates_and_is_never_in_plain_text(stack: Stack, qlik: Emulator) -> None:
    entry = {"Portal": EXAMPLE["Portal"] | {"secret": "sales", "encrypted_headers": {"X-Key": "sales"}}}
    stack.write(**settings(with_changes(GLOBEX, ("webhooks", entry))))
    stack.set_secret("sales", FIRST)
    results = [stack.up()]
    assert ("create", "Webhook Portal") in results[-1].operations
    results.append(stack.pulumi("refresh", "--yes", "--skip-preview"))
    results.append(stack.up("--expect-no-changes"))
    stack.set_secret("sales", SECOND)
    results.append(stack.preview("--diff"))
    results.append(stack.up())
    assert [request["method"] for request in results[-1].requests if PATH in request["path"]] == ["PATCH"]
    [webhook_at_qlik] = [
        webhook for docs in qlik.control.dump().values() for webhook in docs.get("webhook", [])
    ]
    assert (webhook_at_qlik["_secret"], webhook_at_qlik["_encryptedHeaders"]) == (SECOND, {"X-Key": SECOND})
    texts = {str(result.args): f"{result.output}{json.dumps(result.events)}" for result in results}
    texts["stack export"] = json.dumps(stack.export())
    texts["requests"] = json.dumps(qlik.control.requests(all=True))
    for file in stack.folder.rglob("*"):
        if file.is_file() and not any(path.is_symlink() for path in (file, *file.parents)):
            texts[str(file)] = file.read_text("utf-8", "replace")
    assert [place for place, text in texts.items() if FIRST in text or SECOND in text] == []
