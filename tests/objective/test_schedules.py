import math

import pytest

from vaelab.objective.schedules import value_at, value_reached
from vaelab.params.base import Schedule


def make(shape: str, **options: float) -> Schedule:
    return Schedule(schedule=shape, **{"start": 0.2, "end": 1.2, "delay": 2.0, "epochs": 4.0, **options})


def test_a_number_stays_as_it_is():
    assert [value_at(0.7, epoch) for epoch in (0, 1.5, 100)] == [0.7, 0.7, 0.7]
    assert value_reached(0.7, 3.0) == 0.7


@pytest.mark.parametrize("shape", ["linear", "cosine", "sigmoid"])
@pytest.mark.parametrize(
    ("epoch", "expected"), [(0, 0.2), (1.9, 0.2), (2, 0.2), (4, 0.7), (6, 1.2), (6.1, 1.2), (1000, 1.2)]
)
def test_ramps_wait_rise_and_stay(shape, epoch, expected):
    assert value_at(make(shape), epoch) == pytest.approx(expected)


@pytest.mark.parametrize(
    ("shape", "share"),
    [
        ("linear", 0.25),
        ("cosine", (1 - math.cos(math.pi / 4)) / 2),
        ("sigmoid", 0.5 + 0.5 * math.tanh(-1.5) / math.tanh(3)),
    ],
)
def test_a_quarter_of_the_ramp(shape, share):
    assert value_at(make(shape), 3) == pytest.approx(0.2 + share)


@pytest.mark.parametrize("epoch", [0, 2, 3, 6, 1000])
def test_constant_is_the_end_value_throughout(epoch):
    assert value_at(make("constant"), epoch) == 1.2


@pytest.mark.parametrize("shape", ["linear", "cosine", "sigmoid"])
@pytest.mark.parametrize(("start", "end"), [(0.0, 1.0), (2.0, 0.5)])
def test_ramps_are_monotone(shape, start, end):
    schedule = make(shape, start=start, end=end)
    values = [value_at(schedule, epoch / 10) for epoch in range(80)]
    assert values == sorted(values, reverse=end < start)
    assert len(set(values)) > 30


@pytest.mark.parametrize(
    ("epoch", "expected"), [(0, 0.2), (2, 0.2), (2.5, 0.7), (3, 1.2), (5.9, 1.2), (6, 0.2), (6.5, 0.7), (7.5, 1.2)]
)
def test_cyclical_ramps_in_the_first_share_of_each_cycle(epoch, expected):
    assert value_at(make("cyclical", ramp=0.25), epoch) == pytest.approx(expected)


def test_cyclical_repeats():
    schedule = make("cyclical", delay=1.0)
    for step in range(40):
        epoch = 1 + step / 8
        assert value_at(schedule, epoch) == value_at(schedule, epoch + 4) == value_at(schedule, epoch + 40)


@pytest.mark.parametrize("shape", ["constant", "linear", "cosine", "sigmoid", "cyclical"])
def test_the_value_reached_is_the_end_once_the_ramp_is_over(shape):
    assert value_reached(make(shape), 6.0) == 1.2
    assert value_reached(make(shape), 4.0) == {"constant": 1.2, "cyclical": 1.2}.get(shape, pytest.approx(0.7))
    assert max(value_at(make(shape), epoch / 10) for epoch in range(100)) == pytest.approx(1.2)
