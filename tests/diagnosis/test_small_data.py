"""Few examples accuse nobody: numbers of one example, of a handful of labels, of data without any spread."""

import pytest
from cases import causes, defects, history, image

from vaelab.diagnosis.signs import decision, gain, inputs, optimisation

LOST = {"val__distortion": -200.0, "test__distortion": -200.0}  # 800 of 2000 nats gained on training examples


@pytest.mark.parametrize("phase", ["val", "test"])
def test_a_split_of_one_example_says_nothing_of_overfitting(phase):
    groups = {"train": {"gray": 40}, "val": {"gray": 40}, "test": {"gray": 40}}
    assert causes(image(**LOST)._replace(groups=groups)) == ["overfitting"]
    few = image(**LOST)._replace(groups=groups | {phase: {"gray": 1}})
    assert causes(few) == []
    assert gain.shift_ratio(few) is None


@pytest.mark.parametrize("few", [{"defect_patches": 2}, {"test_normals": 1, "clean_patches": 2}])
def test_a_handful_of_labels_says_nothing_of_ranks_and_shares(few):
    many = {"defect_patches": 30, "test_normals": 100, "clean_patches": 0}
    for ill in ({"recall": 0.0}, {"roc_auc_low": 0.0}, {"percentile_used": 99.99, "f1": 0.02}):
        changes = {f"threshold__{name}": value for name, value in ill.items()}
        assert causes(defects(**changes, **{f"threshold__{name}": count for name, count in many.items()}))
        short = defects(**changes, **{f"threshold__{name}": count for name, count in (many | few).items()})
        assert causes(short) == []
    for read in (decision.recall, decision.auc, decision.f1_share, decision.aggregation_gain):
        assert read(short) is None


def test_pictures_that_are_all_the_same_have_no_gain_to_lose():
    rows = history([1.0, 0.9], [0.1, 0.05], "mse")
    case = image(val__floors={"mean_image": {"mse": 0.0, "distortion": -1000.0}})._replace(history=rows)
    assert optimisation.lost_again(case) is None


def values(mean, examples=40, spread=0.1):
    return {"mean": mean, "std": 0.2, "min": 0.0, "max": 1.0, "mean_std": spread, "examples": examples}


def offset(train, test, clusters=40, phases=("train", "test")):
    """A run whose groups have these means, each of so many pages."""
    held = {"train": train, "test": test}
    statistics = {phase: {name: values(mean) for name, mean in held[phase].items()} for phase in phases}
    pages = {
        phase: {name: frozenset(f"{phase} {page}" for page in range(clusters)) for name in train} for phase in phases
    }
    return image()._replace(data={"statistics": statistics}, clusters=pages)


def test_an_offset_of_a_group_is_in_standard_errors_of_its_pages():
    case = offset({"gray": 0.37, "colour": 0.5}, {"gray": 0.63, "colour": 0.52})
    error = (2 * 0.1**2 / 40 + (1 / 255) ** 2 / 12) ** 0.5
    assert inputs.group_offset_errors(case).value == pytest.approx(0.26 / error)
    assert inputs.group_offset_errors(case).source.endswith("statistics.test.gray")
    assert inputs.split_offset_errors(case).value == pytest.approx(0.02 / error)
    assert causes(case) == ["group_shift"]


@pytest.mark.parametrize("clusters", [1, 2, 6])
def test_few_pages_differ_by_chance(clusters):
    assert causes(offset({"gray": 0.37, "colour": 0.5}, {"gray": 0.49, "colour": 0.5}, clusters)) == []


def test_a_split_that_is_a_little_brighter_in_all_groups_is_of_another_range():
    assert causes(offset({"gray": 0.3, "colour": 0.5}, {"gray": 0.41, "colour": 0.62})) == ["input_range"]
    assert causes(offset({"gray": 0.3, "colour": 0.5}, {"gray": 0.36, "colour": 0.56})) == []


COPIES = {"exact": {"train-test": 40}, "near": {}, "alike": {}, "images": {"train": 800, "val": 100, "test": 100}}


def test_two_causes_of_the_data_are_both_named():
    dirty = defects(threshold__val_above_p=1e-4)._replace(data={"near_duplicates": COPIES})
    assert sorted(causes(dirty)) == ["calibration_shift", "leakage"]
    plain, dark = values(0.5), values(0.25) | {"std": 0.1}
    statistics = {"train": {"gray": plain, "colour": plain}, "test": {"gray": dark, "colour": plain}}
    swapped = defects(threshold__mask_z=0.3)._replace(data={"statistics": statistics})
    assert sorted(causes(swapped)) == ["group_shift", "masks_misaligned"]
