"""What the loop does in its own way because that is faster gives the same numbers as the plain way."""

import math

import pytest
import torch
from helpers import tiny_run
from torch import nn
from torch.nn.utils import get_total_norm
from trainings import contents, fit, history, restless, same, spied, weights

from vaelab.data.format import batches
from vaelab.data.format.batches import DeviceSplit, mixed
from vaelab.measures.kinds import MEASURES
from vaelab.training.nonfinite import Guard
from vaelab.training.processes import one_order
from vaelab.training.session import Session
from vaelab.training.step import dropout_seed, forget_gradients, gradient_norm

CPU = torch.device("cpu")
every_kind = pytest.mark.parametrize("kind", ["grid", "image", "tags"])


def parameters_with_gradients(seed):
    generator = torch.Generator().manual_seed(seed)
    parameters = [nn.Parameter(torch.zeros(shape)) for shape in ((200, 33), (33,), (), (7, 5, 3, 3))]
    for parameter in parameters[:-1]:
        parameter.grad = torch.randn(parameter.shape, generator=generator) * 10.0 ** (seed % 5)
    return parameters


@pytest.mark.parametrize("seed", range(10))
def test_the_norm_of_the_gradients_is_that_of_torch(seed):
    parameters = parameters_with_gradients(seed)
    assert torch.equal(gradient_norm(parameters), get_total_norm([p.grad for p in parameters if p.grad is not None]))


def test_gradients_are_forgotten_as_zero_grad_does():
    parameters = parameters_with_gradients(0)
    forget_gradients(torch.optim.AdamW([{"params": parameters[:2]}, {"params": parameters[2:]}]))
    assert all(parameter.grad is None for parameter in parameters)


def test_dropout_draws_what_it_would_draw_after_manual_seed():
    x = torch.ones(1000)
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(mixed(3, 7, stream=11))
        expected = nn.functional.dropout(x)
    with dropout_seed(True, 3, 7, 1, CPU):
        assert torch.equal(nn.functional.dropout(x), expected)


def test_the_global_generator_is_as_before_after_an_error_too():
    before = torch.get_rng_state()
    with pytest.raises(KeyError), dropout_seed(True, 3, 7, 0, CPU):
        raise KeyError
    assert torch.equal(torch.get_rng_state(), before)


def test_on_the_cpu_a_flag_appears_with_the_first_bad_step_and_stays():
    guard, optimizer = Guard(CPU), torch.optim.AdamW([nn.Parameter(torch.zeros(1))])
    one, bad = torch.tensor(1.0), torch.tensor(math.nan)
    guard.watch(optimizer, one, one)
    assert guard.bad_step(1, last=True) is None
    assert not hasattr(optimizer, "found_inf")
    guard.watch(optimizer, one, bad)
    guard.watch(optimizer, one, one)
    assert float(optimizer.found_inf) == 1
    assert guard.bad_step(3, last=False) == 1


@every_kind
@pytest.mark.parametrize("ema", [0.0, 0.9])
def test_fabrics_wrapper_changes_nothing_in_one_process(in_a_folder_with_data, monkeypatch, kind, ema):
    run = tiny_run(kind=kind, train={"ema": ema})
    expected = weights(fit(in_a_folder_with_data, run) / "last.safetensors")
    monkeypatch.setattr(Session, "is_plain", False)
    assert same(weights(fit(in_a_folder_with_data, run) / "last.safetensors"), expected)


@pytest.mark.parametrize(("kind", "named"), [("grid", {"accuracy"}), ("image", {"mse", "psnr"}), ("tags", set())])
def test_the_history_has_the_mean_over_the_steps_of_each_term(in_a_folder_with_data, monkeypatch, kind, named):
    calls = spied(monkeypatch, "forward_backward")
    row = history(fit(in_a_folder_with_data, tiny_run(kind=kind, train={"epochs": 1})))[1]
    steps = []
    for _, (batch, inference, losses, _) in calls:
        values = {"loss": losses.total, **losses.terms}
        values |= {f"{name}_weighted": value for name, value in losses.weighted.items()}
        examples = MEASURES[kind].train_metrics(batch, inference, None).examples if kind == "image" else {}
        steps.append({name: value.detach().mean() for name, value in {**values, **examples}.items()})
    assert len(steps) == 3
    for name in steps[0]:
        expected = float(steps[0][name] + steps[1][name] + steps[2][name]) / 3
        assert row[name] == f"{expected:.7g}"
    assert row["loss_max"] == f"{max(float(step['loss']) for step in steps):.7g}"
    assert float(row["gradient_norm_max"]) >= float(row["gradient_norm"]) > 0
    assert named <= row.keys()


@pytest.mark.parametrize("wanted", [False, True])
def test_kernels_of_one_order_are_asked_for_while_training_and_no_longer(wanted):
    with one_order(wanted):
        assert torch.are_deterministic_algorithms_enabled() is wanted
        assert torch.is_deterministic_algorithms_warn_only_enabled() is wanted
    assert not torch.are_deterministic_algorithms_enabled()


def test_examples_that_stay_in_their_files_and_are_read_ahead_change_nothing(in_a_folder_with_data, monkeypatch):
    run, read = restless(accumulate=2, batch_size=8), []
    expected = contents(fit(in_a_folder_with_data, run))
    right = DeviceSplit.expect
    monkeypatch.setattr(DeviceSplit, "expect", lambda split, parts: read.append(len(parts)) or right(split, parts))
    monkeypatch.setattr(batches, "LARGE_BYTES", 0)
    found = contents(fit(in_a_folder_with_data, run))
    assert found == expected
    assert max(read) == 6  # of this step and the two after it, two parts each
