"""A command that dies with the process that began it: python -m vaelab.commands.repro.tied COMMAND WORDS..."""

import os
import sys

from vaelab.errors import end_with_parent

if __name__ == "__main__":
    end_with_parent()
    os.execvp(sys.argv[1], sys.argv[1:])
