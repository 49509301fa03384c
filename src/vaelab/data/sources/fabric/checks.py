"""What is decided by all strips together: the scale of their values, and whether their masks can be right."""

from collections.abc import Sequence

from vaelab.data.sources.fabric.strips import Cutting, Strip
from vaelab.data.sources.fabric.survey import Survey
from vaelab.data.sources.image_files import survey_values, without_effect
from vaelab.data.sources.values import Range, mixed, scale_for, told
from vaelab.errors import InputError


def scaled(strips: Sequence[Strip], cutting: Cutting, value_range: Range | None, found: Survey) -> Cutting:
    """Return how to cut strips whose files of more than 8 bits have one scale, which is said."""
    values = survey_values((strip.path for strip in strips), cutting.max_pixels)
    scale = scale_for(values, value_range)
    said, warnings = told(values, scale, found.account.where)
    found.account.said += said
    found.account.warn([*warnings, *mixed(values, len(strips))])
    return cutting._replace(scale=scale)


def check_range(value_range: Range | None, cutting: Cutting, found: Survey) -> None:
    """Warn where a `value_range` does nothing."""
    found.account.warn(without_effect(value_range, cutting.scale or {}, found.account.notes))


def check_masks(found: Survey, where: str) -> None:
    """Refuse masks of which none can be used, so that nothing could be measured."""
    if not any(strip.masks for strip in (*found.normals, *found.defects)):
        raise InputError(f"{where}.masks: no image with a mask can be used:{found.reasons()}")


def check_defects(claimed: int, found: Survey, cutting: Cutting, where: str) -> None:
    """Refuse data of which some strips are said to have a defect, but none can be used."""
    if claimed and not found.defects:
        text = f"none of {claimed} {cutting.unit}s with defects can be used"
        raise InputError(f"{where}.path: {text}; expected a mask for each:{found.reasons()}")


def check_normals(found: Survey, cutting: Cutting, where: str) -> None:
    """Refuse data without anything normal to train on; the masks may be why."""
    if not found.normals:
        text = f"no normal {cutting.unit} can be used, and {len(found.defects)} with defects"
        raise InputError(f"{where}.path: {text}; models are trained on normal ones only{found.reasons()}")


def distrust_empty(found: Survey) -> None:
    """Leave out what is normal only by an empty mask, where most masks look inverted: it may be all defect."""
    if not found.most_look_inverted():
        return
    for strip in [strip for strip in found.normals if strip.masks]:
        found.normals.remove(strip)
        found.quarantine(strip.name, "its mask is empty, where most masks look inverted (mask_inverted)")


def distrust_transparent(found: Survey) -> None:
    """Leave out what is normal only by a mask that is transparent everywhere, where no alpha carries a shape."""
    names = found.pairing.names
    if names["alpha"]:
        return
    for strip in [strip for strip in found.normals if strip.name in names["transparent"]]:
        found.normals.remove(strip)
        found.quarantine(strip.name, "its mask is bright and transparent everywhere: empty, or all of it a defect")
