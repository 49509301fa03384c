"""The pictures that set the runs on one data set side by side."""

import pandas as pd
from matplotlib.figure import Figure

from vaelab import artifacts
from vaelab.comparison.collect import Result, same_examples
from vaelab.comparison.seeds import by_seed, configurations
from vaelab.data.format.prepared import read_info
from vaelab.evaluation.metric_names import METRICS, ranking_metric
from vaelab.figures.comparison import reconstructions_by_run
from vaelab.figures.curves import training_curves
from vaelab.figures.grid.recall import recall_by_run
from vaelab.figures.seeds import seeds_by_configuration
from vaelab.figures.tags.generation import generation
from vaelab.params.schema import Compare


def group_pictures(data: str, group: list[Result], options: Compare) -> dict[str, tuple[str, Figure]]:
    """Return title and figure of each picture of the runs on a data set, by the name of its file."""
    info, kind = read_info(artifacts.prepared(data)), group[0].run.kind
    history = pd.concat([result.history for result in group if result.history is not None], ignore_index=True)
    examples = same_examples(group, options.samples, options.seed)
    pictures = {
        "curves": ("Training curves", training_curves(history, kind)),
        "reconstructions": ("Reconstructions", reconstructions_by_run(*examples, info, data)),
    }
    if kind == "grid":
        recalls = {r.run.name: [r.final[f"recall_{k}"] for k in range(len(info.classes))] for r in group}
        pictures["recall"] = ("Recall", recall_by_run(recalls, info.classes, group[0].phase))
    if kind == "tags":
        metrics = {result.run.name: result.final for result in group}
        pictures["generation"] = ("Samples of the prior", generation(metrics, data, group[0].phase))
    repeated = [configuration for configuration in configurations(group) if len(configuration.results) > 1]
    if repeated:
        metric = ranking_metric(options.metric, kind)
        values = {found.name: list(by_seed(found, metric, options.phase).values()) for found in repeated}
        pictures["seeds"] = ("Seeds", seeds_by_configuration(values, METRICS[metric].title, options.phase))
    return pictures
