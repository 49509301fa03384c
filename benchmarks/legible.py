"""What Tesseract still reads on reconstructed forms: suite `legible` against patch-PCA of the same numbers.

    VAELAB_REALDATA=folder python benchmarks/legible.py [--folder FOLDER] [--runs RUN ...]

FUNSD, one pass over 80 pages of training at bf16 (epochs over few pages end far above); the pages of val choose, the
first 20 of test are reported. Goes on where an earlier call in FOLDER stopped. Writes benchmarks/results/legible.json
and legible.md: means over seeds, ± their standard deviation; CPU seconds of training, one thread.
"""

import argparse
import hashlib
import json
import os
import resource
import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any, NamedTuple

ROOT = Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "src"))

import numpy as np
import pandas as pd
import torch
import yaml
from realdata import stage, suite_runs
from torch import Tensor

from vaelab.data.format.batches import load_columns, load_split
from vaelab.data.format.prepared import read_info
from vaelab.evaluation.image import ocr
from vaelab.models.files import load_model
from vaelab.models.image.patch_pca import fit_patch_pca, from_patches, to_patches
from vaelab.models.pca import Pca, reconstruct
from vaelab.objective.kl import kl_per_dimension

RESULTS = ROOT / "benchmarks" / "results"
PASS = {"epochs": 1, "warmup": 0.1, "checkpoint_every": 1, "precision": "bf16-mixed"}
TRAIN_PAGES, TEST_PAGES, SEEDS = 80, 20, (0, 1)
SHAPES = ((4, 4), (8, 16))  # of patch-PCA at the same 1024 numbers for a patch: pixels to a cell's side, components
READ = ("ocr_cer", "ocr_words", "ocr_digits")
Reconstruct = Callable[[Tensor], Tensor]


class Pages(NamedTuple):
    """The patches of the pages that are read."""

    x: Tensor  # uint8 [N, 1, S, S]
    page: np.ndarray
    top: np.ndarray
    left: np.ndarray

    def whole(self, x: Tensor) -> dict[int, np.ndarray]:
        """Return the pages that patches in these places make up."""
        return ocr.stitch(ocr.gray(x.numpy()), self.page, self.top, self.left)

    @torch.no_grad()
    def read(self, reconstruct: Reconstruct) -> dict[str, float]:
        """Return what is read on the reconstructions, and their squared error, on ink (below half) and pooled."""
        parts = [reconstruct(part.float() / 255).clamp(0, 1) for part in self.x.split(32)]
        y = (255 * torch.cat(parts)).round().to(torch.uint8)
        error = (self.x.float() - y.float()).div(255).square()
        found = ocr.page_errors(self.whole(self.x), self.whole(y), TEST_PAGES)
        psnr, ink = -10 * float(error.mean().log10()), float(error[self.x < 128].mean())
        return {**found, "psnr_pooled": psnr, "ink_mse": ink}


def load_pages(where: Path, phase: str) -> Pages:
    """Return the patches of the first pages of a split."""
    split = load_split(where, phase, read_info(where), torch.device("cpu"))
    columns = load_columns(where, phase, ("page", "top", "left"))
    ids = torch.isin(columns["page"], columns["page"].unique()[:TEST_PAGES]).nonzero()[:, 0]
    return Pages(split.stored(ids), *(columns[name][ids].numpy() for name in ("page", "top", "left")))


def train(folder: Path, data: Path, wanted: list[str] | None) -> list[str]:
    """Train the runs of the suite that are not there yet, by the pipeline's own stages; return their names."""
    params = yaml.safe_load((ROOT / "params.yaml").read_text())
    dataset = {"source": "funsd", "path": str(data / "docs_funsd"), "max_pages": TRAIN_PAGES}
    params["datasets"], params["suites"] = {"legible": dataset}, {}
    params["runs"] = {
        f"{name}_seed{seed}": {**entry, "data": "legible", "train": {**PASS, "seed": seed}}
        for name, entry in suite_runs("legible").items()
        for seed in SEEDS
    }
    (folder / "params.yaml").write_text(yaml.safe_dump(params, sort_keys=False))
    stage(folder, "resolve")
    if not (folder / "data" / "prepared" / "legible" / "meta.json").exists():
        stage(folder, "prepare", "legible")
    names = [name for name in params["runs"] if not wanted or name in wanted]
    for name in names:
        if not (folder / "models" / name / "model.safetensors").exists():
            before = cpu_seconds()
            stage(folder, "train", name)
            (folder / f"{name}.seconds").write_text(f"{cpu_seconds() - before:.0f}")
    return names


