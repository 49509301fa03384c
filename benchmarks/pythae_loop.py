"""Time of our training loop against the trainer of pythae (Chadebec et al. 2022), alternating in one process.

Both train the same network (the preset vae_medium on the data set tags), on the same rows, with the same loss, batches
of the same size and a progress bar that goes nowhere; neither validates nor writes. pythae comes in two ways: as it is
by default, and with the fused Adam that ours has. Without pythae there is a note and no result.
Result: benchmarks/results/.
"""

import argparse
import contextlib
import importlib.util
import logging
import os
import statistics
import sys
import tempfile
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from torch import nn
from training_loop import ROOT, STEPS, Seconds, clock, machine, our_loop, ratios, runs_of, since, write

from vaelab.data.format.batches import load_split
from vaelab.data.format.prepared import read_info
from vaelab.data.sources import prepare
from vaelab.models.build import build
from vaelab.models.vae import VAE, Inference
from vaelab.objective.objective import Objective
from vaelab.params.schema import Run

RESULT = ROOT / "benchmarks" / "results" / "pythae_loop.json"
TARGET = 1.5
WAYS: dict[str, dict[str, Any]] = {"default": {}, "fused_adam": {"optimizer_params": {"fused": True}}}
EPOCHS = STEPS["tags"][1]


def theirs(model: VAE, tags: int, run: Run) -> nn.Module:
    """Return our network as a model of pythae, with its loss: binary cross-entropy and KL."""
    from pythae.models import VAE as PythaeVAE  # noqa: N811
    from pythae.models import VAEConfig
    from pythae.models.base.base_utils import ModelOutput
    from pythae.models.nn import BaseDecoder, BaseEncoder

    class Encoder(BaseEncoder):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = model.encoder

        def forward(self, x: torch.Tensor) -> Any:
            mean, log_var = self.inner(x)
            return ModelOutput(embedding=mean, log_covariance=log_var)

    class Decoder(BaseDecoder):  # type: ignore[misc]
        def __init__(self) -> None:
            super().__init__()
            self.inner = model.decoder

        def forward(self, z: torch.Tensor) -> Any:
            return ModelOutput(reconstruction=self.inner(z).reconstruction.sigmoid())

    config = VAEConfig(input_dim=(tags,), latent_dim=run.model.latent_dim, reconstruction_loss="bce")
    return PythaeVAE(config, Encoder(), Decoder())


def pythae_loop(run: Run, data: Path, way: str) -> tuple[Seconds, int]:
    """Return the seconds of EPOCHS epochs of pythae's trainer, without validation and files, and the rows it saw."""
    from pythae.data.datasets import BaseDataset
    from pythae.trainers import BaseTrainer, BaseTrainerConfig

    info = read_info(data)
    split = load_split(data, "train", info, torch.device("cpu"))
    x = split.stored(torch.arange(len(split)))
    model = theirs(build(run.model, info, seed=0), info.shape[0], run)
    config = BaseTrainerConfig(
        output_dir="pythae", per_device_train_batch_size=run.train.batch_size, learning_rate=run.train.learning_rate,
        num_epochs=EPOCHS, no_cuda=True, **WAYS[way],
    )  # fmt: skip
    with open(os.devnull, "w") as nowhere, contextlib.redirect_stderr(nowhere):
        trainer = BaseTrainer(model, BaseDataset(x, torch.zeros(len(x))), training_config=config)
        trainer.prepare_training()
        start = clock()
        for epoch in range(1, EPOCHS + 1):
            trainer.callback_handler.on_epoch_begin(training_config=config, epoch=epoch)
            trainer.train_step(epoch)
            trainer.callback_handler.on_epoch_end(training_config=config)
        return since(start), EPOCHS * len(x)


def check_same_loss(run: Run, data: Path) -> None:
    """Raise AssertionError where pythae's loss of a batch is not ours."""
    info = read_info(data)
    batch = load_split(data, "train", info, torch.device("cpu")).take(torch.arange(100))
    model = build(run.model, info, seed=0).eval()
    inference: Inference = model(batch.x)
    ours = Objective(run.loss, info)(batch.x, inference, 0).total.mean()
    probabilities = inference.reconstruction.sigmoid()
    found = theirs(model, info.shape[0], run).loss_function(
        probabilities, batch.x, inference.mean, inference.log_var, inference.z
    )
    torch.testing.assert_close(found[0], ours, rtol=1e-4, atol=1e-4)


def measure(run: Run, data: Path, way: str, pairs: int) -> dict[str, Any]:
    """Alternate pythae and our loop and return the ratios of the seconds per row."""
    steps = STEPS["tags"][0]
    ours_rows = steps * EPOCHS * run.train.batch_size
    found: list[tuple[Seconds, Seconds]] = []  # per row
    for number in range(pairs + 1):
        first = number % 2 == 0
        ours = our_loop(run, data, steps, EPOCHS) if first else None
        other, rows = pythae_loop(run, data, way)
        ours = ours or our_loop(run, data, steps, EPOCHS)
        found.append(((other[0] / rows, other[1] / rows), (ours[0] / ours_rows, ours[1] / ours_rows)))
        print(f"{way}, pair {number}: pythae / ours {found[-1][0][0] / found[-1][1][0]:.3f}", flush=True)
    seconds = {"pythae": [one[0] for one, _ in found[1:]], "ours": [other[0] for _, other in found[1:]]}
    per_second = {name: round(1 / statistics.median(values), 1) for name, values in seconds.items()}
    return {**ratios(found[1:]), "examples_per_second": per_second}  # the first pair warms up


def main() -> None:
    """Measure, or say why not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--pythae", type=Path, help="folder that pythae was installed into, if not this environment")
    parser.add_argument("--pairs", type=int, default=15)
    options = parser.parse_args()
    if options.pythae:
        sys.path.append(str(options.pythae.resolve()))
    if importlib.util.find_spec("pythae") is None:
        print("note: pythae is not installed, so our loop is not compared with its trainer")
        return
    logging.disable(logging.INFO)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        run, settings = runs_of(Path(folder))["tags"]
        data = Path(folder) / "tags"
        prepare(settings, data)
        check_same_loss(run, data)
        result: dict[str, Any] = {
            "what": "time per example of pythae's trainer / our training loop, same network, loss and size of batches",
            **{way: measure(run, data, way, options.pairs) for way in WAYS},
            "pythae": version("pythae"),
            "batch_size": run.train.batch_size,
            **machine(),
        }
    write(RESULT, result)
    medians = ", ".join(f"{way} {result[way]['median_ratio']}" for way in WAYS)
    print(f"median ratio: {medians} (target {TARGET}); written to {RESULT.relative_to(ROOT)}")


if __name__ == "__main__":
    main()
