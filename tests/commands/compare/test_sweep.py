"""Combinations of values, as they are typed."""

import pytest

from vaelab.commands.compare.sweep import base_of, combinations
from vaelab.errors import InputError


def test_every_combination_has_a_name_and_a_word_for_each_key():
    found = dict(combinations("m", ["lr=1e-4,5e-4", "loss.beta=1,.5", "hidden=[8,4],[16]", "epochs=3"]))
    assert len(found) == 8
    assert found["m_lr_1e_4_beta__5_hidden_8_4"] == ["lr=1e-4", "loss.beta=.5", "hidden=[8,4]", "epochs=3"]


def test_values_whose_names_are_the_same_are_refused():
    with pytest.raises(InputError, match=r"^beta=\.5: another combination is named m_beta__5 too"):
        dict(combinations("m", ["beta=-5,.5"]))


@pytest.mark.parametrize("word", ["beta", "beta=", "=1", "beta=1,"])
def test_a_word_of_another_form_is_named(word):
    with pytest.raises(InputError, match=f"'{word}': expected key=value,value"):
        list(combinations("m", [word]))


def test_the_base_is_a_run_or_a_preset():
    raw = {
        "presets": {"small": {}, "tags": {}},
        "runs": {"tags": {"data": "t"}, "other": {"data": "u", "preset": "small"}},
    }
    assert base_of("small", raw) == {"preset": "small"}
    assert base_of("tags", raw) == {"preset": "tags", "data": "t"}
    assert base_of("other", raw) == {"data": "u", "preset": "small"}
    with pytest.raises(InputError, match=r"no run or preset 'smal' in params\.yaml; did you mean 'small'"):
        base_of("smal", raw)
