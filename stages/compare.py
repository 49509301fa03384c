"""Stage compare: the active runs side by side, which collapsed, and which one is recommended."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from vaelab import artifacts, storage
from vaelab.comparison.collect import Missing, Result
from vaelab.comparison.defects import defect_curves, shown_defects
from vaelab.comparison.judge import best, judge_all
from vaelab.comparison.leading import in_order, leading
from vaelab.comparison.parts import Picture
from vaelab.comparison.readable import collect_readable, settled
from vaelab.comparison.report import DEFECTS
from vaelab.comparison.save import save
from vaelab.comparison.seeds import by_data
from vaelab.comparison.table import curves_table
from vaelab.errors import exit_on_input_error
from vaelab.figures.canvas.files import save_png, save_pngs
from vaelab.figures.defects.run import defect_pictures
from vaelab.figures.findings import finding_pictures
from vaelab.figures.groups import group_pictures
from vaelab.params.resolve import read_params


def compared(results: list[Result], missing: list[Missing]) -> str:
    """Draw and write the comparison of runs; return the report as text."""
    params, plots = read_params(artifacts.PARAMS), artifacts.COMPARISON_PICTURES
    results = in_order(results, params)
    storage.write_text(artifacts.COMPARISON_CURVES, curves_table(results).to_csv(index=False, lineterminator="\n"))
    judgements = judge_all(results, params.compare)
    leaders = {data: leading(every, judgements[data]) for data, every in by_data(results).items()}
    pictures: dict[str, dict[str, Picture]] = {}
    for data, group in leaders.items():
        first = winner.results[0].run.name if (winner := judgements[data].winner) else None
        for name, drawn in group_pictures(data, group, params.compare, first).items():
            save_png(drawn.figure, plots / f"{name}_{data}.png")
            pictures.setdefault(data, {})[name] = Picture(drawn.title, plots / f"{name}_{data}.png", drawn.seen)
        for result in group:
            save_pngs(defect_pictures(result.run), artifacts.COMPARISON_DEFECTS / result.run.name)
        pictures.setdefault(data, {}).update(shown_defects(group, DEFECTS, first))
    for name, rows in defect_curves(results).items():
        storage.write_text(artifacts.COMPARISON_CURVES.with_name(f"{name}.csv"), rows)
    storage.write_json(artifacts.BEST, {data: best(judgement) for data, judgement in judgements.items()})
    seen = [result for group in leaders.values() for result in group]
    shown = dict(finding_pictures(seen, judgements, params.compare, artifacts.COMPARISON_FINDINGS))
    return save(results, artifacts.COMPARISON_CSV.parent, params.compare, params.runs, pictures, shown, missing)


def main() -> None:
    """Compare all active runs that can be read, and name the others."""
    text, missing = settled(*collect_readable(), compared)
    print(text)
    for one in missing:
        print(f"warning: {one.run} is not compared: {one.why}", file=sys.stderr)


if __name__ == "__main__":
    exit_on_input_error(main)
