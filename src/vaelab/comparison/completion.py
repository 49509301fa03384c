"""What a report says of tables of tags beside their numbers: what they rest on, and why a run loses to a baseline."""

from collections.abc import Iterator, Sequence

from vaelab.comparison.collect import Result

MUCH_BETA = 0.5  # effective; from here on the code holds little of a row
ERRORS = 2.0  # standard errors from which a difference to EASE is said
MUCH_SEEN = 0.1  # share of the rows from which those that are new are set apart
PRESET = "preset tags of params.yaml"


def completion(results: Sequence[Result]) -> list[str]:
    """Return the paragraphs on the runs of one data set; nothing where no run completes rows."""
    measured = [result for result in results if result.final.get("completion_rows") is not None]
    if not measured:
        return []
    lines = [line for result in measured for line in (*_why_below_pca(result), *_beside_ease(result), *_new(result))]
    return [" ".join(_rests_on(measured[0])), *(["\n".join(f"- {line}" for line in lines)] if lines else [])]


def _rests_on(first: Result) -> Iterator[str]:
    """How many rows can be completed, and how many stand in training; the same for all runs."""
    final, phase = first.final, first.phase
    rows, left_out, seen = final["completion_rows"], final["completion_left_out"], final["seen_share"]
    share = first.run.evaluate.completion_share
    yield f"Completion: {share:.0%} of each row's tags are hidden and ranked from the others, {rows} {phase} rows."
    if left_out:
        yield f"{left_out} rows of fewer than two tags have nothing to complete."
    yield f"{seen:.1%} of the {phase} rows stand in training, tag for tag; {final['unseen_rows']} are new."


def _why_below_pca(result: Result) -> Iterator[str]:
    final, pca = result.final, result.baselines.get("pca", {}).get("lrap")
    beta = result.metrics["run"].get("effective_beta")
    if pca is None or final["lrap"] >= pca or beta is None or beta < MUCH_BETA:
        return
    yield (
        f"{result.run.name} ranks a row's own tags worse than PCA with as many numbers (LRAP {final['lrap']:.3f}, PCA "
        f"{pca:.3f}): its code holds {final['rate']:.1f} nats a row, of {final['bce'] + final['rate']:.1f} in all. At "
        f"an effective beta of {beta:.2g} a nat of it must save as much of the reconstruction; the {PRESET} has 0.2."
    )


def _beside_ease(result: Result) -> Iterator[str]:
    final = result.final
    gain, error = final.get("completion_gain_over_ease"), final.get("completion_gain_over_ease_error")
    if gain is None or error is None or not abs(gain) > ERRORS * error:  # NaN of a single row
        return
    copies = gain < 0 and result.run.model.input_dropout == 0
    cause = f": in training it always saw whole rows; model.input_dropout hides tags, as in the {PRESET}"
    yield (
        f"{result.run.name} completes rows {'better' if gain > 0 else 'worse'} than EASE: NDCG@10 "
        f"{final['completion_ndcg_at_10']:.3f}, {gain:+.3f} ± {error:.3f}{cause if copies else ''}."
    )


def _new(result: Result) -> Iterator[str]:
    final = result.final
    if final["seen_share"] < MUCH_SEEN or "unseen_lrap" not in final:
        return
    reached = result.baselines.get("pca", {}).get("unseen_lrap")
    beside = "" if reached is None else f", PCA's {reached:.3f}"
    yield f"{result.run.name}: LRAP of new rows {final['unseen_lrap']:.3f}, of all {final['lrap']:.3f}{beside}."
