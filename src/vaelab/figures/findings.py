"""The picture that shows the first finding of a run: which one it is depends on the cause."""

from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

import pandas as pd
from matplotlib.figure import Figure

from vaelab import artifacts, storage
from vaelab.comparison.collect import Result
from vaelab.comparison.judge import Judgement
from vaelab.comparison.parts import Picture
from vaelab.data.format.prepared import read_info
from vaelab.figures.canvas.files import save_png
from vaelab.figures.curves import training_curves
from vaelab.figures.groups import same_examples
from vaelab.figures.kinds import FIGURES
from vaelab.figures.latents import posterior_histograms
from vaelab.params.schema import Compare

CURVES = {"not_finite", "unstable", "unfinished", "overfitting"}  # seen in the course of the training
POSTERIORS = {"beta_too_low"}
OF_DEFECTS = {  # pictures of plots/comparison/defects/<run>
    "calibration_shift": ("histogram", "scores of patches"),
    "threshold_too_high": ("histogram", "scores of patches"),
    "defects_not_found": ("histogram", "scores of patches"),
    "masks_misaligned": ("missed", "defects that are missed first, with their outlines"),
    "aggregation_hides_defects": ("missed", "defects that are missed first"),
    "reconstructs_defects": ("missed", "defects that are missed first"),
}


def finding_pictures(
    results: Sequence[Result], judgements: Mapping[str, Judgement], options: Compare, folder: Path
) -> Iterator[tuple[str, Picture]]:
    """Yield each ill run with the picture that shows its first finding, drawn into a folder where none is there."""
    for result in results:
        if not result.ill:
            continue
        name, cause = result.run.name, (result.diagnosis or {})["findings"][0]["cause"]
        file, title = OF_DEFECTS.get(cause, ("", ""))
        path = artifacts.COMPARISON_DEFECTS / name / f"{file}.png"
        if not path.is_file():
            path = folder / f"{name}.png"
            title, figure = _drawn(result, _beside(result, judgements), cause, options)
            save_png(figure, path)
        yield name, Picture(f"{name}: {title}", path)


def _beside(result: Result, judgements: Mapping[str, Judgement]) -> list[Result]:
    """The recommended run of the same data, which shows what could be."""
    winner = judgements[result.run.data].winner
    others = winner.results[:1] if winner else ()
    same = (result.run.model.features, result.phase)
    return [r for r in others if r.run.name != result.run.name and (r.run.model.features, r.phase) == same]


def _drawn(result: Result, beside: Sequence[Result], cause: str, options: Compare) -> tuple[str, Figure]:
    both, data = [result, *beside], result.run.data
    reference = "".join(f", beside {other.run.name}, which is recommended" for other in beside)
    if cause in POSTERIORS:
        with storage.opened(artifacts.scores(result.run.name) / "arrays.safetensors", "numpy") as file:
            arrays = (file.get_tensor(f"{result.phase}_{what}") for what in ("mean", "log_var"))
            mean, log_var = (values.reshape(len(values), -1) for values in arrays)
        return "posteriors beside the prior", posterior_histograms(mean, log_var, result.phase)
    info, histories = read_info(artifacts.prepared(data)), [r.history for r in both if r.history is not None]
    if cause in CURVES and histories:
        return f"training{reference}", training_curves(pd.concat(histories, ignore_index=True), info.kind)
    same = same_examples(data, both, options.samples, options.seed)
    return f"reconstructions{reference}", FIGURES[info.kind].examples.by_run(same, info)
