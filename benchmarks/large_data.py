"""Memory and time of the stages on data larger than memory: images of 256 × 256 pixels in colour.

Each stage runs in a process of its own whose own memory (RLIMIT_DATA) is limited to 4 GiB: above it, it fails.

- prepare: JPEGs in tar shards, all different, generated here; written whole, so at most as large as the disk allows.
- train, evaluate, visualize: prepared shards of 256 MiB of which one each of train, val and test is written, and the
  others are hard links to it: 50 GB that take .4 GB of disk. They are read like any others, but from the page cache.
  Training stops after as many steps of batches drawn from all images, evaluation measures so many images of a phase.
- reading: examples a second of training on the images that `prepare` wrote, in their files, against the same in memory;
  cold: the page cache has lost the files before each measurement.

Result: benchmarks/results/large_data.json and .md.
"""

import argparse
import io
import json
import os
import resource
import runpy
import shutil
import statistics
import subprocess
import sys
import tarfile
import threading
import time
from pathlib import Path
from typing import Any

ROOT = Path(__file__).resolve().parents[1]
sys.path[:0] = [str(ROOT / "src"), str(ROOT / "benchmarks")]

import numpy as np
import yaml
from PIL import Image

from vaelab.data.format import prepared
from vaelab.data.format.info import image_info

RESULT = ROOT / "benchmarks" / "results" / "large_data.json"
LIMIT = 4 * 2**30  # bytes of a process's own memory
SIDE, RUN = 256, "large"
SIZES = [1_000, 10_000, 100_000, 250_000]
HELD_OUT = 500  # one image of so many is in val, and one in test
STAGES = ("prepare", "train", "evaluate", "visualize", "diagnose")
BATCH, STEPS, MEASURED = 32, 10, 100
MODEL = {"latent_dim": 64, "width": 8, "depth": 5}
READ, PAIRS = 15, 3  # steps of a measurement of reading, measurements of each way


