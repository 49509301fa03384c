"""The first lines of a report: how many runs are ill and why, in words."""

import pandas as pd
from comparisons import ill, result

from vaelab.comparison.headline import conclusion, headline
from vaelab.comparison.judge import judge
from vaelab.comparison.metric_table import metric_tables
from vaelab.comparison.opening import lead, reasons
from vaelab.comparison.summary import best_by_metric
from vaelab.comparison.table import table_rows
from vaelab.params.schema import Compare


def test_the_first_line_says_why_runs_are_ill():
    runs = [result("a"), ill(result("b"), "majority_collapse", severity="costs")]
    told = "the background is predicted in place of objects"
    assert conclusion([ill(runs[0]), runs[1]]) == f"1 of 2 runs is ill: b ({told})."
    more = [
        ill(result("c"), "majority_collapse", severity="costs"),
        ill(result("d"), "unfinished", "majority_collapse"),
    ]
    assert conclusion([*runs, *more]) == (
        f"3 of 4 runs are ill, and 1 of these broken: b, c ({told}), d (training stopped too early)."
    )
    assert conclusion([ill(runs[0])]) == "No run is ill."


def test_what_the_digits_do_not_show_is_equal():
    found = ill(result("a", "image", psnr=36.72, floor_patch_pca_psnr=36.75))
    judgement = judge([found], Compare())
    ((_, told),) = headline({"data": judgement}).entries
    assert told == "a is equal to patch PCA: PSNR 36.7 dB, within 0.03 dB"
    assert "it is equal to the best baseline of its size, patch PCA (36.7 dB on test, within 0.03 dB)." in lead(
        judgement
    )
    assert "does better" not in " ".join(reasons([found], judgement))
    ((_, told),) = headline(
        {"data": judge([result("a", "image", psnr=36.6, floor_patch_pca_psnr=36.75)], Compare())}
    ).entries
    assert told == "a is below patch PCA: PSNR 36.6 dB against 36.8 dB"


def test_the_next_one_may_be_equal_to_the_recommended_one():
    runs = [result("a", macro_f1=0.6004), result("b", blocks={"loss": {"beta": 0.5}}, macro_f1=0.6001)]
    assert "(0.600); b is equal to it;" in lead(judge(runs, Compare()))
    runs[1].metrics["val"]["macro_f1"] = 0.59
    assert "equal to it" not in lead(judge([runs[0], runs[1]._replace()], Compare()))


def test_nobody_wins_by_less_than_the_standard_error():
    def starred(other, error):
        values = {"a": 126.4, "b": 125.8, "c": other}
        runs = [
            result(name, blocks={"train": {"batch_size": size}}, negative_elbo=value, elbo_standard_error=error)
            for size, (name, value) in enumerate(values.items(), 2)
        ]
        text = "\n".join(text for parts in metric_tables(runs, "markdown").values() for text in parts)
        (row,) = (line for line in text.splitlines() if line.startswith("| negative ELBO, nats per example"))
        return [cell.strip().endswith("*") for cell in row.split("|")[2:5]]

    assert starred(150.0, 7.0) == [True, True, False]
    assert starred(126.0, 7.0) == [False] * 3
    assert starred(150.0, 0.1) == [False, True, False]


def test_the_best_by_a_metric_are_all_that_its_digits_show_as_best():
    runs = [result(name, accuracy=value) for name, value in (("a", 0.80049), ("b", 0.80051), ("c", 0.7))]
    runs = [
        one._replace(run=result(one.run.name, blocks={"train": {"batch_size": size}}).run)
        for size, one in enumerate(runs, 2)
    ]
    rows = pd.DataFrame(table_rows(runs, {"data": judge(runs, Compare())}))
    (line,) = (line for line in best_by_metric(rows, "text")[0].splitlines() if "│ accuracy" in line)
    assert [cell.strip() for cell in line.split("│")][4] == "b, a"
