"""The control of prescriptions: one dial, one other value, one that does something."""

import pytest
from cases import run_of

from vaelab.diagnosis.random_change import _dials, as_groups, random_changes
from vaelab.params.base import Schedule
from vaelab.params.cross_checks import cross_checks
from vaelab.params.experiment import laid_over
from vaelab.params.kinds import KINDS
from vaelab.params.needs import idle
from vaelab.params.schema import Run

NETWORKS = {"grid": "conv", "image": "conv", "tags": "mlp"}


def run(kind, **blocks):
    """A run as it is resolved: its network and its metric have names."""
    named = {"model": {"name": NETWORKS[kind]}, "train": {"metric": KINDS[kind].selects}}
    return run_of(kind, **{block: named.get(block, {}) | given for block, given in (named | blocks).items()})


def drawn_from(run_, scored=False):
    """All changes of which one is drawn; a draw makes all of them."""
    return [changes for dial in dict(_dials(run_, scored)).values() for changes in dial]


@pytest.mark.parametrize("kind", NETWORKS)
def test_each_change_is_one_other_value_that_does_something(kind):
    run_ = run(kind, loss={"beta": 0.5})
    paths = set()
    for changes in drawn_from(run_):
        ((path, value),) = changes.items()
        block, name = path.split(".")
        assert value != getattr(getattr(run_, block), name)
        changed = Run.model_validate(laid_over(run_.model_dump(), as_groups(changes)))
        assert path not in dict(idle(changed))
        paths.add(path)
    assert {"loss.beta", "train.learning_rate", "train.epochs", "model.latent_dim"} <= paths
    assert not {"model.latent_channels"} & paths
    assert ("model.hidden" in paths) == (kind == "tags")
    assert ("model.width" in paths) == (kind != "tags")


def test_the_seed_and_the_name_decide():
    one, other = run("tags"), run("tags").model_copy(update={"name": "other"})
    found = [random_changes(one, seed) for seed in range(10)]
    assert found == [random_changes(one, seed) for seed in range(10)]
    assert found != [random_changes(other, seed) for seed in range(10)]
    assert len({*map(str, found)}) > 3
    assert all(changes in drawn_from(one) for changes in found)


def test_what_does_not_go_together_is_not_drawn():
    crops = run("grid", model={"latent": "map", "norm": "none"}, train={"crop": True})
    for changes in drawn_from(crops):
        changed = Run.model_validate(laid_over(crops.model_dump(), as_groups(changes)))
        assert not [*cross_checks(changed, "", None, None)]


def test_thresholds_are_changed_where_there_are_scores():
    without, with_scores = (
        {path for changes in drawn_from(run("image"), scored) for path in changes} for scored in (False, True)
    )
    assert not any(path.startswith("threshold") for path in without)
    assert "threshold.percentile" in with_scores
    assert any("threshold" in str(random_changes(run("image"), seed, True)) for seed in range(10, 20))


def test_a_schedule_of_beta_stays_one():
    beta = {"schedule": "linear", "start": 0, "end": 0.2, "epochs": 6}
    found = [changes["loss.beta"] for changes in drawn_from(run("tags", loss={"beta": beta})) if "loss.beta" in changes]
    assert [round(Schedule.model_validate(value).end, 6) for value in found] == [2.0, 0.02]


def test_changes_by_path_become_groups():
    assert as_groups({"loss.beta": 1, "loss.terms.mse": 0, "preset": "own"}) == {
        "loss": {"beta": 1, "terms": {"mse": 0}},
        "preset": "own",
    }
