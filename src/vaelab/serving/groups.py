"""Which group each example is of, as users say it: a name or number for all or one each, or nothing where it is seen.

N examples.
"""

import operator
from collections.abc import Sequence

import numpy as np
import torch
from torch import Tensor

from vaelab.data.sources.image.groups import COLOUR_GROUPS, is_gray
from vaelab.errors import InputError
from vaelab.params.problems import short, suggestion

Group = str | int | Sequence[str] | Sequence[int] | np.ndarray | Tensor | None


def told(group: Group, known: tuple[str, ...], count: int) -> Tensor | None:
    """Return the number of each example's group, int64 [N]; None where nothing is said.

    Raises:
        InputError: a group is unknown, or they are not as many as the examples.
    """
    if group is None:
        return None
    try:
        listed = [group] * count if isinstance(group, str) or np.ndim(group) == 0 else list(group)  # type: ignore[arg-type]
    except (ValueError, TypeError):
        raise InputError(f"group: {short(group)}; expected a name or number, for all or one each") from None
    if len(listed) != count:
        raise InputError(f"group: {len(listed)} for {count} examples; expected one for all, or one each")
    return torch.tensor([_number(name, known) for name in listed], dtype=torch.int64)


def by_colour(known: tuple[str, ...], images: Tensor) -> Tensor | None:
    """Return the groups of images uint8 [N, 3, S, S] where groups are colour and gray; None where they are others."""
    return torch.from_numpy(is_gray(images.numpy()).astype(np.int64)) if known == COLOUR_GROUPS else None


def _number(name: object, known: tuple[str, ...]) -> int:
    if isinstance(name, str) and name in known:
        return known.index(name)
    try:
        number = operator.index(name)  # type: ignore[arg-type]  # an integer of any library; 1.7 is none
    except TypeError:
        number = -1
    if 0 <= number < len(known):
        return number
    raise InputError(f"group: no {short(name)}; {suggestion(name, known)}")
