"""How a command ends that is told to: by SIGTERM as by Ctrl-C, so that what is half done is taken away."""

import signal
from collections.abc import Iterator
from contextlib import contextmanager

from vaelab.errors import Interrupted


@contextmanager
def as_interrupts() -> Iterator[None]:
    """Make SIGTERM an interrupt in the block, and an interrupt again what typer makes an exit code of, without a word.

    Raises:
        KeyboardInterrupt: the user, or the system, has ended the block.
    """
    if signal.getsignal(signal.SIGTERM) is signal.SIG_DFL:  # else it is ignored, or somebody else's
        signal.signal(signal.SIGTERM, _end)
    try:
        yield
    except SystemExit as end:
        cause = None if end.__context__ is None else end.__context__.__cause__
        if isinstance(cause, KeyboardInterrupt):
            raise cause from None
        raise


def _end(number: int, _frame: object) -> None:
    raise Interrupted(number, "run the same command again")
