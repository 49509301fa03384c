"""The first lines of a report: how many runs are ill and why, in words."""

from comparisons import ill, result

from vaelab.comparison.headline import conclusion


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
