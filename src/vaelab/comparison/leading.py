"""Which of many runs a report shows, and in which order: a page of three hundred runs would be read by nobody."""

from collections.abc import Sequence

from vaelab.comparison.collect import Result
from vaelab.comparison.judge import Judgement
from vaelab.params.schema import Params

MOST = 16  # runs on a data set that tables and pictures show; all of them are counted, and in comparison.csv


def in_order(results: Sequence[Result], params: Params) -> list[Result]:
    """Return the runs in the order of params.yaml: by data set, then by run; what is not in it comes last."""
    data, runs = ({name: place for place, name in enumerate(block)} for block in (params.datasets, params.runs))
    return sorted(results, key=lambda r: (data.get(r.run.data, len(data)), runs.get(r.run.name, len(runs))))


def leading(results: Sequence[Result], judgement: Judgement) -> list[Result]:
    """Return the runs that are shown: the best of the ranking first, then those that are not ranked."""
    return ranked(results, judgement)[:MOST]


def ranked(results: Sequence[Result], judgement: Judgement) -> list[Result]:
    """Return the runs in the order of all that is shown of them: of the ranking, then those that are not ranked.

    All runs of a configuration stay together.
    """
    places = {name: place for place, (name, _) in enumerate(judgement.ranking)}
    groups = sorted(judgement.configurations, key=lambda group: places.get(group.name, len(places)))
    order = {result.run.name: place for place, one in enumerate(groups) for result in one.results}
    return sorted(results, key=lambda result: order[result.run.name])


def left_out(results: Sequence[Result], judgement: Judgement) -> str:
    """Return a sentence on the runs that are not shown; nothing where all are."""
    shown = len(leading(results, judgement))
    if shown == len(results):
        return ""
    return (
        f"Below are the {shown} best of {len(results)} runs; {len(results) - shown} are left out of pictures and "
        "tables. All are in comparison.csv, with every number."
    )
