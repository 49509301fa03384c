"""What a local model says at every STEP pixels, all places in one pass: `dense` of vaelab.evaluation.scores.maps.

B batch, C S S image, P = C · cell² values of a cell, p places to a side, c latent channels.
"""

from torch import Tensor
from torch.nn import functional as F

from vaelab.evaluation.scores.maps import STEP
from vaelab.models.image.local import CENTRE, LocalDecoder, LocalEncoder
from vaelab.models.vae import VAE
from vaelab.objective.kl import kl_per_dimension
from vaelab.serving.export.graphs import gathered


def of_places(model: VAE, x: Tensor, group: Tensor) -> tuple[dict[str, Tensor], Tensor, None]:
    """Return residual, absolute and kl of each place [B, p, p], posterior means [B, c, p, p], and no reconstruction."""
    encoder, decoder = model.encoder, model.decoder
    assert isinstance(encoder, LocalEncoder)
    assert isinstance(decoder, LocalDecoder)
    step = min(STEP, encoder.cell)
    side = (x.shape[-1] - encoder.cell) // step + 1
    values = F.unfold(x, encoder.cell, stride=step).unflatten(2, (side, side))  # [B, P, p, p]
    mean, log_var = gathered(encoder.networks, values - CENTRE, group).chunk(2, dim=1)
    log_var = model.clamped(log_var)
    made = gathered(decoder.networks, mean, group)
    made = (made + CENTRE).clamp(0, 1) if decoder.linear_output else made.sigmoid()
    error = values - made
    if decoder.log_sigma is not None and decoder.log_sigma.ndim > 1:  # feature maps: in the deviation of each channel
        log_sigma = decoder.log_sigma[group] if len(decoder.networks) > 1 else decoder.log_sigma
        error = error / log_sigma.exp().repeat_interleave(encoder.cell**2, dim=1)[:, :, None, None]
    kl = kl_per_dimension(mean, log_var).sum(1)
    return {"residual": error.square().mean(1), "absolute": error.abs().mean(1), "kl": kl}, mean, None
