"""The product from Python: run configurations, collect results, compare them. docs/python_api.md shows it."""

from collections.abc import Iterator, Sequence
from contextlib import chdir, contextmanager
from pathlib import Path
from typing import Any

import pandas as pd

from vaelab import artifacts, storage
from vaelab.commands.compare.actions import COLLECTED, compose
from vaelab.commands.compare.configurations import entry, problems_of
from vaelab.commands.compare.experiments import keep_params, start
from vaelab.commands.compare.results import existing
from vaelab.commands.compare.selection import Selection
from vaelab.comparison.collect import Result, collect
from vaelab.comparison.summary import summary_report
from vaelab.comparison.table import table
from vaelab.errors import InputError
from vaelab.params.problems import raise_problems
from vaelab.params.resolve import read_params


class ExperimentRunner:
    """Runs and compares configurations in a project: a folder with params.yaml and dvc.yaml, in git.

    The working directory may be another one; while a method runs it is the project's, of the whole process. Paths that
    are passed or returned are the caller's.
    """

    def __init__(self, project: str | Path = ".") -> None:
        self.project = Path(project).resolve()
        if not (self.project / artifacts.PARAMS).is_file():
            raise InputError(f"{self.project}: no project here ({artifacts.PARAMS} is missing)")

    def run_configuration(
        self,
        name: str,
        preset: str | None = None,
        data: str | None = None,
        seeds: Sequence[int] | None = None,
        **changes: Any,
    ) -> list[Result]:
        """Train and measure a configuration as one DVC experiment; return its results, one per seed.

        What did not change since it was last run is not run again.

        Args:
            name: of the run; with seeds the runs are <name>_seed<seed>.
            preset: by default the one of this name, where there is one.
            data: data set; needed where the options fit several.
            seeds: one run each; by default one run with the seed of the options.
            changes: options, by the end of their path or as groups: beta=4, loss={"terms": {"bce": 1}},
                **{"train.epochs": 3}.

        Raises:
            InputError: the configuration is wrong (all problems at once), or DVC cannot begin.
            StageError: a stage failed (a RuntimeError).
            KeyboardInterrupt: on Ctrl-C; the same call goes on from there.
        """
        own = {key: value for key, value in (("preset", preset), ("data", data)) if value is not None}
        made, problems = entry({**own, **changes}, name)
        raise_problems("the configuration", [*problems, *problems_of(name, made, name)])
        with self._inside():
            experiment = compose(Selection(None, {name: made}, seeds=list(seeds or ())), {}, ())
            keep_params(Path())
            start(experiment, Path())
            return collect()

    def collect_results(self, metrics_dir: str | Path | None = None) -> list[Result]:
        """Return what was measured, without training.

        Args:
            metrics_dir: folder of summaries; by default those of the workspace and of the DVC experiments.

        Raises:
            InputError: there are none.
        """
        folder = None if metrics_dir is None else Path(metrics_dir).resolve()
        with self._inside():
            return existing(folder)

    def compare_configurations(self, results: Sequence[Result] | None = None) -> pd.DataFrame:
        """Return a row per run: the columns of comparison.csv (docs/metrics/comparison.md), of all results by default.

        Raises:
            InputError: there are none, or they cannot be judged.
        """
        found = self.collect_results() if results is None else results
        return table(found, read_params(self.project / artifacts.PARAMS).compare)

    def save_comparison(self, table: pd.DataFrame, path: str | Path | None = None) -> Path:
        """Write a table as CSV and return its path, by default metrics/collected/comparison.csv of the project.

        Texts that a spreadsheet would take for a formula are written so that it does not.

        Raises:
            InputError: the file cannot be written.
        """
        place = Path(path).resolve() if path is not None else self.project / COLLECTED / artifacts.COMPARISON_CSV.name
        rows = table.astype(object).where(table.notna(), None).to_dict("records")
        storage.write_csv(place, [{str(name): value for name, value in row.items()} for row in rows])
        return place

    def generate_summary_report(self, table: pd.DataFrame) -> str:
        """Return the number of configurations and which is best by each metric, grouped, with what "better" means.

        Raises:
            InputError: it is no table of a comparison.
        """
        return summary_report(table)

    @contextmanager
    def _inside(self) -> Iterator[None]:
        with chdir(self.project):
            yield
