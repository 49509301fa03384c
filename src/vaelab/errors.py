"""The one error that a user is meant to see, and how a script ends on it."""

import atexit
import errno
import gc
import io
import os
import signal
import sys
import threading
from collections.abc import Callable

END_WITH_PARENT = "VAELAB_END_WITH_PARENT"  # in the environment of what must not outlive a machine's task


class InputError(Exception):
    """Something that the user gave is wrong: the message says what, where and what was expected."""


class Interrupted(KeyboardInterrupt):
    """The user, or the system, asked a command to end, by Ctrl-C or SIGTERM.

    Args:
        number: of the signal.
        message: what is kept, and how to go on.
    """

    def __init__(self, number: int = signal.SIGINT, message: str = "run the same command again to go on") -> None:
        super().__init__(message)
        self.number = number


def shortened(error: Exception, most: int = 200) -> str:
    """Return what an error of a library says, on one line of at most `most` characters."""
    text = " ".join(str(error).split())
    return text if len(text) <= most else f"{text[:most]}..."


def end_with_parent(number: int = signal.SIGTERM) -> None:
    """Have Linux send a signal to this process when the one that began it has died, however that died."""
    if sys.platform == "linux":
        import ctypes

        ctypes.CDLL(None).prctl(1, number)  # PR_SET_PDEATHSIG


def exit_on_input_error(main: Callable[[], None]) -> None:
    """Run `main`; on an InputError print one message and exit with code 2, on Ctrl-C with 130, on SIGTERM with 143.

    What the terminal's encoding lacks is written as an escape: nothing that was computed is lost for it.
    """
    gc.freeze()  # what is imported stays: nothing need be looked for there
    gc.enable()
    if os.environ.get(END_WITH_PARENT):
        end_with_parent()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        main()
        sys.stdout.flush()
    except OSError as error:
        if error.errno != errno.ENOSPC or error.filename is not None:
            raise
        sys.stdout = open(os.devnull, "w")  # noqa: SIM115  what it holds would fail once more at the end
        print("error: what is printed cannot be written: no space left where it goes", file=sys.stderr)
        sys.exit(2)
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except Interrupted as interrupt:
        print(f"interrupted: {interrupt}", file=sys.stderr)
        sys.exit(128 + interrupt.number)
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on from here", file=sys.stderr)
        sys.exit(130)


def end() -> None:
    """End this process, with what is registered for its end, without taking apart all objects: .7 CPU s with torch.

    A script that runs within a program of its own, as by runpy, only ends itself.
    """
    if sys.argv[0] not in sys.orig_argv:
        return
    threading._shutdown()  # type: ignore[attr-defined]
    atexit._run_exitfuncs()
    sys.stdout.flush()
    sys.stderr.flush()
    os._exit(0)
