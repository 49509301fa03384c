"""`vaelab export`: everything of a run that goes elsewhere, in one folder, as the Hub takes it."""

import json
import shutil
import tempfile
from collections.abc import Mapping
from dataclasses import asdict
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from torch import Tensor

from vaelab import __version__, artifacts, storage
from vaelab.commands.extras import need
from vaelab.params.resolve import read_run
from vaelab.params.schema import Run
from vaelab.serving.detector_files import write_detector
from vaelab.serving.export.card import card, check_licence
from vaelab.serving.export.graphs import Graph, decoder_graph, encoder_graph
from vaelab.serving.export.measured import measured
from vaelab.serving.export.onnx_files import PACKAGES, write_onnx
from vaelab.serving.export.place import CARD, MODEL_TYPE, REQUIREMENTS, check_out, put
from vaelab.serving.export.score_graph import is_of_strips, refusal, score_graph
from vaelab.serving.export.torch_files import write_torch
from vaelab.serving.export.trained import trained
from vaelab.serving.loaded import LoadedModel
from vaelab.serving.loading import load
from vaelab.serving.places import CONFIG, DETECTOR, MODEL, PRIOR, Place, find
from vaelab.serving.prior_files import write_prior

MEANING = {  # of what graphs take
    "image": ", values in [0, 1]", "features": ", 8 bits in [0, 1]", "tags": ", 0 and 1",
    "grid": ", classes, their number outside of the grid", "group": ", index into info.groups",
}  # fmt: skip


def export(
    given: str, out: Path, onnx: bool = False, torch: bool = False, licence: str = "other", data_licence: str = ""
) -> list[str]:
    """Write a run as a folder, and return lines on what is in it and what is not.

    Files of an earlier export are replaced, others stay; nothing is written where something fails.

    Args:
        given: a run's name, or a model file.
        out: the folder.
        onnx: also encoder.onnx, decoder.onnx and, of a run with anomaly scores, score.onnx.
        torch: also encoder.pt2 and decoder.pt2.
        licence: of the weights, by its identifier on the Hub.
        data_licence: of the data, for the card; empty: what the source of the data knows.

    Raises:
        InputError: there is no such model, a package is missing, or a graph computes something else than the model.
    """
    if onnx:
        need("onnx", *PACKAGES)
    place = find(given)
    check_out(out, place.weights)
    check_licence(licence)
    model = load(given, device="cpu")
    with storage.writing(out):
        out.absolute().parent.mkdir(parents=True, exist_ok=True)
        with tempfile.TemporaryDirectory(dir=out.absolute().parent, prefix=f".{out.name}.") as temporary:
            made = Path(temporary) / "made"
            made.mkdir()
            lines = _write(place, model, made, onnx, torch, (licence, data_licence))
            put(made, out)
    return lines


def _write(
    place: Place, model: LoadedModel, folder: Path, onnx: bool, torch: bool, licences: tuple[str, str]
) -> list[str]:
    shutil.copyfile(place.weights, folder / MODEL)
    lines = [f"{MODEL}: the weights of {place.label}, epoch {model.facts.get('epoch', '?')}"]
    scored = _scored(place)
    if scored:
        write_detector(folder / DETECTOR, model.detector)
        lines.append(f"{DETECTOR}: threshold {model.detector.threshold:.4g}")
    if model.prior is not None:
        write_prior(folder / PRIOR, model.prior)
        lines.append(f"{PRIOR}: what samples are drawn from")
    graphs = _graphs(model, scored) if onnx or torch else {}
    if scored and is_of_strips(model.detector):
        lines.append(f"{DETECTOR}: measures images against those of their strip: hand them in together")
    if scored and onnx and (reason := refusal(model.detector)):
        lines.append(f"score.onnx is left out: {reason}; `vaelab score` does it")
    for name, graph in graphs.items():
        if onnx:
            lines.append(f"{name}.onnx: at most {write_onnx(folder / f'{name}.onnx', graph):.1g} off torch, relative")
        if torch and name != "score":
            write_torch(folder / f"{name}.pt2", graph)
            lines.append(f"{name}.pt2: the same as torch")
    run = _run(place, model)
    storage.write_text(folder / REQUIREMENTS, _requirements(model, onnx))
    names = sorted([*(path.name for path in folder.iterdir()), CONFIG])
    found = measured(place.project, place.run or run.name, run.data, run.kind)
    if licences[1]:
        found = found._replace(data={**found.data, "licence": licences[1]})
    storage.write_text(folder / CARD, card(run, model.info, found, trained(run, model), names, licences[0]))
    storage.write_json(folder / CONFIG, _config(run, model, graphs))
    return [*lines, f"{CARD}: the model card; {CONFIG}: the configuration; {REQUIREMENTS}"]


def _scored(place: Place) -> bool:
    """Whether there is what pictures can be scored with."""
    if place.detector is not None:
        return True
    if place.project is None or place.run is None:
        return False
    return artifacts.score_maps(place.project / artifacts.scores(place.run), "val").is_file()


def _graphs(model: LoadedModel, scored: bool) -> dict[str, Graph]:
    seen, features = model.seen, model.run.model.features != "none"
    graphs = {"encoder": encoder_graph(model.model, seen, features), "decoder": decoder_graph(model.model, seen)}
    if scored and refusal(model.detector) is None:
        graphs["score"] = score_graph(model.detector)
    return graphs


def _run(place: Place, model: LoadedModel) -> Run:
    """The run as trained, with the options of the stages that came after."""
    if place.project is None or place.run is None:
        return model.run
    later = read_run(place.project / artifacts.resolved(place.run))
    update = {name: getattr(later, name) for name in ("evaluate", "threshold", "diagnose", "visualize")}
    return model.run.model_copy(update=update)


def _config(run: Run, model: LoadedModel, graphs: Mapping[str, Graph]) -> dict[str, Any]:
    described = {
        name: {
            "inputs": {key: _described(key, value) for key, value in graph.inputs.items()},
            "outputs": list(graph.outputs),
        }
        for name, graph in graphs.items()
    }
    info = json.loads(json.dumps(asdict(model.info)))
    return {
        "model_type": MODEL_TYPE, "vaelab_version": __version__, "kind": run.kind, "latent_dim": model.latent_dim,
        "facts": model.facts, "info": info, "run": run.model_dump(mode="json"), "graphs": described,
        "threshold": model.detector.threshold if "score" in graphs else None,
        "batch_is_a_strip": "score" in graphs and is_of_strips(model.detector),
    }  # fmt: skip


def _described(name: str, value: Tensor) -> str:
    shape = ", ".join(["batch", *map(str, value.shape[1:])])
    return f"{str(value.dtype).removeprefix('torch.')} [{shape}]{MEANING.get(name, '')}"


def _requirements(model: LoadedModel, onnx: bool) -> str:
    """What the package needs to load this: itself, and what was installed here beside it."""
    extra = "[features]" if model.run.model.features != "none" else ""
    names = ["torch", "safetensors", "numpy", *(["onnxruntime"] if onnx else [])]
    lines = [f"vaelab{extra}=={__version__}", *(f"{name}>={_installed(name)}" for name in names)]
    return "\n".join(lines) + "\n"


def _installed(name: str) -> str:
    try:
        return version(name).partition("+")[0]
    except PackageNotFoundError:
        return "0"
