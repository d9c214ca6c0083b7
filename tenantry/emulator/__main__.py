"""The emulator from the command line: `python -m tenantry.emulator`."""

from __future__ import annotations

import argparse
import errno
import signal
import sys
import tempfile
import threading
from collections.abc import Sequence
from pathlib import Path

from tenantry.emulator.settings import LENIENT_RULES

DEFAULT_PORT = 8765
STOP_SIGNALS = (signal.SIGINT, signal.SIGTERM)
POLL_SECONDS = 0.5
"""The length of each wait. On some systems a signal cannot interrupt a wait without a timeout."""

HTTP_STEPS = "  export QLIK_CLOUD_ENDPOINT={url}\n"

TLS_STEPS = """\
  Its CA file: {data}/emulator-ca.pem
  curl --cacert {data}/emulator-ca.pem --connect-to ::{address} https://templates.eu.qlikcloud.com/...
"""

GREETING = """\
Qlik Cloud emulator on {url}

{how}\
  export QLIK_CLIENT_ID=demo QLIK_CLIENT_SECRET=demo-secret            # region eu
  export QLIK_ORG_CLIENT_ID=demo-org QLIK_ORG_CLIENT_SECRET=demo-org-secret

The source tenant is templates.eu.qlikcloud.com. The data is in {data}. Press Ctrl+C to stop.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run the emulator until a signal ends it. Call this from the main thread.

    Args:
        argv: the arguments. By default, the arguments of the process.

    Returns:
        The exit status: 0 after SIGINT or SIGTERM, 1 if the emulator cannot start or has failed.
    """
    options = _parser().parse_args(argv)
    stop_signal = _StopSignal()
    # Installed before anything starts, so that no early signal is lost.
    previous = {number: signal.signal(number, stop_signal) for number in STOP_SIGNALS}
    try:
        with tempfile.TemporaryDirectory(prefix="qlik-emulator-") as scratch:
            return _run(options, Path(options.data or scratch), stop_signal)
    except _StoppedEarly:
        return 0
    finally:
        for number, handler in previous.items():
            signal.signal(number, handler)


class _StoppedEarly(Exception):
    """A signal arrived while the emulator was starting."""


class _StopSignal:
    """The handler of the signals that end the process.

    While the emulator starts, a signal raises `_StoppedEarly`. Once it serves, a signal sets an event.
    """

    def __init__(self) -> None:
        self.is_serving = False
        self._received = threading.Event()

    def __call__(self, *_: object) -> None:
        self._received.set()
        if not self.is_serving:
            raise _StoppedEarly

    def wait(self, seconds: float) -> bool:
        """Wait for a signal, at most `seconds`. Return whether one has arrived."""
        return self._received.wait(seconds)


def _run(options: argparse.Namespace, data: Path, stop_signal: _StopSignal) -> int:
    from tenantry.emulator import Emulator

    emulator = Emulator(
        data,
        options.port,
        latency_ms=options.latency,
        rate_limits=not options.no_rate_limits,
        tls=options.tls,
        items_lag_ms=options.items_lag,
        publish_ready_ms=options.publish_ready,
        space_ready_ms=options.space_ready,
        lenient=options.lenient,
    )
    try:
        emulator.start()
        try:
            stop_signal.is_serving = True
            print(_greeting(emulator.url, data.resolve()), flush=True)
            while not stop_signal.wait(POLL_SECONDS) and not emulator.has_failed:
                pass
        finally:
            emulator.stop()
    except OSError as error:
        is_port_in_use = error.errno == errno.EADDRINUSE
        message = (
            f"cannot listen on 127.0.0.1:{options.port}: {error.strerror}" if is_port_in_use else str(error)
        )
        print(message, file=sys.stderr)
        return 1
    except RuntimeError as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def _greeting(url: str, data: Path) -> str:
    how = TLS_STEPS if url.startswith("https") else HTTP_STEPS
    address = url.partition("//")[2]
    return GREETING.format(url=url, data=data, how=how.format(url=url, data=data, address=address))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emulator", description="Start a local Qlik Cloud. It listens on the loopback address only."
    )
    add = parser.add_argument
    add("--port", type=_port, default=DEFAULT_PORT, help="0 takes any free port (default: %(default)s)")
    add("--data", metavar="DIR", help="folder for the state (default: a temporary folder)")
    add("--latency", type=_milliseconds, default=0, metavar="MS", help="delay every response (default: 0)")
    add("--tls", action="store_true", help="serve https, and write the CA file into the data folder")
    add("--no-rate-limits", action="store_true", help="do not enforce Qlik's rate limits")
    add(
        "--lenient",
        type=_rules,
        nargs="?",
        const=tuple(LENIENT_RULES),
        default=(),
        metavar="RULES",
        help=f"accept what Qlik's own samples send. Without RULES: all of {','.join(LENIENT_RULES)}",
    )
    lag = "default: %(default)s"
    add("--items-lag", type=_milliseconds, default=300, metavar="MS", help=f"list new apps late ({lag})")
    add(
        "--publish-ready",
        type=_milliseconds,
        default=500,
        metavar="MS",
        help=f"return 403 for new publications ({lag})",
    )
    add(
        "--space-ready",
        type=_milliseconds,
        default=200,
        metavar="MS",
        help=f"refuse apps in new spaces ({lag})",
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: use 0 to 65535")
    return int(text)


def _rules(text: str) -> tuple[str, ...]:
    rules = tuple(text.split(","))
    if unknown := [rule for rule in rules if rule not in LENIENT_RULES]:
        raise argparse.ArgumentTypeError(
            f"{unknown[0]!r} is not a rule. The rules are {', '.join(LENIENT_RULES)}"
        )
    return rules


def _milliseconds(text: str) -> float:
    if not text.isdecimal() or int(text) > 600_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of milliseconds up to 600000")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
