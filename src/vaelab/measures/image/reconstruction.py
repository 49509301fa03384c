"""Measures of reconstructed images, one number per image. Definitions: docs/metrics/image.md.

B batch, C H W image. x is the original, y the reconstruction, float [B, C, H, W] in [0, 1]; text is [B, H, W], true
inside the boxes of text.
"""

import torch
from torch import Tensor

from vaelab.measures.image.sharpness import edge_f1, edges, sharpness_ratio, spectrum_errors
from vaelab.objective.ink import INK, luma
from vaelab.objective.ssim import WINDOW, ms_ssim_values, ssim_map

MAX_PSNR = 100.0  # dB, of identical images too
OF_PICTURES = ("ssim", "ms_ssim", "edge_f1", "sharpness_ratio", "spectrum_error")  # NaN of feature maps

# sRGB to CIE XYZ, and the white of D65 for 2 degrees, as scikit-image has them
XYZ = ((0.412453, 0.357580, 0.180423), (0.212671, 0.715160, 0.072169), (0.019334, 0.119193, 0.950227))
WHITE = (0.95047, 1.0, 1.08883)


def image_metrics(x: Tensor, y: Tensor, text: Tensor | None = None) -> dict[str, Tensor]:
    """Return each measure by name, [B]: pixels, structure, edges, sharpness; of RGB colour; with `text` legibility.

    A measure that an image does not have is NaN: sharpness_ratio of a flat original, text_* and ink_mse without text.

    Args:
        x: originals.
        y: reconstructions, clamped to [0, 1].
        text: bool or uint8; None for images that are no documents.

    Raises:
        InputError: a side is under 11 pixels.
    """
    assert x.shape == y.shape, f"{tuple(x.shape)} and {tuple(y.shape)}"
    if not is_picture(x):
        return {**errors(x, y), **dict.fromkeys(OF_PICTURES, x.new_full((len(x),), torch.nan))}
    error, similarity, of_x, of_y = (x - y).square(), ssim_map(x, y), edges(x), edges(y)
    measured = {
        **errors(x, y),
        "ssim": similarity.flatten(1).mean(1),
        "ms_ssim": ms_ssim_values(x, y),
        "edge_f1": edge_f1(of_x, of_y),
        "sharpness_ratio": sharpness_ratio(x, y),
        **spectrum_errors(x, y),
    }
    if x.shape[1] == 3:
        measured["delta_e"] = delta_e(x, y)
    if text is None:
        return measured
    inside = text.bool()
    found = edge_f1(of_x, of_y, inside).masked_fill(~inside.flatten(1).any(1), torch.nan)
    return {**measured, **_legibility(x, error, similarity, inside), "text_edge_f1": found}


def is_picture(x: Tensor) -> bool:
    """Return whether these are gray or RGB images; feature maps have other numbers of channels."""
    return x.shape[1] in (1, 3)


def errors(x: Tensor, y: Tensor) -> dict[str, Tensor]:
    """Return mean squared and absolute error and PSNR of each image [B], or feature map."""
    mse = (x - y).square().flatten(1).mean(1)
    return {"mse": mse, "mae": (x - y).abs().flatten(1).mean(1), "psnr": psnr(mse)}


def psnr(mse: Tensor) -> Tensor:
    """Return the peak signal-to-noise ratio for a data range of 1, dB; MAX_PSNR at most."""
    return mse.log10().mul(-10).clamp_max(MAX_PSNR)


def delta_e(x: Tensor, y: Tensor) -> Tensor:
    """Return the mean colour difference of the pixels of RGB images, CIE76 ΔE [B]; about 2.3 is just noticeable.

    The Euclidean distance in CIELAB under D65, as scikit-image's rgb2lab and deltaE_cie76.
    """
    return (_lab(x) - _lab(y)).square().sum(1).sqrt().flatten(1).mean(1)


def _legibility(x: Tensor, error: Tensor, similarity: Tensor, inside: Tensor) -> dict[str, Tensor]:
    """Measures inside the boxes of text. SSIM counts where a window around the pixel fits the image."""
    margin = WINDOW // 2
    within = inside[:, margin:-margin, margin:-margin]
    text_mse = _mean_where(error, inside)
    return {
        "text_mse": text_mse,
        "text_psnr": psnr(text_mse),
        "text_ssim": _mean_where(similarity, within),
        "ink_mse": _mean_where(error, inside & (luma(x)[:, 0] < INK)),
    }


def _mean_where(values: Tensor, where: Tensor) -> Tensor:
    """Mean over the channels and the pixels that are true in `where` [B, H, W]; NaN where there is none."""
    kept = values.mean(1) * where
    return kept.flatten(1).sum(1) / where.flatten(1).sum(1)


def _lab(x: Tensor) -> Tensor:
    linear = torch.where(x > 0.04045, ((x + 0.055) / 1.055) ** 2.4, x / 12.92)
    xyz = torch.einsum("kc,bchw->bkhw", x.new_tensor(XYZ), linear) / x.new_tensor(WHITE)[:, None, None]
    root = torch.where(xyz > 0.008856, xyz.clamp_min(0.008856) ** (1 / 3), 7.787 * xyz + 16 / 116)
    of_x, of_y, of_z = root.unbind(1)
    return torch.stack([116 * of_y - 16, 500 * (of_x - of_y), 200 * (of_y - of_z)], dim=1)
