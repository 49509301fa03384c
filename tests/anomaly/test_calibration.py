"""Calibration: never changes an order within a group, takes no more than val, and stays defined on odd normals."""

import numpy as np
import pytest
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from vaelab.anomaly import calibration
from vaelab.anomaly.calibration import FITS, calibrate, check_groups, fit_groups, fit_log_z, fit_quantile
from vaelab.errors import InputError
from vaelab.params.threshold import Threshold


def normals(count: int = 300, seed: int = 0) -> np.ndarray:
    return np.random.default_rng(seed).lognormal(1, 0.5, count)


def test_every_choice_has_its_function():
    assert set(FITS) == set(Threshold.model_fields["calibration"].annotation.__args__)


def test_log_z_is_the_z_score_of_the_logarithm():
    values = normals()
    found = fit_log_z(values)(np.array([2.0, 5.0, values[0]]))
    logs = np.log(values)
    expected = (np.log([2.0, 5.0, values[0]]) - logs.mean()) / logs.std()
    assert found == pytest.approx(expected, abs=1e-4)  # for what is added to each score
    assert stats.zscore(logs)[0] == pytest.approx(found[2], abs=1e-4)


def test_quantile_is_how_rare_a_score_is_among_the_normals():
    apply = fit_quantile(np.array([1.0, 2.0, 2.0, 4.0]))
    shares = np.array([0.5 / 4, 2 / 4, 3.5 / 4])  # below, and half of those that are equal
    assert apply(np.array([1.0, 2.0, 4.0])) == pytest.approx(-np.log(1 - shares))
    assert apply(np.array([0.0, 0.5]))[0] == 0
    assert apply(np.array([3.0])) == pytest.approx(-np.log(1 - shares[1:]).mean())
    beyond = apply(np.array([4.0, 5.0, 6.0]))
    assert np.diff(beyond) == pytest.approx([1 / 0.6, 1 / 0.6])  # 90th percentile 3.4, of which 4 exceeds by 0.6


def test_quantile_of_many_normals_keeps_few_knots_and_its_accuracy(monkeypatch):
    values, probe = normals(20_000), normals(500, 1)
    exact = fit_quantile(values)
    monkeypatch.setattr(calibration, "KNOTS", 512)
    few = fit_quantile(values)
    assert len(few.keywords["known"]) <= 513 < len(exact.keywords["known"])
    assert few(probe) == pytest.approx(exact(probe), abs=0.03)
    assert few(np.array([values.max()])) == exact(np.array([values.max()])) == pytest.approx(np.log(2 * 20_000))


@steady
@given(st.integers(0, 2**16), st.sampled_from(sorted(FITS)), st.integers(2, 30), st.booleans())
def test_it_never_changes_an_order(seed, kind, count, rounded):
    rng = np.random.default_rng(seed)
    values = rng.lognormal(0, 1, count).round(1 if rounded else 8)
    scores = np.sort(rng.lognormal(0, 2, 50))
    found = FITS[kind](values)(scores)
    assert np.isfinite(found).all()
    assert (np.diff(found) >= 0).all()
    above = scores > values.max()
    assert (np.diff(found[above]) > 0).all()


@pytest.mark.parametrize("factor", [1e-6, 1e6])
@pytest.mark.parametrize("kind", ["log_z", "quantile"])
def test_the_unit_of_a_score_does_not_matter(kind, factor):
    probe = np.append(normals(50, 1), 100)
    assert FITS[kind](factor * normals())(factor * probe) == pytest.approx(FITS[kind](normals())(probe))


@pytest.mark.parametrize("value", [0.0, 3.0])
@pytest.mark.parametrize("kind", sorted(FITS))
def test_normals_of_one_score_leave_an_order(kind, value):
    found = FITS[kind](np.full(5, value))(np.array([value, value, value + 1, value + 2]))
    assert np.isfinite(found).all()
    assert found[0] == found[1] < found[2] < found[3]


def test_the_type_of_the_maps_is_kept():
    for fit in FITS.values():
        assert fit(normals())(np.ones((2, 3, 3), np.float32)).dtype == np.float32


def test_every_group_has_its_own():
    group = np.arange(200) % 2
    values = normals(200) * np.where(group, 1000, 1)
    fitted = fit_groups("log_z", values, group)
    found = calibrate(fitted, values, group)
    for number in (0, 1):
        here = found[group == number]
        assert (here.mean(), here.std()) == pytest.approx((0, 1), abs=1e-6)
    assert (calibrate(fit_groups("none", values, group), values, group) == values).all()


@pytest.mark.parametrize(
    ("val", "text"),
    [
        ([0, 0, 0], r"val\.x: group 'linen' has 0 normal patches in val \(2 in test, 1 in defects\)"),
        ([0, 0, 1], "group 'linen' has 1 normal patches in val"),
        ([1, 1], "group 'denim' has 0 normal patches"),
    ],
)
def test_a_group_without_normals_is_refused(val, text):
    others = {"test": np.array([0, 1, 1]), "defects": np.array([1])}
    with pytest.raises(InputError, match=text):
        check_groups(np.array(val), others, ["denim", "linen"], "val.x")
    check_groups(np.array([0, 1, 0, 1]), others, ["denim", "linen"], "val.x")
