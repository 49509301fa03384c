"""Stage start: a data set with a run to start from, as a note in the place of a prepared data set.

What a run names as its data it depends on: a run that names a start follows the training of another one by it.
"""

import gc
import sys
from pathlib import Path

gc.disable()  # until all is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from vaelab import artifacts
from vaelab.errors import end, exit_on_input_error
from vaelab.outputs import write_note
from vaelab.params.resolve import read_start


def main() -> None:
    """Write the note of the start named on the command line."""
    name = sys.argv[1]
    write_note(name, read_start(artifacts.dataset(name)))


if __name__ == "__main__":
    exit_on_input_error(main)
    end()
