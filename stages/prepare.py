"""Stage prepare: the raw data of one data set to data/prepared/<name>/."""

import gc
import sys
from pathlib import Path

gc.disable()  # until all is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from vaelab import artifacts, storage
from vaelab.data.sources import prepare
from vaelab.errors import end, exit_on_input_error
from vaelab.params.resolve import read_dataset


def main() -> None:
    """Convert the data set named on the command line, if an active run uses it."""
    name = sys.argv[1]
    settings = read_dataset(artifacts.dataset(name)).settings
    if settings is None:
        text = f"no run of {artifacts.PARAMS} uses data set {name}: it is prepared when one does"
        storage.write_text(artifacts.prepared(name) / "unused.txt", f"{text}\n")
        print(text)
    else:
        prepare(settings, artifacts.prepared(name))


if __name__ == "__main__":
    exit_on_input_error(main)
    end()
