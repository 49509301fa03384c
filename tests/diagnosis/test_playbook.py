"""docs/playbook.md is that of the table of causes, and leaves none out."""

from pathlib import Path

from vaelab.diagnosis.causes.table import CAUSES
from vaelab.diagnosis.playbook import PICTURES, playbook

PATH = Path(__file__).parents[2] / "docs/playbook.md"


def test_the_page_is_up_to_date():
    assert PATH.read_text(encoding="utf-8") == playbook(), "run `make docs`"


def test_every_cause_has_a_section_with_what_to_do():
    text = playbook()
    for cause in CAUSES.values():
        assert f"### {cause.id}\n\n**{cause.name}.** {cause.meaning}" in text
        assert cause.advice in text


def test_every_picture_is_there_and_small():
    folder = PATH.parent / "images/playbook"
    assert {path.stem for path in folder.glob("*.png")} == PICTURES.keys() <= CAUSES.keys()
    assert all(path.stat().st_size < 60_000 for path in folder.glob("*.png"))


def test_no_limit_stands_without_its_number():
    assert "`diagnose.mask_z` (3)" in playbook()
    assert "bypass the bottleneck and" in playbook()
