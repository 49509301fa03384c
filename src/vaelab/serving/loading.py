"""`vaelab.load`: a trained model in one line, in a project or anywhere else."""

from pathlib import Path

import torch

from vaelab.data.format.batches import default_device
from vaelab.errors import InputError, shortened
from vaelab.models.files import ModelFile, load_model
from vaelab.params.kinds import KINDS
from vaelab.serving.detector import Detector
from vaelab.serving.fitting import fitted_detector
from vaelab.serving.loaded import LoadedModel
from vaelab.serving.places import CONFIG, Place, find
from vaelab.serving.priors import Prior, fitted_prior


def load(
    path_or_run: str | Path, device: str | torch.device | None = None, batch_size: int | None = None
) -> LoadedModel:
    """Return a trained model, ready for use.

    A model file describes itself: it loads anywhere, without params.yaml. `score` needs more than weights: the run's
    project, or the `detector.safetensors` that `vaelab export` writes beside them.

    Args:
        path_or_run: a run's name, in a project's root; a model file; or a folder that holds `model.safetensors`.
        device: "cpu", "cuda" ...; by default what VAELAB_ACCELERATOR says, or a GPU where there is one.
        batch_size: examples at a time; by default `evaluate.batch_size` of the run.

    Raises:
        InputError: there is no such model, or its file is damaged or not from vaelab.
    """
    if not (batch_size is None or (isinstance(batch_size, int) and batch_size > 0)):
        raise InputError(f"batch_size: {batch_size!r}; expected a whole number, 1 or more")
    place, used = find(path_or_run), default_device() if device is None else _device(device)
    file = load_model(place.weights, used)
    bad = [name for name, tensor in file.model.state_dict().items() if not bool(torch.isfinite(tensor).all())]
    if bad:
        raise InputError(f"{place.weights}: damaged: {', '.join(bad[:3])}: not finite; train or export its run again")

    def detector() -> Detector:
        if not KINDS[file.info.kind].pictures:
            plural = KINDS[file.info.kind].plural
            raise InputError(f"{place.label}: anomaly scores are for images; this is a model of {plural}")
        if place.detector is not None:
            from vaelab.serving.detector_files import read_detector

            return read_detector(place.detector, place.label, file, used)
        if place.project is None or place.run is None:
            if (place.weights.parent / CONFIG).is_file():  # an exported folder, and of a run without scores
                text = "evaluate.anomalies: always in its project, `dvc repro` and `vaelab export` again, makes them"
                raise InputError(f"{place.label}: exported from a run without anomaly scores; {text} of any images")
            text = "`vaelab export` of its run writes what scores: load that folder, or the run in its project"
            raise InputError(f"{place.label}: a model file alone knows no threshold; {text}")
        return fitted_detector(place.project, place.run, file, used)

    return LoadedModel(
        place.label, file, used, batch_size or file.run.evaluate.batch_size, detector, lambda: _prior(place, file)
    )


def _prior(place: Place, file: ModelFile) -> Prior:
    """What the run's samples are drawn from."""
    if place.prior is not None:
        from vaelab.serving.prior_files import read_prior

        return read_prior(place.prior, file)
    if place.project is not None and place.run is not None:
        return fitted_prior(place.project, place.run, file)
    if file.run.evaluate.prior == "normal":
        return None
    text = "load what `vaelab export` of its run writes, or the run in its project; or say prior='normal'"
    raise InputError(f"{place.label}: its samples are not of N(0, 1), but of a density that a model file lacks: {text}")


def _device(device: str | torch.device) -> torch.device:
    """The device of a name, where there is one."""
    try:
        found = torch.device(device)
        torch.empty(1, device=found).cpu()
    except (RuntimeError, AssertionError, NotImplementedError, TypeError) as error:
        raise InputError(f"device: {device!r} cannot be used here: {shortened(error)}") from None
    return found
