"""Writes strips as patches, one strip at a time, and keeps what the report says of them."""

from collections import Counter
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np

from vaelab.data.format import prepared
from vaelab.data.format.clusters import cluster_report
from vaelab.data.format.info import DEFECT_PHASES, PHASES, image_info
from vaelab.data.sources.account import counted
from vaelab.data.sources.alike import Pair, alike, alike_warnings, pair_counts
from vaelab.data.sources.fabric.division import Division
from vaelab.data.sources.fabric.strips import NONE, Cutting, Loaded, Strip, cut, load
from vaelab.data.sources.fabric.survey import Survey
from vaelab.data.sources.progress import progress


class StripWriter:
    """Writes the patches of strips; each strip's number is the count of the strips before it."""

    def __init__(self, folder: Path, cutting: Cutting, groups: tuple[str, ...], defects: tuple[str, ...]) -> None:
        self.writer = prepared.Writer(folder, prepared.SHARD_BYTES)
        self.cutting = cutting
        self.groups = groups
        self.defects = (NONE, *defects)
        self.strips: list[dict[str, Any]] = []  # what is kept of each
        self.patches: Counter[tuple[str, str]] = Counter()  # by phase and group
        self.labels: Counter[tuple[str, str]] = Counter()  # by phase and defect

    def add(self, phase: str, strip: Strip, loaded: Loaded) -> None:
        """Write the patches of a strip."""
        cutting = self.cutting
        patches = cut(loaded, cutting, cutting.train_stride if phase == "train" else cutting.stride)
        count = len(patches.x)
        arrays = {"x": patches.x, "top": patches.top, "left": patches.left}
        arrays["group"] = np.full(count, self.groups.index(strip.group), dtype=np.int32)
        arrays["strip"] = np.full(count, len(self.strips), dtype=np.int32)
        if phase in DEFECT_PHASES:
            label = patches.mask.max((1, 2)).astype(np.uint8)
            arrays |= {"label": label, "defect": self.defects.index(strip.defect) * label.astype(np.int32)}
            arrays["mask"] = patches.mask
            self.labels[phase, strip.defect] += int(label.sum())
            self.labels[phase, NONE] += count - int(label.sum())
        self.writer.add(phase, arrays)
        self.patches[phase, strip.group] += count
        self.strips.append({
            "names": strip.name,
            "groups": strip.group,
            "phases": phase,
            "defects": strip.defect,
            "shapes": list(loaded.mask.shape),
            "starts": cutting.start(loaded.pixels),
            "defect_pixels": int(loaded.mask.sum()),
            "defect_pixels_outside": patches.mask_outside,
            "pixels_outside": patches.pixels_outside,
        })  # fmt: skip

    def finish(self, report: Mapping[str, Any]) -> None:
        """Write what waits, and meta.json with `report`, what is kept of the strips, and the counts."""
        columns = self.strips[0] if self.strips else {}
        phases = [phase for phase in (*PHASES, *DEFECT_PHASES) if phase != "val_defects"]
        phases += ["val_defects"] * any(strip["phases"] == "val_defects" for strip in self.strips)
        info = image_info(self.cutting.channels, self.cutting.size, self.groups, self.cutting.preparation)
        self.writer.finish(info, {
            **report,
            "reduce": self.cutting.reduce,
            "group_counts": {phase: {group: self.patches[phase, group] for group in self.groups} for phase in phases},
            "defect_names": list(self.defects),
            "defect_counts": {
                phase: {defect: self.labels[phase, defect] for defect in self.defects}
                for phase in phases if phase in DEFECT_PHASES
            },
            **{f"strip_{name}": [strip[name] for strip in self.strips] for name in columns},
        })  # fmt: skip

    def left_out(self, where: str) -> tuple[list[str], list[str]]:
        """Return what to say of the pixels that are in no patch, and what to warn of: those of defects."""
        strips, said, warned = self.strips, [], []
        total = sum(height * width for height, width in (strip["shapes"] for strip in strips))
        outside, marked, lost = (
            sum(strip[name] for strip in strips)
            for name in ("pixels_outside", "defect_pixels", "defect_pixels_outside")
        )
        if outside:
            said.append(
                f"{outside / total:.1%} of the pixels are in no patch: at the edges, where no whole one is left"
            )
        if lost:
            names = [strip["names"] for strip in strips if strip["defect_pixels_outside"]]
            text = f"{lost} of {marked} pixels of defects ({lost / marked:.1%}) are in no patch: {counted(names)}"
            warned.append(f"{text}; a {where}.stride that fits the side of the {self.cutting.unit}s loses fewer")
        return said, warned

    def lost_defects(self) -> list[str]:
        """Return the strips whose mask is wholly outside of the patches."""
        return [
            s["names"] for s in self.strips if s["defect_pixels"] and s["defect_pixels"] == s["defect_pixels_outside"]
        ]


def write_strips(
    folder: Path, division: Division, cutting: Cutting, found: Survey, report: Mapping[str, Any], group_word: str
) -> None:
    """Write all phases, and say on the terminal what was left out."""
    strips = [(phase, strip) for phase, members in division.phases.items() for strip in members]
    defects = tuple(sorted({strip.defect for _, strip in strips} - {NONE}))
    writer = StripWriter(folder, cutting, division.groups(), defects)
    for phase, strip in progress(strips, f"prepare {folder.name}", cutting.unit):
        writer.add(phase, strip, load(strip, cutting))
    account, (said, lost) = found.account, writer.left_out(found.account.where)
    account.said += said
    account.warn([*found.mask_warnings(), *lost])
    pairs = _alike(division, found)
    account.warn(alike_warnings(pairs))
    account.warn(_warnings(division, cutting, writer.lost_defects(), group_word))
    writer.finish({
        **report,
        **account.report(),
        "near_duplicates": _duplicates(pairs, division),
        **cluster_report("strip", [found.unit(strip) for _, strip in strips]),
        "value_scale": cutting.scale,
        "pairing": found.pairing.names,
        "left_out": division.left_out,
    })  # fmt: skip
    account.tell(f"{len(strips)} {cutting.unit}s kept", {}, folder / "meta.json")


def _duplicates(pairs: Sequence[Pair], division: Division) -> dict[str, Any]:
    """How many images of each two phases show one thing; of those with the same pixels one was kept."""
    images = {phase: len(members) for phase, members in division.phases.items() if members}
    return {"alike": pair_counts(pairs, list(images)), "images": images}


def _alike(division: Division, found: Survey) -> list[Pair]:
    """Images of two phases that show one thing."""
    names = {
        phase: [strip.name for strip in members if strip.name in found.thumbnails]
        for phase, members in division.phases.items()
    }
    return alike({
        phase: (known, np.stack([found.thumbnails[name] for name in known])) for phase, known in names.items() if known
    })  # fmt: skip


def _warnings(division: Division, cutting: Cutting, lost: list[str], group_word: str) -> list[str]:
    unit, found = cutting.unit, []
    for group, text in division.left_out.items():
        found.append(f"{group_word} {group} is left out: {text}; two normal {unit}s are needed")
    if not any(division.phases[phase] for phase in DEFECT_PHASES):
        found.append(f"no {unit} with a defect is left: nothing can be measured against labels")
    if not division.phases["test"]:
        found.append(f"no normal {unit} is left for test")
    if lost:
        found.append(f"{unit}s whose defect is in no patch: {counted(lost)}")
    return found
