"""Stage prepare: the raw data of one data set to data/prepared/<name>/."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from vaelab import artifacts
from vaelab.data.sources import prepare
from vaelab.errors import exit_on_input_error
from vaelab.params.resolve import read_params


def main() -> None:
    """Convert the data set named on the command line."""
    name = sys.argv[1]
    prepare(read_params(artifacts.PARAMS).datasets[name], artifacts.prepared(name))


if __name__ == "__main__":
    exit_on_input_error(main)