def main() -> None:
    """Run what is asked for, each size and stage after the other; what was measured before stays."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--sizes", nargs="*", type=int, default=SIZES)
    parser.add_argument("--prepared", nargs="*", type=int, default=SIZES[:3], help="sizes that stage prepare writes")
    parser.add_argument("--reading", type=int, default=SIZES[1], help="images of that part; 0: without it")
    parser.add_argument("--measured", type=int, default=MEASURED, help="images of a phase that evaluation measures")
    parser.add_argument("--folder", type=Path, default=ROOT / ".scratch" / "large_data", help="removed in the end")
    parser.add_argument("--result", type=Path, default=RESULT)
    parser.add_argument("--stages", nargs="*", choices=STAGES, default=list(STAGES))
    parser.add_argument("--one", nargs=2, metavar=("WHAT", "FILE"), help=argparse.SUPPRESS)
    options = parser.parse_args()
    if options.one:
        child(options.one[0], Path(options.one[1]))
        return
    result = json.loads(options.result.read_text()) if options.result.exists() else {"stages": {}}
    try:
        for size in sorted({*options.sizes, *options.prepared, options.reading} - {0}):
            measure(size, options, result)
            write(options.result, result)
    finally:
        shutil.rmtree(options.folder, ignore_errors=True)


def measure(size: int, options: argparse.Namespace, result: dict[str, Any]) -> None:
    """Run the stages on so many images, and add what is found."""
    folder, found = options.folder.resolve(), result["stages"].setdefault(str(size), {})
    asked = [stage for stage in options.stages if stage != "prepare"] if size in options.sizes else []
    write_project(folder, options.measured)
    if (size in options.prepared and "prepare" in options.stages) or size == options.reading:
        write_raw(folder / "data" / "raw", size)
        found["prepare"] = run("prepare", folder) | {"images": size}
        say(size, "prepare", found["prepare"])
        shutil.rmtree(folder / "data" / "raw")
    if size == options.reading:
        result["reading"] = run("reading", folder)
        print(json.dumps(result["reading"]), flush=True)
    shutil.rmtree(folder / "data" / "prepared", ignore_errors=True)
    if asked:
        counts = write_linked(folder / "data" / "prepared" / RUN, size)
    for stage in asked:
        images = {"train": STEPS * BATCH, "evaluate": sum(min(n, options.measured) for n in counts.values())}
        found[stage] = run(stage, folder) | ({"images": images[stage]} if stage in images else {})
        say(size, stage, found[stage])
    shutil.rmtree(folder)


def write_project(folder: Path, measured: int) -> None:
    """Write params.yaml with one run and its data set, and resolve it."""
    raw = yaml.safe_load((ROOT / "params.yaml").read_text())
    split = {"train": 1 - 2 / HELD_OUT, "val": 1 / HELD_OUT, "test": 1 / HELD_OUT}
    raw["datasets"] = {RUN: {"source": "image_shards", "path": "data/raw", "size": SIDE, "fit": "crop", "split": split}}
    raw["presets"] = {RUN: {
        "model": MODEL,
        "loss": {"terms": {"mse": 1.0}, "reduction": "mean", "beta": 1.0e-4},
        "train": {"epochs": 1, "batch_size": BATCH},
        "evaluate": {"z_samples": 2, "importance_samples": 2, "samples": 100, "examples": measured},
    }}  # fmt: skip
    raw["runs"], raw["suites"] = {RUN: {"data": RUN}}, {}
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "params.yaml").write_text(yaml.safe_dump(raw))
    subprocess.run([sys.executable, str(ROOT / "stages" / "resolve.py")], cwd=folder, check=True, stdout=sys.stderr)


def pictures(count: int, seed: int) -> np.ndarray:
    """Return smooth pictures, uint8 [count, SIDE, SIDE, 3], all different."""
    coarse = np.random.default_rng(seed).integers(0, 256, (count, 8, 8, 3), dtype=np.uint8)
    return np.stack([np.asarray(Image.fromarray(one).resize((SIDE, SIDE), Image.Resampling.BICUBIC)) for one in coarse])


def write_raw(folder: Path, count: int) -> None:
    """Write tar shards of a thousand JPEGs."""
    folder.mkdir(parents=True)
    for start in range(0, count, 1000):
        with tarfile.open(folder / f"{start // 1000:05d}.tar", "w") as shard:
            for number, picture in enumerate(pictures(min(1000, count - start), start), start):
                file = io.BytesIO()
                Image.fromarray(picture).save(file, "JPEG", quality=90)
                info = tarfile.TarInfo(f"{number:07d}.jpg")
                info.size = len(file.getvalue())
                shard.addfile(info, io.BytesIO(file.getvalue()))


def write_linked(folder: Path, count: int) -> dict[str, int]:
    """Write prepared data of so many images, of which one shard of each phase is written; return images by phase."""
    held_out = max(16, count // HELD_OUT)
    counts = {"train": count - 2 * held_out, "val": held_out, "test": held_out}
    shard = min(prepared.SHARD_BYTES // (3 * SIDE**2), held_out)
    writer = prepared.Writer(folder)
    for seed, (phase, wanted) in enumerate(counts.items()):
        x = pictures(min(wanted, shard), seed).transpose(0, 3, 1, 2)
        writer.add(phase, {"x": x, "group": np.zeros(len(x), np.int32)})
    writer.finish(image_info(3, SIDE, ("all",)), {"source": "generated", "licence": "none"})
    meta = json.loads((folder / "meta.json").read_text())
    for phase, wanted in counts.items():
        links = max(1, round(wanted / min(wanted, shard)))
        names = [f"{phase}-{number:05d}.safetensors" for number in range(links)]
        for name in names[1:]:
            os.link(folder / names[0], folder / name)
            meta["sha256"][name] = meta["sha256"][names[0]]
        meta["files"][phase] = names
        counts[phase] = meta["examples"][phase] = meta["examples"][phase] * links
    (folder / "meta.json").write_text(json.dumps(meta))
    return counts


def run(what: str, folder: Path) -> dict[str, Any]:
    """Run a part in a process of its own with limited memory, and return what it measured."""
    found = folder / "found.json"
    command = [sys.executable, str(Path(__file__).resolve()), "--one", what, str(found)]
    done = subprocess.run(command, cwd=folder, stdout=sys.stderr, check=False)
    if done.returncode:
        raise SystemExit(f"{what}: ended with {done.returncode}")
    return dict(json.loads(found.read_text()))


class Watch(threading.Thread):
    """The most memory of this process at any time, by kind: anon, its own, and file, mapped files, MiB."""

    def __init__(self) -> None:
        super().__init__(daemon=True)
        self.most = {"anon": 0, "file": 0}

    def run(self) -> None:
        """Look every 20 ms."""
        while True:
            lines = dict(line.split(":") for line in Path("/proc/self/status").read_text().splitlines())
            for name in self.most:
                self.most[name] = max(self.most[name], int(lines[f"Rss{name.title()}"].split()[0]) // 1024)
            time.sleep(0.02)


def child(what: str, found: Path) -> None:
    """Do one part in this process, and write what it took."""
    if what == "reading":
        found.write_text(json.dumps(reading()))
        return
    resource.setrlimit(resource.RLIMIT_DATA, (LIMIT, LIMIT))
    watch = Watch()
    watch.start()
    start, cpu = time.perf_counter(), time.process_time()
    if what == "train":
        limit_steps(STEPS)
    sys.argv = [f"{what}.py", RUN]
    runpy.run_path(str(ROOT / "stages" / f"{what}.py"), run_name="__main__")
    seconds, cpu = time.perf_counter() - start, time.process_time() - cpu
    lines = Path("/proc/self/status").read_text().splitlines()
    peak = next(int(line.split()[1]) for line in lines if line.startswith("VmHWM:")) // 1024
    found.write_text(
        json.dumps({"mib": peak, **watch.most, "seconds": round(seconds, 1), "cpu_seconds": round(cpu, 1)})
    )


def limit_steps(most: int) -> None:
    """End each epoch after so many steps; its order is that of all examples."""
    from vaelab.training.session import Session

    Session.steps = property(lambda session: min(most, len(session.train) // session.batch_size))  # type: ignore[method-assign,assignment]


def reading() -> dict[str, Any]:
    """Return examples a second of training, with images in files and in memory, in turn."""
    import torch
    from tqdm import tqdm

    from vaelab import artifacts
    from vaelab.data.format import batches
    from vaelab.params.resolve import read_run
    from vaelab.training.interrupts import Interrupts
    from vaelab.training.loop import train_epoch
    from vaelab.training.processes import make_fabric
    from vaelab.training.session import start as started
    from vaelab.training.state import scratch_folder

    limit_steps(READ)
    run, data = read_run(artifacts.resolved(RUN)), artifacts.prepared(RUN)
    batches.LARGE_BYTES = 0
    fabric = make_fabric(run)
    fabric.launch()
    session = started(fabric, run, data, lambda *_: None, lambda _: (), scratch_folder(run, data))
    in_files, group = session.train, session.train.group
    whole = torch.cat([in_files.stored(part) for part in torch.arange(len(in_files)).split(1000)])
    splits = {"memory": batches.DeviceSplit([whole], group, in_files.device, "image"), "files": in_files}
    rates: dict[str, list[tuple[float, float]]] = {"memory": [], "files": [], "files, cold": []}
    for _ in range(PAIRS + 1):  # the first one warms up
        for way in rates:
            session.train = splits[way.partition(",")[0]]
            if "cold" in way:
                forget(sorted(data.glob("train-*.safetensors")))
            start, cpu = time.perf_counter(), time.process_time()
            train_epoch(session, tqdm(disable=True), Interrupts())
            rates[way].append((time.perf_counter() - start, time.process_time() - cpu))
            session.progress.epoch, session.sums = session.progress.epoch + 1, {}
    examples, found = READ * BATCH, dict[str, Any]()
    for way, measured in rates.items():
        seconds, cpu = (statistics.median(one[i] for one in measured[1:]) for i in (0, 1))
        of_memory = [there[0] / here[0] for there, here in zip(rates["memory"][1:], measured[1:], strict=True)]
        found[way] = {
            "examples_per_second": round(examples / seconds, 1), "cpu_seconds": round(cpu, 2),
            "of_memory": round(statistics.median(of_memory), 3),
        }  # fmt: skip
    return found | {"images": len(in_files), "gib": round(whole.nbytes / 2**30, 2), "batch_size": BATCH}


def forget(paths: list[Path]) -> None:
    """Let the page cache lose files."""
    for path in paths:
        with path.open("rb") as file:
            os.fsync(file.fileno())
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)


def say(size: int, stage: str, found: dict[str, Any]) -> None:
    """Print what a stage took."""
    print(f"{size} images, {stage}: {found}", flush=True)


def write(path: Path, result: dict[str, Any]) -> None:
    """Write the result, and as a table."""
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(json.dumps(result, indent=2) + "\n")
    sizes = sorted(result["stages"], key=int)
    lines = ["| peak memory, MiB (own / with mapped files) | " + " | ".join(f"{int(size):,}" for size in sizes) + " |"]
    lines.append("|---" * (len(sizes) + 1) + "|")
    for stage in STAGES:
        cells = [result["stages"][size].get(stage) for size in sizes]
        lines.append(f"| {stage} | " + " | ".join(f"{c['anon']:,} / {c['mib']:,}" if c else "" for c in cells) + " |")
    for stage in STAGES:
        cells = [result["stages"][size].get(stage) for size in sizes]
        lines.append(
            f"| {stage}: CPU seconds | " + " | ".join(f"{c['cpu_seconds']:.0f}" if c else "" for c in cells) + " |"
        )
    if "reading" in result:
        lines += ["", "| training | examples / s | of those in memory |", "|---|---|---|"]
        ways = {way: one for way, one in result["reading"].items() if isinstance(one, dict)}
        lines += [f"| {way} | {one['examples_per_second']} | {one['of_memory']:.2f} |" for way, one in ways.items()]
    if "note" in result:
        lines += ["", result["note"]]
    path.with_suffix(".md").write_text("\n".join(lines) + "\n")


if __name__ == "__main__":
    main()
