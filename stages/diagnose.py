"""Stage diagnose: what is wrong with one run, why, and what to do, from what the other stages have saved of it."""

import gc
import sys
from pathlib import Path

gc.disable()  # until all is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from vaelab import artifacts, storage
from vaelab.diagnosis.case import read_case
from vaelab.diagnosis.engine import as_metrics, as_record, diagnose
from vaelab.errors import end, exit_on_input_error
from vaelab.params.resolve import read_run


def main() -> None:
    """Diagnose the run named on the command line."""
    case = read_case(read_run(artifacts.resolved(sys.argv[1])))
    found = diagnose(case)
    storage.write_json(artifacts.diagnosis(case.run.name), as_record(found, case))
    storage.write_json(artifacts.health(case.run.name), as_metrics(found))


if __name__ == "__main__":
    exit_on_input_error(main)
    end()
