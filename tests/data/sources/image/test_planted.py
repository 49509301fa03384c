"""Textures with planted defects: beside the splits, which they leave as they were; every example says what it is."""

import itertools
from collections import Counter

import numpy as np
import pytest
import torch
from pydantic import ValidationError
from stored import stored

from vaelab.data.format.batches import load_split
from vaelab.data.format.info import PHASES
from vaelab.data.format.prepared import read_info, read_meta
from vaelab.data.planted import plant as planted
from vaelab.data.planted.kinds import DEFECT_KINDS
from vaelab.data.sources import prepare
from vaelab.data.sources.image import planted_crops
from vaelab.params.datasets import Photos, Split, Textures

NO_TEST = Split(train=0.7, val=0.3, test=0.0)
PHOTOS = Photos(source="photos", size=16, crops=120)
TEXTURES = ("brick", "grass", "gravel")


def textures(**values):
    return Textures(source="textures", **{"size": 16, "crops": 120, **values})


@pytest.mark.parametrize(("share", "expected"), [(0.5, 15), (1.0, 30), (0.1, 3), (0.001, 1)])
def test_defects_are_a_share_of_the_test_crops(tmp_path, share, expected):
    prepare(textures(crops=300, defects=share), tmp_path)
    assert read_meta(tmp_path)["examples"]["defects"] == len(stored(tmp_path, "defects")["x"]) == expected


@pytest.mark.parametrize("settings", [textures(defects=0), textures(split=NO_TEST), PHOTOS])
def test_without_defects_there_is_no_phase_of_them(tmp_path, settings):
    prepare(settings, tmp_path)
    meta = read_meta(tmp_path)
    assert set(meta["examples"]) == set(meta["files"]) == set(PHASES)
    assert not {"defect_names", "strip_defects", "planted"} & set(meta)
    assert ("strip" in stored(tmp_path, "train")) == ("strip_names" in meta) == isinstance(settings, Textures)


@pytest.mark.parametrize("values", [{"defects": 0}, {"defects": 1}, {"defects": 0.3, "strengths": (0.1, 0.2)}])
def test_the_splits_do_not_depend_on_the_defects(tmp_path, values):
    prepare(textures(), tmp_path / "before")
    prepare(textures(**values), tmp_path / "after")
    for phase in PHASES:
        before, after = (stored(tmp_path / name, phase) for name in ("before", "after"))
        assert all(before[name].tobytes() == after[name].tobytes() for name in ("x", "group", "strip"))


def recorded(monkeypatch):
    """What is planted from now on: (arguments, result) of each."""
    calls = []

    def plant(*values):
        calls.append((values, planted.plant(*values)))
        return calls[-1][1]

    monkeypatch.setattr(planted_crops, "plant", plant)
    return calls


def test_crops_with_defects_say_what_is_where(tmp_path, monkeypatch):
    calls = recorded(monkeypatch)
    settings = textures(size=32, crops=600)
    prepare(settings, tmp_path)
    found, meta = stored(tmp_path, "defects"), read_meta(tmp_path)
    assert meta["defect_names"] == ["none", *DEFECT_KINDS]
    assert (meta["reduce"], meta["planted"]["regions"]) == (1, "test")
    assert meta["planted"]["strengths"] == [0.25, 0.5, 1.0]
    assert set(found) == {"x", "group", "strip", "top", "left", "label", "defect", "mask", "strength"}
    assert found["mask"].dtype == found["label"].dtype == np.uint8
    assert found["defect"].dtype == found["strip"].dtype == np.int32
    assert (found["strength"].dtype, found["mask"].shape) == (np.float32, (30, 32, 32))
    assert found["label"].tolist() == [1] * 30 == found["mask"].any((1, 2)).astype(int).tolist()
    assert found["group"].tolist() == [0, 1, 2] * 10
    for index, ((intact, *_), result) in enumerate(calls):
        np.testing.assert_array_equal(found["mask"][index], (found["x"][index] != intact).any(0))
        assert (meta["defect_names"][found["defect"][index]], found["strength"][index]) == result[2:]
    assert meta["defect_counts"]["defects"] == {kind: Counter(c[1].kind for c in calls)[kind] for kind in DEFECT_KINDS}


def test_each_kind_comes_in_each_strength_in_turn(tmp_path, monkeypatch):
    calls = recorded(monkeypatch)
    prepare(textures(crops=360, defects=1, strengths=(0.2, 0.9)), tmp_path)
    asked = [(kind, strength) for (_, kind, strength, *_), _ in calls]
    assert len(calls) == 36
    turn = 2 * len(DEFECT_KINDS)
    assert len(calls) >= 2 * turn
    for first in (0, turn):
        assert sorted(asked[first : first + turn]) == sorted((kind, s) for kind in DEFECT_KINDS for s in (0.2, 0.9))
    assert asked[:turn] != asked[turn : 2 * turn]
    assert all(call[0][4] is before[0][0] for before, call in itertools.pairwise(calls))  # other content


def test_every_crop_is_its_own_strip(tmp_path):
    prepare(textures(), tmp_path)
    meta, parts = read_meta(tmp_path), {phase: stored(tmp_path, phase) for phase in (*PHASES, "defects")}
    strips = np.concatenate([part["strip"] for part in parts.values()])
    assert strips.tolist() == list(range(126))
    assert len(set(meta["strip_names"])) == len(meta["strip_names"]) == len(meta["strip_defects"]) == 126
    assert meta["strip_defects"][:120] == ["none"] * 120
    for phase, part in parts.items():
        assert not part["top"].any()
        assert not part["left"].any()
        for strip, group in zip(part["strip"], part["group"], strict=True):
            assert meta["strip_names"][strip].startswith(f"{TEXTURES[group]}-{phase}-")
    of_defects = [meta["strip_defects"][strip] for strip in parts["defects"]["strip"]]
    assert of_defects == [meta["defect_names"][defect] for defect in parts["defects"]["defect"]]


def test_strengths_change_the_defects_and_not_the_crops(tmp_path, monkeypatch):
    calls = recorded(monkeypatch)
    for number, strength in enumerate((0.5, 1.0)):
        prepare(textures(strengths=(strength,)), tmp_path / str(number))
    weak, strong = calls[:6], calls[6:]
    assert all((one[0][0] == other[0][0]).all() for one, other in zip(weak, strong, strict=True))
    sums = [sum(np.abs(result.image.astype(int) - values[0]).sum() for values, result in of) for of in (weak, strong)]
    assert sums[1] > 1.5 * sums[0]


def test_crops_with_defects_load_as_a_split(tmp_path):
    prepare(textures(), tmp_path)
    split = load_split(tmp_path, "defects", read_info(tmp_path), torch.device("cpu"))
    assert (len(split), split.shape) == (6, (1, 16, 16))


@pytest.mark.parametrize("values", [{"strengths": ()}, {"strengths": (0.5, 0)}, {"strengths": (1.1,)}, {"defects": 2}])
def test_shares_and_strengths_out_of_bounds_are_refused(values):
    with pytest.raises(ValidationError):
        textures(**values)
