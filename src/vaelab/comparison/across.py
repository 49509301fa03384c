"""What shows only beside other runs: signs that no run has alone, read here and judged by the engine of diagnosis."""

from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from itertools import chain
from typing import Any, NamedTuple

from vaelab import artifacts
from vaelab.comparison.collect import Result
from vaelab.comparison.conventions import convention, units
from vaelab.comparison.other_choice import better_choice
from vaelab.comparison.paired import paired_differences
from vaelab.comparison.seeds import by_data, configurations
from vaelab.diagnosis.case import Case
from vaelab.diagnosis.causes.table import BESIDE
from vaelab.diagnosis.engine import as_record, diagnose
from vaelab.diagnosis.prescription import rounded
from vaelab.diagnosis.sign import Reading
from vaelab.diagnosis.signs import across as signs
from vaelab.diagnosis.signs.gain import gain
from vaelab.params.base import Schedule

RESIDUAL = "residual"


class Beside(NamedTuple):
    """What a run shows beside others."""

    run: str
    readings: Mapping[str, Reading]  # by sign
    changes: Mapping[str, Mapping[str, Any]] = {}  # of options that the others suggest, by sign


def across(results: Sequence[Result]) -> list[dict[str, Any]]:
    """Return the findings of runs beside others on the same data, as those of metrics/diagnose, one record a run."""
    found: dict[str, list[Beside]] = {}
    for group in by_data(results).values():
        for one in chain(_conventions(group), _seeds(group), _rates(group), _choices(group)):
            found.setdefault(one.run, []).append(one)
    records = [_record(result, found[result.run.name]) for result in results if result.run.name in found]
    return [record for record in records if record["findings"]]


def _record(result: Result, found: Sequence[Beside]) -> dict[str, Any]:
    """The findings of a run, without those that it has alone."""
    readings = {name: reading for one in found for name, reading in one.readings.items()}
    changes = {name: change for one in found for name, change in one.changes.items()}
    summary = (result.threshold or {}).get("summary", {})
    case = Case(result.run, result.metrics, threshold=summary, beside=readings, changes=changes)
    record = as_record(diagnose(case, [cause for cause in BESIDE if cause.id not in _causes(result)]), case)
    del record["unknown"]
    return {"data": result.run.data, **record}


def _causes(result: Result) -> set[str]:
    """What was found in the run alone."""
    return {finding["cause"] for finding in (result.diagnosis or {}).get("findings", ())}


def _conventions(results: Sequence[Result]) -> Iterator[Beside]:
    """The first run whose losses are in other units than those of most runs."""
    said = {result.run.name: units(convention(result.run, result.metrics)) for result in results}
    usual = Counter(said.values()).most_common(1)[0][0]
    odd = next((result for result in results if said[result.run.name] != usual), None)
    if odd is None:
        return
    other = next(result for result in results if said[result.run.name] == usual)
    names = {text: name for name, text in reversed(said.items())}
    source = "; ".join(f"{name}: {text}" for text, name in names.items())
    readings, changes = {signs.CONVENTIONS.name: Reading(len(names), source)}, {}
    here, there = _nats(odd), _nats(other)
    if here and there:
        readings[signs.BETA_FACTOR.name] = Reading(max(here / there, there / here), f"{odd.run.name}, {other.run.name}")
        if odd.run.loss.reduction != other.run.loss.reduction:
            beta = rounded(_beta(odd) * here / there)
            changes[signs.CONVENTIONS.name] = {"loss.reduction": other.run.loss.reduction, "loss.beta": beta}
    yield Beside(odd.run.name, readings, changes)


def _nats(result: Result) -> float | None:
    """How many nats of effective β stand for each unit of β."""
    effective, beta = result.metrics["run"].get("effective_beta"), _beta(result)
    return effective / beta if effective and beta else None


def _beta(result: Result) -> float:
    beta = result.run.loss.beta
    return beta.end if isinstance(beta, Schedule) else beta


def _seeds(results: Sequence[Result]) -> Iterator[Beside]:
    """Of seeds that disagree the broken one, or that of the least gain."""
    for group in configurations(results):
        broken = [result for result in group.results if result.broken]
        reached = {r.run.name: found.value for r in group.results if (found := gain(Case(r.run, r.metrics)))}
        if 0 < len(broken) < len(group.results):
            source = f"of {len(group.results)} seeds: {', '.join(result.run.name for result in broken)}"
            yield Beside(broken[0].run.name, {signs.SEEDS_BROKEN.name: Reading(len(broken), source)})
        elif not broken and len(reached) > 1:
            source = ", ".join(f"{name} {value:.3g}" for name, value in reached.items())
            spread = max(reached.values()) - min(reached.values())
            worst = min(reached, key=lambda name: reached[name])
            yield Beside(worst, {signs.SEED_SPREAD.name: Reading(spread, source)})


def _rates(results: Sequence[Result]) -> Iterator[Beside]:
    """Runs of a higher rate than another one of the same model, by whose residual defects are found better."""
    reached = {result.run.name: value for result in results if (value := _residual_auc(result)) is not None}
    for result in (result for result in results if result.run.name in reached):
        rate, name = result.final["rate"], result.run.name
        likes = [r for r in results if r.run.name in reached and _family(r) == _family(result)]
        lower = [r for r in likes if r.final["rate"] < rate and not r.broken and reached[r.run.name] > reached[name]]
        if not lower:
            continue
        best = max(lower, key=lambda r: reached[r.run.name])
        settings, scores = result.run.threshold, (RESIDUAL, RESIDUAL)
        rows = paired_differences(best.run.name, name, settings.bootstrap, settings.seed, *scores)
        row = next(row for row in rows if row["measure"] == "roc_auc")
        if not row["low"] > 0:
            continue
        source = f"{best.run.name} {row[best.run.name]:.3f}, {name} {row[name]:.3f}, paired by strip"
        rates = f"{best.run.name} {best.final['rate']:.3g} nats, {name} {rate:.3g}"
        yield Beside(
            name,
            {
                signs.RATE_RISE.name: Reading(rate / max(best.final["rate"], 1e-9), rates),
                signs.AUC_FALL.name: Reading(row["difference"], source, row["low"], row["high"]),
            },
        )


def _residual_auc(result: Result) -> float | None:
    if not result.threshold or not result.threshold["summary"]["labelled"] or result.final.get("rate") is None:
        return None
    return next((row["roc_auc"] for row in result.threshold["scores"] if row["score"] == RESIDUAL), None)


def _family(result: Result) -> tuple[Any, ...]:
    model = result.run.model
    return model.name, model.features, model.feature_layer, model.skips, result.phase


def _choices(results: Sequence[Result]) -> Iterator[Beside]:
    """Runs of whose own scores and aggregations another one finds defects better."""
    for result in results:
        found, own = better_choice(result), _causes(result)
        if found is None or ("aggregation_hides_defects" in own and "threshold.aggregation" in found.changes):
            continue
        place = artifacts.thresholds(result.run.name) / "summary.json"
        sign = signs.OTHER_CHOICE if found.on_val else signs.OTHER_ON_TEST
        reading = Reading(found.gain, f"{found.said}; {place}", found.low, found.high)
        yield Beside(result.run.name, {sign.name: reading}, {sign.name: found.changes} if found.on_val else {})
