"""Tag VAEs on real data: the numbers that trivial methods reach are beaten, and no file is damaged on the way."""

import os
from pathlib import Path

import pytest
import yaml
from helpers import only_for

from vaelab.data.sources import prepare
from vaelab.evaluation.evaluate import evaluate
from vaelab.metrics.nested import FLOORS, SAMPLE_FLOORS
from vaelab.params.resolve import read_params, resolve
from vaelab.training.loop import fit

REALDATA = os.environ.get("VAELAB_REALDATA")
pytestmark = [
    pytest.mark.realdata,
    pytest.mark.slow,
    pytest.mark.skipif(not REALDATA, reason="VAELAB_REALDATA is not set"),
]


@pytest.fixture
def measured(tmp_path, monkeypatch):
    """A function that trains a preset on a data set for some epochs and returns its metrics of test."""

    def run(folder: str, preset: str, epochs: int) -> dict[str, float]:
        source = Path(REALDATA).resolve() / folder
        paths = {"path": str(source / "tags.csv"), "vocabulary": str(source / "vocabulary.txt")}
        params = only_for({"tried": {"data": "rows", "preset": preset, "train": {"epochs": epochs}}})
        params["datasets"] = {"rows": {"source": "tags_csv", "id": "id", **paths}}
        monkeypatch.chdir(tmp_path)
        path = tmp_path / "params.yaml"
        path.write_text(yaml.safe_dump(params))
        prepare(read_params(path).datasets["rows"], tmp_path / "rows")
        tried = resolve(path).runs["tried"]
        fit(tried, tmp_path / "rows", tmp_path / "model", lambda snapshot, info: None)
        return evaluate(tried, tmp_path / "model/model.safetensors", tmp_path / "rows").metrics["test"]

    return run


def test_hundreds_of_tags_beat_no_tag_and_pca(measured):
    found = measured("tags_mulan_delicious", "large_vocabulary", epochs=4)
    zero, pca, independent = found[FLOORS]["zero"], found[FLOORS]["pca"], found[SAMPLE_FLOORS]["independent"]
    assert zero["hamming_loss"] == pytest.approx(0.0194, abs=5e-4)
    assert found["hamming_loss"] < 0.5 * zero["hamming_loss"]
    assert found["recall_at_10"] > pca["recall_at_10"]
    assert found["cosine_similarity_off_diagonal"] > independent["cosine_similarity_off_diagonal"]


def test_few_tags_beat_their_frequencies(measured):
    found = measured("tags_mulan_tmc2007", "vae_small", epochs=8)
    frequency = found[FLOORS]["frequency"]
    assert found["lrap"] > frequency["lrap"] + 0.05
    assert found["bce"] < frequency["bce"]
    assert found["kl_divergence"] > found["real_kl_divergence"]


def test_the_recommended_preset_beats_pca_and_completes_rows_as_well_as_ease(measured):
    found = measured("tags_mulan_tmc2007", "tags", epochs=10)
    assert found["lrap"] > 0.98
    assert found["sampled"]["lrap"] > 0.96
    assert found["completion_gain_over_ease"] > -0.01
    assert found["seen_share"] == pytest.approx(0.97, abs=0.01)
    assert found["completion_left_out"] > 900  # rows with a single tag
    assert found["sample_tags"] == pytest.approx(found["real_sample_tags"], rel=0.06)
