"""The table of the comparison, one row per run: what comparison.csv holds."""

from collections.abc import Mapping, Sequence
from typing import Any

import pandas as pd

from vaelab.comparison.collect import Result
from vaelab.comparison.conventions import convention
from vaelab.comparison.judge import Judgement, judge_all
from vaelab.comparison.metric_table import FACTS
from vaelab.metrics.nested import SAMPLED
from vaelab.metrics.tables import TABLES, column
from vaelab.params.schema import Compare


def table_rows(results: Sequence[Result], judgements: Mapping[str, Judgement]) -> list[dict[str, Any]]:
    """Return one row per run: its configuration, the chosen metrics of its kind, what it is, then all other metrics.

    All of the phase that is reported, named in column `phase`, also those that are called test_. Runs that differ in
    the seed alone share their `seed_group`. What a kind of data does not have is None.
    """
    rows: list[dict[str, Any]] = []
    kinds = dict.fromkeys(result.run.kind for result in results)
    first = dict.fromkeys(("configuration", *(name for kind in kinds for name in TABLES[kind].columns)))
    configuration = {
        (data, r.run.name): group.name
        for data, judgement in judgements.items()
        for group in judgement.configurations
        for r in group.results
    }
    for result in results:
        judgement, group = judgements[result.run.data], configuration[result.run.data, result.run.name]
        rows.append({
            **first,
            "configuration": result.run.name,
            "data": result.run.data,
            "preset": result.run.preset or "",
            "seed": result.run.train.seed,
            "seed_group": group,
            "phase": result.phase,
            "convention": convention(result.run, result.metrics),
            "collapsed": "; ".join(finding["cause"] for finding in result.broken),
            "recommended": group == judgement.recommended,
            **{name: result.metrics["run"].get(name) for name in FACTS},
            **{f"val_{name}": result.metrics["val"].get(name) for name in TABLES[result.run.kind].shown[:4]},
            **{column(name): value for name, value in result.final.items()},
        })  # fmt: skip
    columns = dict.fromkeys(name for row in rows for name in row)  # kinds of data have metrics of their own
    drawn_last = sorted(columns, key=lambda name: name.startswith(f"{SAMPLED}_"))
    return [{name: row.get(name) for name in drawn_last} for row in rows]


def table(results: Sequence[Result], options: Compare | None = None) -> pd.DataFrame:
    """Return those rows as a table; options: the block `compare` of params.yaml."""
    return pd.DataFrame(table_rows(results, judge_all(results, options or Compare())))


def curves_table(results: Sequence[Result]) -> pd.DataFrame:
    """Return the val rows after each epoch of the histories that were kept, with `data` and the columns of every kind.

    The untrained model, epoch 0, may be so far off that the rest of a plot would be flat.
    """
    kept = [r.history.assign(data=r.run.data) for r in results if r.history is not None]
    history = pd.concat(kept, ignore_index=True) if kept else pd.DataFrame(columns=["run", "data", "epoch", "phase"])
    val = history[(history["phase"] == "val") & (history["epoch"] > 0)].drop(columns=["phase"])
    names = dict.fromkeys(name for tables in TABLES.values() for name in tables.history)
    return val.reindex(columns=list(dict.fromkeys([*val.columns, *names])))
