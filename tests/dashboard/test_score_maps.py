"""Score maps of the dashboard are those of the report."""

import numpy as np
import pytest
from dashboards import opened, run_of, said

from vaelab import artifacts
from vaelab.anomaly.fit import fit_cells
from vaelab.anomaly.preprocessing import preprocess
from vaelab.anomaly.score import calibrated_maps
from vaelab.anomaly.score_files import read_phases
from vaelab.dashboard import score_maps
from vaelab.figures.defects.run import score_label


@pytest.mark.parametrize("score", ["combined", "local_statistics"])
def test_a_few_maps_are_those_of_all_calibrated(project, score):
    phases = {p: preprocess(f, run_of("cloth").threshold) for p, f in read_phases(artifacts.scores("cloth")).items()}
    every = np.ones(len(phases["defects"]), bool)
    ((_, expected),) = calibrated_maps(phases["defects"], fit_cells(phases["val"]), every)
    found = score_maps.maps("cloth", "defects", [7, 0], score)
    assert np.array_equal(found, expected[score][[7, 0]])


def test_their_scale_has_the_name_and_unit_of_the_report(project):
    assert score_maps.scale("cloth").label == score_label(run_of("cloth").threshold, "cell")
    assert score_maps.maps("pictures", "test", [0]) is None
    page = opened("samples", "cloth")
    page.segmented_control(key="phase_cloth").set_value("defects").run()
    assert "standard deviations of normals, threshold" in page.subheader[0].value
    assert f"Map over the original: {score_maps.scale('cloth').label}" in said(page)
