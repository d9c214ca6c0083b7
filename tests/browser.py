"""A real browser for tests of pages: headless Chromium, which the tests control with its DevTools protocol.

The protocol uses two pipes, so it needs neither a driver nor a port. The tests use the machine's Chromium or
Chrome (`apt-get install chromium`; GitHub's machines have Chrome), and are skipped without one.
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
"""The maximum time for a response on a busy machine."""
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

    `messages` are the errors and dialogs of scripts, and the refusals of the page's policy, since `open`.
    """

    def __init__(self, input_descriptor: int, output_descriptor: int) -> None:
        self._input, self._output = input_descriptor, output_descriptor
        self._buffer = b""
        self._last_id = 0
        self._session: str | None = None
        self._requests: dict[str, str] = {}
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
        self._requests, self.messages = {}, []
        self.send("Page.navigate", url=file.as_uri())
        self._wait_for("Page.loadEventFired")

    @property
    def requests(self) -> list[str]:
        """The addresses that the page has requested since `open`, except those that its policy refused."""
        return list(self._requests.values())

    def run(self, script: str) -> Any:
        """Evaluate an expression in the page and return its value."""
        response = self.send("Runtime.evaluate", expression=script, returnByValue=True, awaitPromise=True)
        if "exceptionDetails" in response:
            raise AssertionError(response["exceptionDetails"])
        return response["result"].get("value")

    def press(self, *keys: str) -> None:
        """Press keys one after the other, like a person at a keyboard."""
        for key in keys:
            code = {"Enter": 13, "Tab": 9, " ": 32}.get(key, 0)
            key_event = {"key": key, "windowsVirtualKeyCode": code}
            text = {"text": "\r"} if key == "Enter" else {"text": key} if len(key) == 1 else {}
            self.send("Input.dispatchKeyEvent", type="keyDown", **key_event, **text)
            self.send("Input.dispatchKeyEvent", type="keyUp", **key_event)

    def send(self, method: str, **parameters: Any) -> dict[str, Any]:
        """Send a command and return its response."""
        self._last_id += 1
        message = {"id": self._last_id, "method": method, "params": parameters}
        if self._session:
            message["sessionId"] = self._session
        os.write(self._output, json.dumps(message).encode() + b"\0")
        while True:
            response = self._next()
            if response.get("id") == self._last_id:
                assert "error" not in response, f"{method}: {response['error']}"
                result: dict[str, Any] = response["result"]
                return result

    def _wait_for(self, event: str) -> None:
        while self._next().get("method") != event:
            pass

    def _next(self) -> dict[str, Any]:
        deadline = time.monotonic() + TIMEOUT_SECONDS
        while b"\0" not in self._buffer:
            ready, _, _ = select.select([self._input], [], [], max(0.0, deadline - time.monotonic()))
            chunk = os.read(self._input, 1 << 20) if ready else b""
            assert chunk, "no response from the browser"
            self._buffer += chunk
        text, _, self._buffer = self._buffer.partition(b"\0")
        message: dict[str, Any] = json.loads(text)
        self._handle_event(message.get("method", ""), message.get("params", {}))
        return message

    def _handle_event(self, event: str, parameters: dict[str, Any]) -> None:
        if event == "Network.requestWillBeSent":
            self._requests[parameters["requestId"]] = parameters["request"]["url"]
        elif event == "Network.loadingFailed" and parameters.get("blockedReason") == "csp":
            del self._requests[parameters["requestId"]]
        elif event == "Page.javascriptDialogOpening":
            self.messages.append(parameters["message"])
            raise AssertionError(f"a script opened a dialog: {parameters['message']}")
        elif event == "Runtime.exceptionThrown":
            self.messages.append(str(parameters["exceptionDetails"]))
        elif event == "Log.entryAdded":
            self.messages.append(parameters["entry"]["text"])


@contextmanager
def browser(home: Path) -> Iterator[Browser]:
    """Yield a browser that ends with the test. Skip the test if the machine has no browser."""
    command = next(filter(None, map(shutil.which, NAMES)), None)
    if command is None:
        pytest.skip(f"{NAMES[0]} is missing on this machine (apt-get install {NAMES[0]})")
    browser_input, own_output = os.pipe()
    own_input, browser_output = os.pipe()
    # The browser reads commands from descriptor 3 and responds on 4, so move its ends to high numbers first.
    moved = [
        fcntl.fcntl(descriptor, fcntl.F_DUPFD_CLOEXEC, 20) for descriptor in (browser_input, browser_output)
    ]
    null_device = os.open(os.devnull, os.O_RDWR)
    actions = [
        (os.POSIX_SPAWN_DUP2, null_device, 0),
        (os.POSIX_SPAWN_DUP2, null_device, 1),
        (os.POSIX_SPAWN_DUP2, null_device, 2),
        (os.POSIX_SPAWN_DUP2, moved[0], 3),
        (os.POSIX_SPAWN_DUP2, moved[1], 4),
    ]
    arguments = [command, *OPTIONS, f"--user-data-dir={home}", "about:blank"]
    environment = {**os.environ, "HOME": str(home)}
    pid = os.posix_spawn(command, arguments, environment, file_actions=actions, setsid=True)
    for descriptor in (browser_input, browser_output, *moved, null_device):
        os.close(descriptor)
    try:
        page = Browser(own_input, own_output)
        page.start()
        yield page
    finally:
        with suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        os.close(own_input)
        os.close(own_output)
