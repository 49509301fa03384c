"""README.md of an exported run: what it was trained on, what it reaches beside baselines, what for, and its limits.

Front matter and headings are those of the model cards of the Hugging Face Hub.
"""

import re
from collections.abc import Iterator, Sequence
from typing import Any

import yaml

from vaelab import __version__
from vaelab.data.format.info import DataInfo
from vaelab.errors import InputError
from vaelab.params.kinds import KINDS
from vaelab.params.schema import Run
from vaelab.serving.export.measured import Measured, Row

TASKS = {"image": "image-feature-extraction", "grid": "feature-extraction", "tags": "feature-extraction"}
USES = {
    "image": "reconstruct, encode, interpolate and sample images like those of its data",
    "grid": "reconstruct, encode and sample grids like those of its data",
    "tags": "encode rows of tags, complete them, and sample new ones",
}
GIVEN = {"image": '"picture.png"', "grid": "[[0, 1], [2, 3]]", "tags": "[[{}]]"}
NAMED = {"grid": "model.grids(again)", "tags": "model.tags(again)"}  # reconstructions as people write them
FITS = {
    "resize": "the shorter side is scaled, the ends of the longer are cut off",
    "crop": "their centre, as it is",
    "tile": "cut into whole tiles",
    "square": "all of it, whatever its sides",
}
FILES = {
    "model.safetensors": "weights; its metadata describe the model, so that it loads alone",
    "detector.safetensors": "what scores images: distributions of normal features, calibrations, the threshold",
    "prior.safetensors": "what samples are drawn from: a density fitted to the posteriors of the training data",
    "config.json": "the run's complete configuration, its data, and what each file takes and gives",
    "encoder.onnx": "examples to `mean` and `log_var`, any batch",
    "decoder.onnx": "`z` to what it stands for, any batch",
    "score.onnx": "images to `score`, `flagged` and `map`, calibration and threshold inside",
    "encoder.pt2": "the encoder for `torch.export.load`",
    "decoder.pt2": "the decoder for `torch.export.load`",
    "requirements.txt": "what `import vaelab` above needs: `pip install -r requirements.txt`",
}


def check_licence(licence: str) -> None:
    """Raise an InputError where a licence is no identifier of the Hub, which has them in small letters."""
    if not re.fullmatch(r"[a-z0-9][a-z0-9.+-]*", licence):
        raise InputError(f"--license {licence!r}: expected an identifier such as mit, apache-2.0, cc-by-4.0 or other")


def card(run: Run, info: DataInfo, found: Measured, training: Sequence[str], files: Sequence[str], licence: str) -> str:
    """Return the text of the card.

    Args:
        run: that was exported.
        info: of its data, as users hand them in.
        found: what was measured of it.
        training: lines on how it was trained.
        files: names of those that lie beside it.
        licence: of the weights, by its identifier on the Hub; `other` where it is not known.
    """
    front = yaml.safe_dump(_front(run, found, licence), sort_keys=False, allow_unicode=True)
    parts = [f"# {run.name}", _first(run, info), *_usage(run, info, files), *_data(run, info, found)]
    parts += [
        "## Training",
        "\n".join(training),
        *_numbers(found),
        *_diagnosis(found),
        *_limits(run, info, found),
        *_files(files),
    ]
    return f"---\n{front}---\n\n" + "\n\n".join(parts) + "\n"


def _front(run: Run, found: Measured, licence: str) -> dict[str, Any]:
    tags = ["vaelab", "vae", "variational-autoencoder", *(["anomaly-detection"] if found.defects else [])]
    front: dict[str, Any] = {
        "license": licence, "library_name": "vaelab", "pipeline_tag": TASKS[run.kind], "tags": tags,
    }  # fmt: skip
    if found.rows:
        metrics = [{"type": row.metric, "name": row.title, "value": row.value} for row in found.rows]
        result = {
            "task": {"type": TASKS[run.kind]},
            "dataset": {"type": run.data, "name": run.data, "split": found.phase}, "metrics": metrics,
        }  # fmt: skip
        front["model-index"] = [{"name": run.name, "results": [result]}]
    return front


def _first(run: Run, info: DataInfo) -> str:
    shape = "x".join(map(str, info.shape))
    sees = ", on features of EfficientNet-Lite0," if run.model.features != "none" else ""
    return (
        f"A variational autoencoder of {KINDS[run.kind].plural} ({shape}){sees} trained on the data set `{run.data}` "
        f"with vaelab {__version__}."
    )


