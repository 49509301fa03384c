"""What a model decodes from latents, as it is stored."""

import numpy as np
import torch
from torch import Tensor

from vaelab.data.format.info import DataInfo
from vaelab.measures.kinds import MEASURES
from vaelab.models.vae import VAE

BATCH = 64


@torch.no_grad()
def decode(model: VAE, z: Tensor, info: DataInfo, group: int | None = None) -> np.ndarray:
    """Return what is decoded from z [n, L], uint8 as stored; a conditional model is told `group`, or all in turn."""
    device, parts = next(model.parameters()).device, []
    groups: Tensor = torch.arange(len(z)) % max(1, len(info.groups))
    if group is not None:
        groups = torch.full_like(groups, group)
    for part, told in zip(z.split(BATCH), groups.split(BATCH), strict=True):
        parts.append(MEASURES[info.kind].stored(model.decode(part.to(device), told.to(device))).cpu())
    return torch.cat(parts).numpy()
