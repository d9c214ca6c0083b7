"""The emulator from the command line: `python -m emulator`."""

from __future__ import annotations

import argparse
import sys
import tempfile
from collections.abc import Sequence
from pathlib import Path

DEFAULT_PORT = 8765

READY = """\
Qlik Cloud emulator on {url}

  export QLIK_CLOUD_ENDPOINT={url}
  export QLIK_CLIENT_ID=demo QLIK_CLIENT_SECRET=demo-secret            # region eu
  export QLIK_ORG_CLIENT_ID=demo-org QLIK_ORG_CLIENT_SECRET=demo-org-secret

Source tenant templates.eu.qlikcloud.com, data in {data}. Ctrl+C ends it.
"""


def main(argv: Sequence[str] | None = None) -> int:
    """Run until interrupted.

    Args:
        argv: arguments; those of the process by default.

    Returns:
        Exit status: 0 after SIGINT or SIGTERM, 1 when the port is taken.
    """
    options = _parser().parse_args(argv)
    from . import Emulator

    with tempfile.TemporaryDirectory(prefix="qlik-emulator-") as scratch:
        data = Path(options.data or scratch)
        emulator = Emulator(
            data,
            options.port,
            latency_ms=options.latency,
            rate_limits=not options.no_rate_limits,
            tls=options.tls,
            items_lag_ms=options.items_lag,
            publish_ready_ms=options.publish_ready,
            space_ready_ms=options.space_ready,
        )
        try:
            emulator.start()
        except OSError as error:
            print(f"cannot listen on 127.0.0.1:{options.port}: {error.strerror}", file=sys.stderr)
            return 1
        print(READY.format(url=emulator.url, data=data.resolve()), flush=True)
        try:
            _wait_for_signal()
        finally:
            emulator.stop()
    return 0


def _wait_for_signal() -> None:
    import signal

    # Blocked first, so that a signal between two lines is waited for, not acted upon.
    ending = {signal.SIGINT, signal.SIGTERM}
    signal.pthread_sigmask(signal.SIG_BLOCK, ending)
    signal.sigwait(ending)


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
    port = int(text)
    if not 0 <= port <= 65_535:
        raise ValueError
    return port


def _milliseconds(text: str) -> float:
    value = float(text)
    if not 0 <= value < 600_000:
        raise ValueError
    return value


if __name__ == "__main__":
    sys.exit(main())