def _usage(run: Run, info: DataInfo, files: Sequence[str]) -> Iterator[str]:
    given = GIVEN[run.kind].format(repr(info.classes[0]) if run.kind == "tags" else "")
    needs_group = len(info.groups) > 1 and ("detector.safetensors" in files or run.model.conditional)
    group = f", group={info.groups[0]!r}" if needs_group and run.kind == "image" else ""
    lines = ["import vaelab", "", 'model = vaelab.load(".")  # this folder']
    lines.append(f"posterior = model.encode({given}{group})  # mean and log_var, [N, L]")
    if run.model.features == "none":
        lines.append(f"again = model.reconstruct({given}{group})")
        lines += [f"print({NAMED[run.kind]})"] if run.kind in NAMED else []
    if "detector.safetensors" in files:
        lines.append(f"found = model.score({given}{group})  # score, flagged, map")
    yield "## Use"
    yield "\n".join(["```python", *lines, "```"])
    if "detector.safetensors" in files:
        yield "```\nvaelab score . FOLDER --out results.csv --maps maps\n```"
    if any(name.endswith(".onnx") for name in files):
        yield "The ONNX files need ONNX Runtime alone; config.json says what goes in and comes out."


def _data(run: Run, info: DataInfo, found: Measured) -> Iterator[str]:
    yield "## Training data"
    meta, lines = found.data, [f"- Data set: `{run.data}`"]
    for key, title in (("source", "Source"), ("licence", "Licence"), ("split_rule", "Splits")):
        if meta.get(key):
            lines.append(f"- {title}: {meta[key]}")
    if meta.get("examples"):
        lines.append(
            "- Examples: " + ", ".join(f"{count} {phase}" for phase, count in meta["examples"].items() if count)
        )
    if len(info.groups) > 1:
        lines.append(f"- Groups: {', '.join(info.groups[:20])}{' ...' if len(info.groups) > 20 else ''}")
    if meta.get("quarantined"):
        lines.append(f"- Left out: {len(meta['quarantined'])} inputs that could not be used")
    yield "\n".join(lines)


def _numbers(found: Measured) -> Iterator[str]:
    yield f"## Measured on {found.phase}"
    if not found.rows:
        yield "Nothing was measured where this was exported."
        return
    lines = ["| metric | this model | best baseline |", "|---|---|---|"]
    yield "\n".join([*lines, *(f"| {_cell(row.title)} | {row.value:.4g} | {_beside(row)} |" for row in found.rows)])
    yield "Baseline: what a trivial method reaches on the same examples. A model below it has learnt nothing it lacks."


def _cell(text: str) -> str:
    return text.replace("|", "\\|")


def _beside(row: Row) -> str:
    return "–" if row.baseline is None else f"{row.baseline:.4g} ({row.method})"


def _diagnosis(found: Measured) -> Iterator[str]:
    yield "## Diagnosis"
    if found.findings is None:
        yield "Not diagnosed."
    elif not found.findings:
        yield "Healthy: no fault was found."
    else:
        yield "\n".join(f"- {finding}" for finding in found.findings)


def _limits(run: Run, info: DataInfo, found: Measured) -> Iterator[str]:
    yield "## Intended use"
    uses = f"To {USES[run.kind]}."
    if found.defects:
        uses += " To flag images that are unlike the normal ones of its data, for a person to look at."
    yield uses
    yield "## Limits"
    lines = [f"- It knows `{run.data}` alone: of other {KINDS[run.kind].plural} its numbers say nothing."]
    if found.defects:
        lines += _limits_of_scores(run, found)
    if KINDS[run.kind].pictures:
        how, side = info.preparation, info.shape[-1]
        means = f", each the mean of {how.reduce}x{how.reduce}" if how.reduce > 1 else ""
        lines.append(f"- Pictures become {side}x{side} pixels{means} ({FITS[how.fit]}); smaller things are lost.")
    if (run.model.conditional or run.model.per_group) and len(info.groups) > 1:
        lines.append("- It must be told the group of each example.")
    behind = [row for row in found.rows if row.is_behind]
    for method in dict.fromkeys(row.method for row in behind):
        titles = "; ".join(row.title for row in behind if row.method == method)
        lines.append(f"- {method} does better, without a network: {titles}.")
    if found.findings:
        lines.append("- What the diagnosis says above.")
    yield "\n".join(lines)


def _limits_of_scores(run: Run, found: Measured) -> Iterator[str]:
    nominal, flagged = found.defects.get("fpr_nominal"), found.defects.get("fpr_normal")
    if nominal is not None:
        seen = "" if flagged is None else f"; of held-out normal ones it flagged {100 * flagged:.3g} %"
        yield f"- The threshold is to flag {100 * nominal:.3g} % of normal images{seen}. In other light it flags more."
    recall = found.defects.get("recall")
    if recall is not None:
        planted = ", which were planted" if found.data.get("planted") else " of its data"
        yield f"- It missed {100 * (1 - recall):.3g} % of the labelled defects{planted}."
    if not found.defects.get("labelled"):
        yield "- There were no labelled defects: how many it finds is not known."


def _files(files: Sequence[str]) -> Iterator[str]:
    yield "## Files"
    yield "\n".join(
        ["| file | holds |", "|---|---|", *(f"| {name} | {FILES[name]} |" for name in FILES if name in files)]
    )
