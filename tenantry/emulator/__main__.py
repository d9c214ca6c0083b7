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

from tenantry.emulator.settings import LENIENT

DEFAULT_PORT = 8765
ENDING = (signal.SIGINT, signal.SIGTERM)
POLL_SECONDS = 0.5
"""A wait without end cannot be interrupted on every system."""

PLAIN = "  export QLIK_CLOUD_ENDPOINT={url}\n"

TLS = """\
  Its CA file: {data}/emulator-ca.pem
  curl --cacert {data}/emulator-ca.pem --connect-to ::{address} https://templates.eu.qlikcloud.com/...
"""

READY = """\
Qlik Cloud emulator on {url}

{how}\
  export QLIK_CLIENT_ID=demo QLIK_CLIENT_SECRET=demo-secret            # region eu
  export QLIK_ORG_CLIENT_ID=demo-org QLIK_ORG_CLIENT_SECRET=demo-org-secret

Source tenant templates.eu.qlikcloud.com, data in {data}. Ctrl+C ends it.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run until interrupted; to be called from the main thread.

    Args:
        argv: arguments; those of the process by default.

    Returns:
        Exit status: 0 after SIGINT or SIGTERM, 1 when it cannot start or has failed.
    """
    options = _parser().parse_args(argv)
    ending = _Ending()
    # Set before anything is started, so that no signal is lost, however early it comes.
    previous = {each: signal.signal(each, ending) for each in ENDING}
    try:
        with tempfile.TemporaryDirectory(prefix="qlik-emulator-") as scratch:
            return _run(options, Path(options.data or scratch), ending)
    except _Interrupted:
        return 0
    finally:
        for each, handler in previous.items():
            signal.signal(each, handler)


class _Interrupted(Exception):
    """A signal came while the emulator was being started."""


class _Ending:
    """Takes the signals that end the process: at once while it starts, by an event once it serves."""

    def __init__(self) -> None:
        self.serves = False
        self._came = threading.Event()

    def __call__(self, *_: object) -> None:
        self._came.set()
        if not self.serves:
            raise _Interrupted

    def wait(self, seconds: float) -> bool:
        """Whether a signal has come, after so many seconds at most."""
        return self._came.wait(seconds)


def _run(options: argparse.Namespace, data: Path, ending: _Ending) -> int:
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
            ending.serves = True
            print(_greeting(emulator.url, data.resolve()), flush=True)
            while not ending.wait(POLL_SECONDS) and not emulator.has_failed:
                pass
        finally:
            emulator.stop()
    except OSError as error:
        taken = error.errno == errno.EADDRINUSE
        why = f"cannot listen on 127.0.0.1:{options.port}: {error.strerror}" if taken else str(error)
        print(why, file=sys.stderr)
        return 1
    except RuntimeError as failure:
        print(failure, file=sys.stderr)
        return 1
    return 0


def _greeting(url: str, data: Path) -> str:
    how = TLS if url.startswith("https") else PLAIN
    address = url.partition("//")[2]
    return READY.format(url=url, data=data, how=how.format(url=url, data=data, address=address))


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="emulator", description="A local Qlik Cloud, on the loopback address only."
    )
    add = parser.add_argument
    add("--port", type=_port, default=DEFAULT_PORT, help="0 for any free one (default: %(default)s)")
    add("--data", metavar="DIR", help="keep the state there (default: a folder that is removed at the end)")
    add("--latency", type=_milliseconds, default=0, metavar="MS", help="added to every answer (default: 0)")
    add("--tls", action="store_true", help="serve https; the CA file is written beside the data")
    add("--no-rate-limits", action="store_true", help="do not enforce Qlik's rate limits")
    add(
        "--lenient",
        type=_rules,
        nargs="?",
        const=tuple(LENIENT),
        default=(),
        metavar="RULES",
        help=f"let pass what Qlik's own samples do; all, or some of {','.join(LENIENT)}",
    )
    lag = "default: %(default)s"
    add("--items-lag", type=_milliseconds, default=300, metavar="MS", help=f"fresh apps show late ({lag})")
    add(
        "--publish-ready",
        type=_milliseconds,
        default=500,
        metavar="MS",
        help=f"publications answer 403 ({lag})",
    )
    add(
        "--space-ready",
        type=_milliseconds,
        default=200,
        metavar="MS",
        help=f"fresh spaces refuse apps ({lag})",
    )
    return parser


def _port(text: str) -> int:
    if not text.isdecimal() or int(text) > 65_535:
        raise argparse.ArgumentTypeError(f"{text!r} is not a port; there are 0 to 65535")
    return int(text)


def _rules(text: str) -> tuple[str, ...]:
    rules = tuple(text.split(","))
    if unknown := [rule for rule in rules if rule not in LENIENT]:
        raise argparse.ArgumentTypeError(f"{unknown[0]!r} is not a rule; there are {', '.join(LENIENT)}")
    return rules


def _milliseconds(text: str) -> float:
    if not text.isdecimal() or int(text) > 600_000:
        raise argparse.ArgumentTypeError(f"{text!r} is not a number of milliseconds up to 600000")
    return int(text)


if __name__ == "__main__":
    sys.exit(main())
