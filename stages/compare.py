"""Stage compare: the active runs side by side, which collapsed, and which one is recommended."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

import pandas as pd

from vaelab import artifacts
from vaelab.comparison import report
from vaelab.comparison.collect import by_data, collect, same_examples
from vaelab.comparison.judge import best, judge
from vaelab.data.prepared import read_info
from vaelab.errors import exit_on_input_error
from vaelab.figures.classes import recall_by_run
from vaelab.figures.comparison import reconstructions_by_run
from vaelab.figures.curves import training_curves
from vaelab.figures.files import save_png
from vaelab.params.resolve import read_params


def main() -> None:
    """Compare all active runs."""
    params, plots = read_params(artifacts.PARAMS), artifacts.COMPARISON_PICTURES
    results = collect()
    groups = by_data(results)
    judgements = {data: judge(group, params.compare) for data, group in groups.items()}
    history = pd.concat([result.history for result in results], ignore_index=True)
    curves = history[history["phase"] == "val"].dropna(axis="columns", how="all").drop(columns=["phase"])
    artifacts.write_text(artifacts.COMPARISON_CURVES, curves.to_csv(index=False, lineterminator="\n"))
    pictures = {"Training curves": plots / "curves.png"}
    save_png(training_curves(history), plots / "curves.png")
    for data, group in groups.items():
        info = read_info(artifacts.prepared(data))
        examples = same_examples(group, params.compare.samples, params.compare.seed)
        path = plots / f"reconstructions_{data}.png"
        save_png(reconstructions_by_run(*examples, classes=len(info.classes), data=data), path)
        recalls = {r.run.name: [r.final[f"recall_{k}"] for k in range(len(info.classes))] for r in group}
        save_png(recall_by_run(recalls, info.classes, group[0].phase), plots / f"recall_{data}.png")
        pictures |= {f"Reconstructions, {data}": path, f"Recall, {data}": plots / f"recall_{data}.png"}
    artifacts.write_json(artifacts.BEST, {data: best(judgement) for data, judgement in judgements.items()})
    artifacts.write_csv(artifacts.COMPARISON_CSV, report.table_rows(results, judgements))
    text = report.text_report(groups, judgements, params.runs)
    artifacts.write_text(artifacts.COMPARISON_TEXT, text)
    linked = {title: Path("..") / path for title, path in pictures.items()}
    artifacts.write_text(artifacts.COMPARISON_MARKDOWN, report.markdown_report(groups, judgements, params.runs, linked))
    print(text)


if __name__ == "__main__":
    exit_on_input_error(main)
