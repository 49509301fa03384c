"""The comparison as a table, as text and as Markdown."""

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from tabulate import tabulate

from vaelab.comparison.collect import Result
from vaelab.comparison.judge import Judgement
from vaelab.evaluation.metric_names import FLOORS, METRICS, SHOWN, better, improves
from vaelab.evaluation.verdict import Criterion, overall, remarks, verdict
from vaelab.params.schema import RunEntry

REMEDIES = {  # where every run collapsed
    "grid": (
        "Look at the checkpoint pictures, then try class weights or a lower beta:",
        "  dvc exp run -S loss.class_weights=sqrt_inverse -S loss.beta=0.5",
    ),
    "image": (
        "Look at the checkpoint pictures, then try a likelihood whose scale fits the errors, or a start from PCA:",
        "  dvc exp run -S ++loss.terms.gaussian=1.0 -S loss.beta=0.5 -S model.init=pca -S model.output=linear",
    ),
}
FLOOR_LEGEND = {
    "grid": "Floors: the most frequent colour everywhere; PCA of the one-hot grids with as many components as latents.",
    "image": "Floors: the mean training image; the original blurred; PCA of images (of patches, for latent maps) with "
    "as many components as {} has latents.",
}
LONGER = 10  # times the epochs, in the command that trains the winner for longer
FACTS = ("effective_beta", "effective_beta_measured", "latent_dim", "best_epoch", "parameters")


def table_rows(results: Sequence[Result], judgements: Mapping[str, Judgement]) -> list[dict[str, Any]]:
    """Return one row per run: its configuration, what was found, and every metric of test."""
    rows: list[dict[str, Any]] = []
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
            **{f"val_{name}": result.metrics["val"].get(name) for name in SHOWN[result.run.kind][:4]},
            **result.final,
        })  # fmt: skip
    columns = dict.fromkeys(name for row in rows for name in row)  # kinds of data have metrics of their own
    return [{name: row.get(name) for name in columns} for row in rows]


def text_report(
    groups: Mapping[str, list[Result]], judgements: Mapping[str, Judgement], entries: Mapping[str, RunEntry]
) -> str:
    """Return the report as plain text."""
    count = sum(map(len, groups.values()))
    parts = [_underlined(f"Comparison of {count} {'run' if count == 1 else 'runs'}", "=")]
    for data, results in groups.items():
        parts += [_underlined(f"Data set {data}", "-"), _table(results, "simple_outline")]
        parts += [
            _legend(results),
            *_mixed_betas(results),
            *_findings(results, judgements[data]),
            *_verdicts(results, "simple_outline"),
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
        parts += [f"## Data set {data}", _table(results, "github"), _legend(results), *_mixed_betas(results)]
        parts += ["### Collapse checks", "\n".join(f"- {line}" for line in _findings(results, judgements[data]))]
        parts += _verdicts(results, "github")
        first, *rest, command = _recommendation(results, judgements[data], entries)
        parts += ["### Recommendation", first, *rest, f"```\n{command.strip()}\n```"]
    parts += [f"## {title}\n\n![{title}]({path})" for title, path in pictures.items()]
    return "\n\n".join(parts) + "\n"


def _table(results: Sequence[Result], style: str) -> str:
    """Metrics down, runs and floors across; the best run of a row that has a better direction is starred."""
    kind, rows = results[0].run.kind, []
    floors = {t: p for t, p in FLOORS[kind].items() if any(name.startswith(p) for name in results[0].final)}
    for name in SHOWN[kind]:
        values = [result.final.get(name) for result in results]
        if not any(name in result.final for result in results):
            continue  # colour error of gray images, and the like
        best = _best(name, values)
        cells = [_cell(name, value) + (" *" if value is not None and value == best else "") for value in values]
        beside = [_cell(name, results[0].final.get(f"{prefix}{name}")) for prefix in floors.values()]
        rows.append([_title(name, style), *cells, *beside, better(name).replace("neither", "")])
    blanks = [""] * (len(floors) + 1)
    rows += [[name.replace("_", " "), *(_fact(r.metrics["run"][name]) for r in results), *blanks] for name in FACTS]
    headers = [results[0].phase, *(r.run.name for r in results), *(f"floor: {name}" for name in floors), "better"]
    return tabulate(rows, headers, tablefmt=style, disable_numparse=True, stralign="right", colalign=("left",))


def _title(name: str, style: str) -> str:
    return METRICS[name].title.replace("|", "\\|") if style == "github" else METRICS[name].title


def _legend(results: Sequence[Result]) -> str:
    return (
        "Posterior mean, whole split, best checkpoint of each run. * best run of the row. "
        f"{FLOOR_LEGEND[results[0].run.kind].format(results[0].run.name)}"
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


def _verdicts(results: Sequence[Result], style: str) -> list[str]:
    """For images: good, fair or poor by the limits of evaluate.verdict, and whether that beats the trivial."""
    if results[0].run.kind != "image":
        return []
    prefixes = [prefix.removeprefix("floor_").removesuffix("_") for prefix in FLOORS["image"].values()]
    judged = {result.run.name: verdict(result.final, result.run.evaluate.verdict, prefixes) for result in results}
    names = dict.fromkeys(criterion.metric for criteria in judged.values() for criterion in criteria)
    rows, notes = [], []
    for result in results:
        criteria = judged[result.run.name]
        cells = {criterion.metric: _judged(criterion) for criterion in criteria}
        rows.append([result.run.name, overall(criteria) or "", *(cells.get(name, "") for name in names)])
        if found := remarks(criteria):
            notes.append(f"{result.run.name}: {'; '.join(found)}")
        if result.metrics["run"]["bypass"]:
            notes.append(f"{result.run.name}: skips bypass the bottleneck; its errors say nothing of the latent")
    headers = ["verdict", "worst", *(_title(name, style) for name in names)]
    return [tabulate(rows, headers, tablefmt=style, disable_numparse=True), *notes]


def _judged(criterion: Criterion) -> str:
    if criterion.better_than_floor is None:
        return criterion.rating
    return f"{criterion.rating}, better than floor: {'yes' if criterion.better_than_floor else 'no'}"


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
        advice, command = REMEDIES[results[0].run.kind]
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
    worse = []
    for title, prefix in FLOORS[winner.run.kind].items():
        for name in SHOWN[winner.run.kind][:4]:
            value, floor = winner.final.get(name), winner.final.get(f"{prefix}{name}")
            if "PCA" in title and value is not None and floor is not None and improves(name, floor, value):
                worse.append(f"{METRICS[name].title} {value:.3f}, {title} {floor:.3f}")
    return [f"Warning: PCA with as many numbers does better on {winner.phase}: {', '.join(worse)}."] if worse else []


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
    if 0 < abs(value) < 0.1:
        return f"{value:.2g}"
    return f"{value:.3f}" if abs(value) < 10 else f"{value:.1f}"


def _fact(value: float | None) -> str:
    if value is None:
        return "none"
    return f"{value:.3g}" if isinstance(value, float) else str(value)


def _underlined(title: str, line: str) -> str:
    return f"{title}\n{line * len(title)}"
