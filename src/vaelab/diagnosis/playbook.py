"""docs/playbook.md, generated from the table of causes."""

from collections.abc import Iterator
from importlib.resources import files

from vaelab.diagnosis.cause import SAID, Cause
from vaelab.diagnosis.causes.table import CAUSES, LAYERS
from vaelab.diagnosis.explain import said
from vaelab.diagnosis.sign import Sign
from vaelab.params.diagnose import Diagnose
from vaelab.params.kinds import KINDS

PICTURES = {  # in docs/images/playbook, by benchmarks/plant_pictures.py: healthy above or left, broken below or right
    "beta_too_high": "Photographs; what a healthy run (β 1) makes of them; what a collapsed one (β 300) does: the "
    "same average of each.",
    "beta_too_low": "Photographs; samples of a healthy run (β 1); those of one whose β is too low (0.0001): all "
    "nearly alike.",
    "detail_lost": "Photographs; what a run with 64 latents makes of them; what one with 4 does: areas stay, edges go.",
    "overfitting": "Loss on training and on val. Left, 2000 rows of tags: both fall together. Right, 100 rows for 300 "
    "epochs: val rises "
    "from epoch 30 on.",
    "prior_hole": "Tiles of pages; samples of a healthy run, blocks of ink and paper without letters; those of one "
    "with a smaller β: one gray pattern each time.",
    "masks_misaligned": "Patches with the outlines of their masks in red, and maps of their scores, bright where high. "
    "Above, bright cells lie mostly inside the outlines. Below, each patch has the mask of another, and they lie "
    "outside.",
    "threshold_too_high": "Scores of normals and of defects, the same in both. A patch is flagged right of the "
    "threshold. "
    "At percentile 99.99 about nine in ten defects lie left of it.",
}


def playbook() -> str:
    """Return the whole of docs/playbook.md."""
    introduction = files("vaelab.diagnosis").joinpath("playbook.md").read_text(encoding="utf-8")
    parts = [introduction.rstrip(), _contents()]
    for layer, causes in LAYERS.items():
        parts += [f"## {layer}", *("\n\n".join(_section(cause)) for cause in causes)]
    return "\n\n".join(parts) + "\n"


def _contents() -> str:
    rows = [f"| [{c.name}](#{c.id}) | `{c.id}` | {_kinds(c)} | {SAID[c.rules[0].severity]} |" for c in CAUSES.values()]
    return "\n".join(["| what is wrong | id | data | at worst |", "|---|---|---|---|", *rows])


def _section(cause: Cause) -> Iterator[str]:
    yield f"### {cause.id}"
    yield f"**{cause.name}.** {cause.meaning}"
    if cause.id in PICTURES:
        yield f"![{cause.name}](images/playbook/{cause.id}.png)\n\n{PICTURES[cause.id]}"
    yield "**Confirmed** where all of one line hold:\n\n" + "\n".join(
        f"- {said(rule.signs)} ({SAID[rule.severity]})" for rule in cause.rules
    )
    yield _limits(cause)
    if cause.symptoms:
        yield f"**Further evidence**: {'; '.join(said([sign]) for sign in cause.symptoms)}."
    if follows := [name for name in CAUSES if name in cause.explains]:
        yield f"**Explains**, where they hold too: {', '.join(f'[{CAUSES[n].name}](#{n})' for n in follows)}."
    yield f"**What to do.** {cause.advice}"
    yield f"**On runs broken on purpose**: {cause.seen}."


def _limits(cause: Cause) -> str:
    """A table of the limits in force, with what stands behind each."""
    signs: dict[str, Sign] = {}
    for sign in (sign for rule in cause.rules for sign in rule.signs):
        if isinstance(sign.limit, str):
            signs.setdefault(sign.limit, sign)
    rows = []
    for option, sign in signs.items():
        field = Diagnose.model_fields[option]
        what = (sign.read.__doc__ or "").partition("\n")[0].partition("; None")[0].removeprefix("Return ").rstrip(".")
        meaning = " ".join((field.description or "").split())
        rows.append(f"| {sign.title}{f': {what}' if what else ''} | {field.default:g} | {meaning} |")
    if not rows:
        return "No limit: either it is so, or it is not."
    return "\n".join(["| number | limit | what it separates |", "|---|---|---|", *rows])


def _kinds(cause: Cause) -> str:
    return ", ".join(KINDS[kind].plural for kind in cause.kinds) or "all"
