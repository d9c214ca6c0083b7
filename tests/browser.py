"""A real browser for tests of pages: headless Chromium, controlled through its DevTools protocol.

The protocol uses two pipes, so it needs neither a driver nor a port. The tests use the machine's Chromium or
Chrome (`apt-get install chromium`; GitHub's machines have Chrome). Without one, they are skipped.
"""

from __future__ import annotations

import fcntl
import json
import os
import select
import shutil
import signal
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
TIMEOUT_SECONDS = 120.0
"""The maximum seconds for a response on a busy machine."""
OPTIONS = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-extensions",
    "--no-first-run",
    "--hide-scrollbars",
)


class Browser:
    """One page in a browser.

    `messages` are the errors, dialogs and policy refusals of scripts since `open`.
    """

    def __init__(self, reads: int, writes: int) -> None:
        self._reads, self._writes = reads, writes
        self._rest = b""
        self._number = 0
        self._session: str | None = None
        self._asked: dict[str, str] = {}
        self.messages: list[str] = []

    def start(self) -> None:
        """Open an empty page, and listen to its events."""
        target = self.send("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.send("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Runtime", "Network", "Log"):
            self.send(f"{domain}.enable")

    def open(self, file: Path, *, width: int = 1200, height: int = 900, scripts: bool = True) -> None:
        """Show a page in a window of this size in pixels; return after it has loaded."""
        self.send("Emulation.setScriptExecutionDisabled", value=not scripts)
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 600}
        self.send("Emulation.setDeviceMetricsOverride", **size)
        self._asked, self.messages = {}, []
        self.send("Page.navigate", url=file.as_uri())
        self._until("Page.loadEventFired")

    @property
    def requests(self) -> list[str]:
        """The addresses that the page has requested since `open`, without those that its policy refused."""
        return list(self._asked.values())

    def run(self, script: str) -> Any:
        """Evaluate an expression in the page and return its value."""
        answer = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in answer:
            raise AssertionError(answer["exceptionDetails"])
        return answer["result"].get("value")

    def press(self, *keys: str) -> None:
        """Press keys one after the other, like a person at a keyboard."""
        for key in keys:
            code = {"Enter": 13, "Tab": 9, " ": 32}.get(key, 0)
            known = {"key": key, "windowsVirtualKeyCode": code}
            text = {"text": "\r"} if key == "Enter" else {"text": key} if len(key) == 1 else {}
            self.send("Input.dispatchKeyEvent", type="keyDown", **known, **text)
            self.send("Input.dispatchKeyEvent", type="keyUp", **known)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its response."""
        self._number += 1
        message = {"id": self._number, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._writes, json.dumps(message).encode() + b"\0")
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, f"{method}: {answer['error']}"
                result: dict[str, Any] = answer["result"]
                return result

    def _until(self, event: str) -> None:
        while self._next().get("method") != event:
            pass

    def _next(self) -> dict[str, Any]:
        end = time.monotonic() + TIMEOUT_SECONDS
        while b"\0" not in self._rest:
            ready, _, _ = select.select([self._reads], [], [], max(0.0, end - time.monotonic()))
            part = os.read(self._reads, 1 << 20) if ready else b""
            assert part, "no response from the browser"
            self._rest += part
        text, _, self._rest = self._rest.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        self._listen(message.get("method", ""), message.get("params", {}))
        return message

    def _listen(self, event: str, parameters: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            self._asked[parameters["requestId"]] = parameters["request"]["url"]
        elif event == "Network.loadingFailed" and parameters.get("blockedReason") == "csp":
            del self._asked[parameters["requestId"]]
        elif event == "Page.javascriptDialogOpening":
            self.messages.append(parameters["message"])
            raise AssertionError(f"a script opened a dialog: {parameters['message']}")
        elif event == "Runtime.exceptionThrown":
            self.messages.append(str(parameters["exceptionDetails"]))
        elif event == "Log.entryAdded":
            self.messages.append(parameters["entry"]["text"])


@contextmanager
def browser(home: Path) -> Iterator[Browser]:
    """Yield a browser that ends with the test; skip the test if the machine has none."""
    command = next(filter(None, map(shutil.which, NAMES)), None)
    if command is None:
        pytest.skip(f"{NAMES[0]} is missing on this machine (apt-get install {NAMES[0]})")
    theirs_in, ours_out = os.pipe()
    ours_in, theirs_out = os.pipe()
    # A browser reads commands from descriptor 3 and responds on 4. So move our ends off both numbers first.
    high = [fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 20) for descriptor in (theirs_in, theirs_out)]
    nothing = os.open(os.devnull, os.O_RDWR)
    actions = [
        (os.POSIX_SPAWN_DUP2, nothing, 0),
        (os.POSIX_SPAWN_DUP2, nothing, 1),
        (os.POSIX_SPAWN_DUP2, nothing, 2),
        (os.POSIX_SPAWN_DUP2, high[0], 3),
        (os.POSIX_SPAWN_DUP2, high[1], 4),
    ]
    arguments = [command, *OPTIONS, f"--user-data-dir={home}", "about:blank"]
    environment = {**os.environ, "HOME": str(home)}
    pid = os.posix_spawn(command, arguments, environment, file_actions=actions, setsid=True)
    for descriptor in (theirs_in, theirs_out, *high, nothing):
        os.close(descriptor)
    try:
        made = Browser(ours_in, ours_out)
        made.start()
        yield made
    finally:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(ours_in)
        os.close(ours_out)
