"""Planted pathologies: runs that are broken in one way, or healthy; how often diagnosis names what was planted.

    python benchmarks/plants.py PLANTS.yaml [NAME ...] [--folder FOLDER] [--jobs N] [--seeds OFFSET] [--again STAGE]

The file has `datasets` and `runs` as in params.yaml, and
- `edits`: prepared data sets, copied and broken (plant_edits.py); `make`: raw data that are made first (plant_data.py);
- `share`: runs that take the weights of another run;
- `expected`: of each run the root cause first, then further findings that are true of it; [] is healthy;
- `strength`: how far the dial of a run is turned; a run's name without its end is its series, and `dials` says what is
  turned in it, and on which side runs are more ill.
$NAME in a path is taken from the environment. Runs are trained in FOLDER, N at a time with one thread each; what is
there is not made again, so that a killed call goes on. A name may be the beginning of several, such as p05. To diagnose
again elsewhere no weights are needed: docs/diagnosis.md lists the folders.
Printed: a line per stage, then FOLDER/scores.md: roots named, healthy runs accused, by cause, by strength, planted
against found, a line per run. A finding that is a mere note accuses nobody. Result: FOLDER/scores.{md,json,svg}; with
--results the same in benchmarks/results.
"""

import os
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "benchmarks")]

from plant_options import chosen, parser, places, read_plan
from plant_report import write
from plant_runs import STAGES, at_once, diagnose, run_plants, write_project


def main() -> None:
    """Run the plants, diagnose and score them."""
    line = parser(__doc__, "plants")
    line.add_argument("--seeds", type=int, default=0, help="added to all seeds: other data, other weights")
    line.add_argument("--again", choices=STAGES, action="append", default=[], help="a stage that is done again")
    options = line.parse_args()
    plan = read_plan(options.plants, options.seeds)
    names = chosen(options, plan)
    options.folder.mkdir(parents=True, exist_ok=True)
    os.chdir(options.folder)
    write_project(plan)
    if not options.score_only:
        run_plants(names, plan, options.again, options.jobs)
    found = dict(zip(names, at_once(options.jobs, diagnose, names), strict=True))
    diagnosed = {name: one for name, one in found.items() if one is not None}
    expected = {name: plan["expected"][name] for name in diagnosed}
    other = f"_seeds_{options.seeds}" if options.seeds else ""
    title, command = f"Plants of {options.plants.name}", f"python benchmarks/plants.py {options.plants.name}"
    command += f" --seeds {options.seeds}" if options.seeds else ""
    for place in places(options, "scores", f"plants_{options.plants.stem}{other}"):
        write(place, title, expected, diagnosed, plan, command)
    print(Path("scores.md").read_text())
    if len(diagnosed) < len(names):
        print(f"not there: {', '.join(name for name in names if name not in diagnosed)}")


if __name__ == "__main__":
    main()
