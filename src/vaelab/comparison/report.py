"""The comparison as a table, as text and as Markdown."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from tabulate import tabulate

from vaelab.comparison.collect import Result
from vaelab.comparison.judge import Judgement
from vaelab.evaluation.metric_names import METRICS, better
from vaelab.params.schema import RunEntry

LONGER = 10  # times the epochs, in the command that trains the winner for longer
SHOWN = (
    "macro_f1", "balanced_accuracy", "foreground_accuracy", "accuracy", "exact_match", "extent_accuracy",
    "predicted_background_share", "true_background_share", "blank_share", "negative_elbo", "distortion", "rate",
    "mutual_information", "active_units", "effective_dimensions", "shuffled_z_accuracy", "zero_z_accuracy",
)  # fmt: skip
FLOORS = {"majority": "floor_majority_", "PCA": "floor_pca_"}
FACTS = ("effective_beta", "effective_beta_measured", "best_epoch", "parameters")


def table_rows(results: Sequence[Result], judgements: Mapping[str, Judgement]) -> list[dict[str, Any]]:
    """Return one row per run: its configuration, what was found, and every metric of test."""
    rows = []
    for result in results:
        judgement = judgements[result.run.data]
        findings = {finding.name for finding in judgement.findings[result.run.name]}
        rows.append({
            "configuration": result.run.name,
            "data": result.run.data,
            "preset": result.run.preset or "",
            "collapsed": "; ".join(sorted(findings)),
            "recommended": result.run.name == judgement.recommended,
            **{name: result.metrics["run"][name] for name in FACTS},
            **{f"val_{name}": result.metrics["val"][name] for name in SHOWN[:4]},
            **result.final,
        })  # fmt: skip
    return rows


def text_report(
    groups: Mapping[str, list[Result]], judgements: Mapping[str, Judgement], entries: Mapping[str, RunEntry]
) -> str:
    """Return the report as plain text."""
    count = sum(map(len, groups.values()))
    parts = [_underlined(f"Comparison of {count} {'run' if count == 1 else 'runs'}", "=")]
    for data, results in groups.items():
        parts += [_underlined(f"Data set {data}", "-"), _table(results, "simple_outline")]
        parts += [
            _legend(),
            *_mixed_betas(results),
            *_findings(results, judgements[data]),
            *_recommendation(results, judgements[data], entries),
        ]
    return "\n\n".join(parts) + "\n"


def markdown_report(
    groups: Mapping[str, list[Result]],
    judgements: Mapping[str, Judgement],
    entries: Mapping[str, RunEntry],
    pictures: Mapping[str, Path],
) -> str:
    """Return the report as Markdown, with pictures: title to path relative to the report."""
    count = sum(map(len, groups.values()))
    parts = [f"# Comparison of {count} {'run' if count == 1 else 'runs'}"]
    for data, results in groups.items():
        parts += [f"## Data set {data}", _table(results, "github"), _legend(), *_mixed_betas(results)]
        parts += ["### Collapse checks", "\n".join(f"- {line}" for line in _findings(results, judgements[data]))]
        first, *rest, command = _recommendation(results, judgements[data], entries)
        parts += ["### Recommendation", first, *rest, f"```\n{command.strip()}\n```"]
    parts += [f"## {title}\n\n![{title}]({path})" for title, path in pictures.items()]
    return "\n\n".join(parts) + "\n"


def _table(results: Sequence[Result], style: str) -> str:
    """Metrics down, runs and floors across; the best run of a row that has a better direction is starred."""
    rows = []
    for name in SHOWN:
        values = [result.final[name] for result in results]
        best = _best(name, values)
        cells = [_cell(name, value) + (" *" if value is not None and value == best else "") for value in values]
        floors = [_cell(name, results[0].final.get(f"{prefix}{name}")) for prefix in FLOORS.values()]
        title = METRICS[name].title.replace("|", "\\|") if style == "github" else METRICS[name].title
        rows.append([title, *cells, *floors, better(name).replace("neither", "")])
    rows += [[name.replace("_", " "), *(_fact(r.metrics["run"][name]) for r in results), "", "", ""] for name in FACTS]
    headers = [results[0].phase, *(r.run.name for r in results), *(f"floor: {name}" for name in FLOORS), "better"]
    return tabulate(rows, headers, tablefmt=style, disable_numparse=True, stralign="right", colalign=("left",))


def _legend() -> str:
    return (
        "Posterior mean, whole split, best checkpoint of each run. * best run of the row. "
        "Floors: the most frequent colour everywhere; PCA of the one-hot grids with as many components as latents."
    )


def _mixed_betas(results: Sequence[Result]) -> list[str]:
    """A note where runs weigh KL differently, so that their rates and objectives do not compare."""
    betas = {result.run.name: _fact(result.metrics["run"]["effective_beta"]) for result in results}
    if len(set(betas.values())) < 2:
        return []
    listed = ", ".join(f"{name} {beta}" for name, beta in betas.items())
    return [f"Note: the runs differ in effective beta ({listed}): their objectives and rates do not compare."]


def _best(name: str, values: Sequence[float | None]) -> float | None:
    present = [value for value in values if value is not None]
    if len(set(present)) < 2 or better(name) == "neither":
        return None  # nothing to be better than, or all the same
    return max(present) if better(name) == "higher" else min(present)


def _findings(results: Sequence[Result], judgement: Judgement) -> list[str]:
    lines = []
    for result in results:
        found = judgement.findings[result.run.name]
        lines += [f"{result.run.name}: {finding.name}: {finding.evidence}" for finding in found]
        if not found:
            lines.append(f"{result.run.name}: no collapse")
    return lines


def _recommendation(results: Sequence[Result], judgement: Judgement, entries: Mapping[str, RunEntry]) -> list[str]:
    """Who wins by which rule, and, last, the command that trains the winner for longer."""
    if judgement.recommended is None:
        advice = "Look at the checkpoint pictures, then try class weights or a lower beta:"
        command = "  dvc exp run -S loss.class_weights=sqrt_inverse -S loss.beta=0.5"
        return ["Recommended: none. Every run fails a collapse check.", f"Rule: {judgement.rule}.", advice, command]
    places = ", ".join(f"{name} {value:.3f}" for name, value in judgement.ranking)
    winner = next(result.run for result in results if result.run.name == judgement.recommended)
    below = _below_pca(next(r for r in results if r.run.name == winner.name))
    return [
        f"Recommended: {winner.name}",
        f"Rule: {judgement.rule}: {places}. One seed each: a small difference may be chance.",
        *below,
        f"To train {winner.name} {LONGER} times as long, beside the others:",
        f"  {longer_command(winner.name, winner.train.epochs * LONGER, winner.preset, entries[winner.name])}",
    ]


def _below_pca(winner: Result) -> list[str]:
    """A warning where the recommended run does not beat the trivial floor of its size."""
    pairs = {name: (winner.final[name], winner.final[f"floor_pca_{name}"]) for name in SHOWN[:4]}
    names = [name for name, pair in pairs.items() if None not in pair and pair[0] < pair[1]]
    if not names:
        return []
    worse = ", ".join(f"{METRICS[n].title} {winner.final[n]:.3f} < {winner.final[f'floor_pca_{n}']:.3f}" for n in names)
    return [f"Warning: PCA with as many numbers does better on {winner.phase}: {worse}."]


def longer_command(name: str, epochs: int, preset: str | None, entry: RunEntry) -> str:
    """Return the command that adds a run like this one with more epochs, and trains it."""
    values = entry.model_dump(exclude_unset=True)
    values |= {"preset": preset} if preset else {}
    values["train"] = values.get("train", {}) | {"epochs": epochs, "checkpoint_every": LONGER}
    written = yaml.safe_dump(values, default_flow_style=True, width=10**6, sort_keys=False).strip()
    return f"dvc exp run -S '+runs.{name}_long={written}'"


def _cell(name: str, value: float | None) -> str:
    if value is None:
        return ""
    if name == "active_units":
        return str(int(value))
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _fact(value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _underlined(title: str, line: str) -> str:
    return f"{title}\n{line * len(title)}"
