"""The runs of an experiment side by side, each in a copy of the project that has the experiment's params.

`dvc exp run` then finds in the cache what their stages have made, and restores it.
"""

from pathlib import Path

from vaelab.commands.compare import processes
from vaelab.commands.compare.experiments import Experiment, StageError, dvc_beside
from vaelab.commands.compare.overrides import applied
from vaelab.commands.compare.tracked import untracked
from vaelab.commands.console import note
from vaelab.commands.repro import on_ray
from vaelab.commands.repro.command import Asked, failure, shared_files
from vaelab.commands.repro.elsewhere import Project, copy_of, in_copies, packed, push
from vaelab.commands.repro.lanes import Lanes, fitting, stages_of_runs
from vaelab.commands.repro.order import earlier
from vaelab.commands.repro.turns import Turns
from vaelab.params.problems import raise_problems
from vaelab.params.reading import parsed, read_yaml


def side_by_side(experiment: Experiment, asked: Asked) -> None:
    """Do the stages of all runs of an experiment, several runs at a time; what was done before is found again.

    Raises:
        InputError: neither git nor DVC tracks the data of the runs, or there is no cluster.
        StageError: a stage failed; all that does not need it is done.
        KeyboardInterrupt: on Ctrl-C, when all that ran has ended.
    """
    found, params = applied(experiment.overrides)
    raise_problems("what the runs are given", untracked(found))
    project = packed(stages_of_runs(read_yaml(Path("dvc.yaml"))), params, asked.remote)
    _prepare(project)
    runs = list(found.runs)
    turns = Turns(runs, earlier(parsed(params), runs))
    if asked.on is None:
        jobs = asked.jobs or fitting(len(runs))
        ended = Lanes(in_copies(project, jobs), jobs, note).reproduce(turns)
    else:
        ended = on_ray.reproduce(turns, project, asked.resources, note)
    if failed := [one for one in ended if one.code]:
        raise StageError(failure(failed))


def _prepare(project: Project) -> None:
    """Do what all runs need, once."""
    with copy_of(project._replace(remote=False)) as folder:
        words = "repro", "resolve", "prepare"
        if processes.run([dvc_beside(), *words], folder).code:
            raise StageError(f"dvc {' '.join(words)} ended with an error, for the reason above")
        if project.remote:
            push(folder, shared_files())
