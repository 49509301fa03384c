"""The one error that a user is meant to see, and how a script ends on it."""

import io
import sys
from collections.abc import Callable


class InputError(Exception):
    """Something that the user gave is wrong: the message says what, where and what was expected."""


def shortened(error: Exception, most: int = 200) -> str:
    """Return what an error of a library says, on one line of at most `most` characters."""
    text = " ".join(str(error).split())
    return text if len(text) <= most else f"{text[:most]}..."


def exit_on_input_error(main: Callable[[], None]) -> None:
    """Run `main`; on an InputError print one message and exit with code 2, on Ctrl-C with 130.

    What the terminal's encoding lacks is written as an escape: nothing that was computed is lost for it.
    """
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")
    try:
        main()
    except InputError as error:
        print(f"error: {error}", file=sys.stderr)
        sys.exit(2)
    except KeyboardInterrupt:
        print("interrupted: run the same command again to go on from here", file=sys.stderr)
        sys.exit(130)
