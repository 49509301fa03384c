"""README.md of a new project: what is there, and the commands."""

README = """\
# {title}

{what}

```
dvc repro  # prepares, trains, measures, diagnoses, compares: all that has changed
vaelab open  # the report, metrics/comparison_report.html
vaelab diagnose {run}  # what is wrong, why, and what to do
vaelab treat {run}  # tries that, as DVC experiments
dvc exp run -S ++runs.{run}.train.epochs=3  # one value changed for one experiment; listed or not: ++
dvc exp run --queue -S ++runs.{run}.train.seed=1,2,3 && dvc queue start  # a sweep
vaelab compare --config {run} preset={preset} --config twice preset={preset} epochs=10 --seeds 0,1
vaelab add run other --data {data} --preset {preset} learning_rate=0.001  # a run more in params.yaml
vaelab add data more path/to/data  # a data set more: looked at, copied to data/raw/more, tracked by DVC
```

| | |
|---|---|
| `params.yaml` | data sets, runs, presets; what is not there has its default; `vaelab check` says what is wrong in it |
| `docs/` | the pages, once `vaelab docs` has written them: `params.md` has every option |
| `dvc.yaml`, `stages/` | the pipeline, as vaelab brings it |
| `vaelab.lock` | the version of vaelab that results are of; `vaelab upgrade` after another one was installed |
| `data/raw/` | the data, tracked by DVC; what else is in `data/` is made of it |
| `models/`, `metrics/`, `plots/` | what `dvc repro` makes; numbers are in git, the rest in DVC's cache |

Commit what belongs together: `git add -A && git commit`, then `dvc push` where a remote is set (`dvc remote add`).
"""


def readme(title: str, what: str, data: str, run: str, preset: str) -> str:
    """Return the text of README.md.

    Args:
        title: of the project.
        what: is its data.
        data: name of its data set.
        run: name of its first run.
        preset: of that run.
    """
    return README.format(title=title, what=what, data=data, run=run, preset=preset)
