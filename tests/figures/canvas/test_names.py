"""Names of users as text: of known width, readable, no two alike, never a formula or a missing glyph."""

import pytest
from helpers import steady
from hypothesis import given
from hypothesis import strategies as st
from matplotlib.cbook import is_math_text

from vaelab.figures.canvas.files import new_figure
from vaelab.figures.canvas.names import label, labels, tag_label

ODD = [
    "日本語",
    "$x^2$",
    r"\$a$ and $\frac{1}{2",
    "line\nbreak\tand \x07",
    "emoji 😀🎸",
    "",
    "فولك",
    "a\u202eb",
    "naïve",
]


def drawn(text):
    """Draw a text, as title of a figure that turns every warning into an error, and return it as it is shown."""
    figure = new_figure(6, 1)
    title = figure.suptitle(text, fontsize=8)
    figure.canvas.draw()
    assert not is_math_text(text)
    return title.get_window_extent().width


@pytest.mark.parametrize("name", ODD)
def test_any_name_can_be_drawn(name):
    assert drawn(label(name, 200)) <= 202
    assert drawn(tag_label([name], 0, 200)) <= 202


@steady
@given(st.text(max_size=60), st.integers(30, 300))
def test_a_label_takes_no_more_than_its_room_and_is_no_formula(name, pixels):
    text = label(name, pixels)
    assert not is_math_text(text)
    assert text.count("$") == text.count(r"\$")
    figure = new_figure(1, 1)
    shown = figure.text(0, 0, text, fontsize=8, parse_math=False)
    backslashes = 6 * text.count(r"\$")  # of the escapes, which are not drawn
    assert shown.get_window_extent().width <= pixels + 2 + backslashes


def test_a_short_name_stays_and_a_long_one_keeps_both_ends():
    assert label("rock:guitar", 200) == "rock:guitar"
    text = label("a very long name of a tag that ends on guitar", 120)
    assert text.startswith("a very")
    assert text.endswith("ar")
    assert text.count("…") == 1


def test_what_the_font_lacks_is_told_apart_by_its_column():
    tags = ["rock", "日本", "中文"]
    assert [tag_label(tags, number, 200) for number in range(3)] == ["rock", "□□ #1", "□□ #2"]


def test_labels_of_a_sweep_show_what_differs():
    names = [f"a_long_name_of_a_run_in_a_sweep_{seed:02d}_with_a_learning_rate" for seed in range(12)]
    assert labels([*names, "other"], 130) == [f"a_lo…{seed:02d}…rate" for seed in range(12)] + ["other"]
    assert labels(names[:1], 1000) == names[:1]
    assert labels([f"{'very_' * 9}{beta}0_long" for beta in (1, 2)], 90) == ["very…10_long", "very…20_long"]


@steady
@given(st.lists(st.text("ab_0", min_size=1, max_size=40), min_size=1, max_size=8, unique=True), st.integers(40, 200))
def test_no_two_labels_are_alike(names, pixels):
    shown = labels(names, pixels)
    assert len(set(shown)) == len(names)
