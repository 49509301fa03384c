"""How far DVC is: read from what it prints, and said with the time that is left."""

import os
import subprocess
import sys
from pathlib import Path

import pytest
import yaml

import vaelab
from vaelab.commands.compare.progress import CHAIN, Progress, stages_in_all

ROOT = Path(__file__).resolve().parents[3]


@pytest.fixture
def pipeline():
    return yaml.safe_load((ROOT / "dvc.yaml").read_text())


def test_the_stages_of_a_pipeline_are_counted(pipeline):
    each = sum("runs" in stage.get("foreach", "") for stage in pipeline["stages"].values())
    assert stages_in_all(pipeline, {"runs": 3, "datasets": 2}) == 2 + 2 + 3 * each


def test_the_chain_is_what_a_diagnosis_depends_on(pipeline):
    stages, needed, waiting = pipeline["stages"], set(), ["diagnose"]
    makers = {
        str(out if isinstance(out, str) else next(iter(out))): name
        for name, stage in stages.items()
        for out in [*stage.get("do", stage).get("outs", []), *stage.get("do", stage).get("metrics", [])]
    }
    makers |= {"data/runs/${key}.yaml": "resolve", "data/prepared/${item.data}": "prepare"}
    while waiting:
        name = waiting.pop()
        needed.add(name)
        waiting += [makers[path] for path in stages[name].get("do", stages[name]).get("deps", []) if path in makers]
    assert needed | {"resolve"} == set(CHAIN)


def test_time_left_is_that_of_the_stages_that_are_to_come():
    now, said = [0.0], []
    progress = Progress(5, said.append, lambda: now[0])
    progress.heard("Stage 'resolve' didn't change, skipping\nRunning sta")
    assert said == []
    progress.heard("ge 'train@a':\r\n> python stages/train.py a\n")
    now[0] = 60.0
    progress.heard("Running stage 'evaluate@a':\n")
    now[0] = 80.0
    progress.heard("Stage 'prepare@b' is cached - skipping run, checking out outputs\nRunning stage 'train@b':\n")
    now[0] = 400.0
    assert said == [
        "stage 2 of 5: 0 s so far",
        "stage 3 of 5: 60 s so far, about 3 min left",
        "stage 5 of 5: 80 s so far, about 60 s left",
    ]
    assert progress.text() == "stage 5 of 5: 7 min so far, about 60 s left"


CHILD = """
from pathlib import Path
from vaelab.commands.compare.processes import run
import sys
heard = []
ended = run([sys.executable, "-c", "print('Running stage \\\\'train@a\\\\':')"], Path(), heard.append)
assert ended.code == 0
print("heard", repr("".join(heard)))
"""


def test_what_is_printed_on_a_terminal_is_heard_and_passed_on():
    ours, theirs = os.openpty()
    live = os.environ | {"PYTHONPATH": str(Path(vaelab.__file__).parents[1])}
    assert subprocess.run([sys.executable, "-c", CHILD], stdout=theirs, env=live).returncode == 0
    os.close(theirs)
    shown = os.read(ours, 10_000).decode().splitlines()
    os.close(ours)
    assert [line for line in shown if line] == ["Running stage 'train@a':", "heard \"Running stage 'train@a':\\n\""]
