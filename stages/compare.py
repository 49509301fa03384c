"""Stage compare: the active runs side by side, which collapsed, and which one is recommended."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from vaelab import artifacts
from vaelab.comparison import report
from vaelab.comparison.collect import by_data, collect, curves_table
from vaelab.comparison.judge import best, judge
from vaelab.errors import exit_on_input_error
from vaelab.figures.files import save_png
from vaelab.figures.groups import group_pictures
from vaelab.params.resolve import read_params


def main() -> None:
    """Compare all active runs."""
    params, plots = read_params(artifacts.PARAMS), artifacts.COMPARISON_PICTURES
    results = collect()
    groups = by_data(results)
    judgements = {data: judge(group, params.compare) for data, group in groups.items()}
    artifacts.write_text(artifacts.COMPARISON_CURVES, curves_table(results).to_csv(index=False, lineterminator="\n"))
    pictures = {}
    for data, group in groups.items():
        for name, (title, figure) in group_pictures(data, group, params.compare).items():
            save_png(figure, plots / f"{name}_{data}.png")
            pictures[f"{title}, {data}"] = plots / f"{name}_{data}.png"
    artifacts.write_json(artifacts.BEST, {data: best(judgement) for data, judgement in judgements.items()})
    artifacts.write_csv(artifacts.COMPARISON_CSV, report.table_rows(results, judgements))
    text = report.text_report(groups, judgements, params.runs)
    artifacts.write_text(artifacts.COMPARISON_TEXT, text)
    linked = {title: Path("..") / path for title, path in pictures.items()}
    artifacts.write_text(artifacts.COMPARISON_MARKDOWN, report.markdown_report(groups, judgements, params.runs, linked))
    print(text)


if __name__ == "__main__":
    exit_on_input_error(main)
