"""The widgets of a notebook: which runs, which split, which samples; and outputs that follow them."""

from collections.abc import Callable, Sequence
from typing import Any

import ipywidgets as widgets

from vaelab import artifacts
from vaelab.commands.notebook import defects, saved
from vaelab.commands.notebook.titles import title
from vaelab.errors import InputError, shortened
from vaelab.params.resolve import read_run

ORDERS = ("worst", "best", "random")


class Picker:
    """What is picked. The first of the runs orders the samples.

    Args:
        run: that is picked at first; empty for the first one there is.
    """

    def __init__(self, run: str = "") -> None:
        self.known = runs_by_data()
        start = next((data for data, runs in self.known.items() if run in runs), next(iter(self.known)))
        self.data = widgets.Dropdown(options=list(self.known), value=start, description="data set")
        self.runs = widgets.SelectMultiple(options=self.known[start], rows=6, description="runs")
        self.phase, self.group, self.measure = (
            widgets.Dropdown(options=[""], description=name) for name in ("split", "group", "measure")
        )
        self.first = widgets.ToggleButtons(options=ORDERS, description="first")
        self.count = widgets.IntSlider(value=6, min=1, max=16, description="samples", continuous_update=False)
        self.epoch = widgets.SelectionSlider(options=[0], description="epoch", continuous_update=False)
        self._drawn: list[Callable[[], None]] = []
        self._offering = False
        self._offer(run)
        self.data.observe(lambda change: self._offer(), "value")
        self.runs.observe(lambda change: self._offer_of_run(), "value")  # before any output looks at them
        self.phase.observe(lambda change: self._offer_measures(), "value")

    @property
    def chosen(self) -> list[str]:
        """The runs that are picked."""
        return list(self.runs.value)

    @property
    def samples(self) -> list[int]:
        """The ids of the samples that are picked."""
        picked = self.phase.value, self.group.value, self.measure.value, self.first.value, self.count.value
        return saved.choose(self.chosen[0], *picked)

    @property
    def box(self) -> Any:
        """The widgets that pick samples."""
        rows = (self.phase, self.group), (self.measure, self.first), (self.count,)
        return widgets.VBox([widgets.HBox(row) for row in rows])

    def output(self, draw: Callable[[Sequence[str]], None], *on: Any) -> Any:
        """Return an output that draws for the picked runs now, and again when they, or one of the widgets `on`, change.

        What goes wrong in it stands in it: nothing else would say so.
        """
        place = widgets.Output()

        def again(change: Any = None) -> None:
            if self._offering:
                return
            place.clear_output(wait=True)
            with place:
                if self.chosen:
                    draw(self.chosen)
                else:
                    print("pick a run")

        for widget in (self.runs, *on):
            widget.observe(again, "value")
        self._drawn.append(again)
        again()
        return place

    def _offer(self, run: str = "") -> None:
        """Offer what the data set has, all of it before anything is drawn."""
        self._offering = True
        runs = self.known[self.data.value]
        self.runs.options = runs
        first = run if run in runs else runs[0]
        self.runs.value = [first]
        self.group.options = [("all", None), *((name, name) for name in saved.info_of(self.data.value).groups)]
        self._offer_of_run()
        self._offering = False
        for again in self._drawn:
            again()

    def _offer_of_run(self) -> None:
        """Offer what the first run has."""
        before, self._offering = self._offering, True
        if self.chosen:
            _offer(self.phase, [(name, name) for name in saved.phases(self.chosen[0])])
            self._offer_measures()
            self.epoch.options = saved.epochs(self.chosen[0])
            self.epoch.index = len(self.epoch.options) - 1
        self._offering = before

    def _offer_measures(self) -> None:
        before, self._offering = self._offering, True
        if self.chosen:
            names = saved.measures(self.chosen[0], self.phase.value)
            _offer(self.measure, [(title(name), name) for name in names])
        self._offering = before


def runs_by_data() -> dict[str, list[str]]:
    """Return the runs that were evaluated, by data set; print which of them cannot be read.

    Raises:
        InputError: there are none.
    """
    found: dict[str, list[str]] = {}
    for path in sorted(artifacts.RUNS.glob("[!.]*.yaml")):
        run = path.stem
        if (artifacts.scores(run) / "arrays.safetensors").is_file():
            try:
                data, _ = read_run(path).data, [saved.measures(run, phase) for phase in saved.phases(run)]
                if defects.has_defects(run):
                    defects.scored(run)
            except (InputError, ValueError, OSError) as error:
                print(f"left out: {run}: {shortened(error)}")
            else:
                found.setdefault(data, []).append(run)
    if not found:
        raise InputError("no run was evaluated yet; `dvc repro evaluate` does it")
    return found


def _offer(widget: Any, options: Sequence[tuple[str, str]]) -> None:
    """Offer names, and keep the one that is picked where it is among them."""
    picked = widget.value
    widget.options = options
    if picked in [name for _, name in options]:
        widget.value = picked