def cpu_seconds() -> float:
    """Return the CPU seconds that ended child processes have used."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def measured(folder: Path, name: str, pages: dict[str, Pages]) -> list[dict[str, Any]]:
    """Return what a run reaches on each split, with its rate in nats a patch."""
    model = load_model(folder / "models" / name / "model.safetensors").model.eval()
    rows = []
    for phase, of_phase in pages.items():
        with torch.no_grad():
            posteriors = [model(part.float() / 255) for part in of_phase.x.split(32)]
        rate = float(torch.cat([kl_per_dimension(p.mean, p.log_var).sum(1) for p in posteriors]).mean())
        row = of_phase.read(lambda x: model(x).reconstruction)
        seconds = float((folder / f"{name}.seconds").read_text())
        rows.append({"run": name, "phase": phase, **row, "rate": rate, "cpu_seconds": seconds})
        print(rows[-1], flush=True)
    return rows


def of_patches(fitted: Pca, cell: int, x: Tensor) -> Tensor:
    """Return images [B, C, S, S] as PCA of their patches reconstructs them."""
    return from_patches(reconstruct(fitted, to_patches(x, cell)), cell, x.shape[2])


def floors(where: Path, pages: dict[str, Pages]) -> list[dict[str, Any]]:
    """Return the same of patch-PCA; the first of SHAPES is what the networks start from, untrained."""
    images = load_split(where, "train", read_info(where), torch.device("cpu")).spread()
    rows = []
    for cell, components in SHAPES:
        method = partial(of_patches, fit_patch_pca(images, cell, components, 0), cell)
        rows += [
            {"run": f"patch-PCA {cell}×{cell}×{components}", "phase": phase, **of_phase.read(method)}
            for phase, of_phase in pages.items()
        ]
        print(rows[-1], flush=True)
    return rows


def table(rows: list[dict[str, Any]]) -> str:
    """Return the table of means over seeds, ± the standard deviation where there are several."""
    frame = pd.DataFrame(rows)
    frame["run"] = frame["run"].str.replace(r"_seed\d+$", "", regex=True)
    shown = [*READ, "psnr_pooled", "ink_mse", "rate", "cpu_seconds"]
    digits = {"psnr_pooled": 2, "ink_mse": 4, "rate": 0, "cpu_seconds": 0}
    lines = [["split", "run", "seeds", *shown]]
    for (phase, run), group in frame.groupby(["phase", "run"], sort=False):
        cells = [str(phase), str(run), str(len(group))]
        for key in shown:
            mean, deviation, places = group[key].mean(), group[key].std(), digits.get(key, 3)
            cells.append("" if mean != mean else f"{mean:.{places}f}" + (
                "" if deviation != deviation else f" ± {deviation:.{places}f}"
            ))  # fmt: skip
        lines.append(cells)
    lines.insert(1, ["---"] * len(lines[0]))
    return "\n".join("| " + " | ".join(cells) + " |" for cells in lines) + "\n"


def main() -> None:
    """Train, read, write."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--folder", type=Path, help="where the stages run; kept")
    parser.add_argument("--runs", nargs="*", help="only these")
    options = parser.parse_args()
    if "VAELAB_REALDATA" not in os.environ:
        sys.exit("VAELAB_REALDATA: not set; expected the folder of the real data")
    folder = (options.folder or Path(tempfile.mkdtemp(prefix="vaelab-legible-"))).resolve()
    folder.mkdir(parents=True, exist_ok=True)
    ocr.read_page = kept(ocr.read_page, folder / "read.json")  # originals are read once for all methods
    names = train(folder, Path(os.environ["VAELAB_REALDATA"]).resolve(), options.runs)
    where = folder / "data" / "prepared" / "legible"
    pages = {phase: load_pages(where, phase) for phase in ("val", "test")}
    rows = floors(where, pages) + [row for name in names for row in measured(folder, name, pages)]
    (RESULTS / "legible.json").write_text(json.dumps(rows, indent=1) + "\n")
    (RESULTS / "legible.md").write_text(table(sorted(rows, key=lambda row: row["phase"], reverse=True)))
    print((RESULTS / "legible.md").read_text())


def kept(read: Callable[[np.ndarray], str], path: Path) -> Callable[[np.ndarray], str]:
    """Return the same function of a page, which reads each page once and keeps what it read in a file."""
    known: dict[str, str] = json.loads(path.read_text()) if path.exists() else {}

    def of_page(page: np.ndarray) -> str:
        key = hashlib.sha1(page.tobytes()).hexdigest()
        if key not in known:
            known[key] = read(page)
            path.write_text(json.dumps(known))
        return known[key]

    return of_page


if __name__ == "__main__":
    main()
