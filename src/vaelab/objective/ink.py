"""Weights of the places of an image by what is on them: ink against paper. B batch, C H W image, in [0, 1]."""

from torch import Tensor
from torch.nn import functional as F

LUMA = (0.2125, 0.7154, 0.0721)  # scikit-image's rgb2gray: Rec. 709
INK = 0.5  # luma under which a pixel is ink


def luma(x: Tensor) -> Tensor:
    """Return the brightness of images [B, 1, H, W]; of one channel, the channel."""
    if x.shape[1] == 1:
        return x
    return (x * x.new_tensor(LUMA)[:, None, None]).sum(1, keepdim=True)


def ink_weights(x: Tensor, ink_weight: float, places: Tensor | None = None) -> Tensor:
    """Return the weight of each pixel of images [B, C, H, W], mean 1 in each image, [B, 1, H, W].

    A pixel of ink and its eight neighbours weigh `ink_weight` times as much as paper: strokes, and the gaps that tell
    one letter from another. An image without ink, or of nothing else, has weights of 1 everywhere: nats move from the
    paper to the ink of the same image, not from one image to another.

    Args:
        x: the originals; weights look at nothing else, and have no gradient.
        ink_weight: 1 or more.
        places: further weights of the places [H, W], which are multiplied in before the mean is taken.
    """
    near_ink = F.max_pool2d((luma(x) < INK).to(x.dtype), 3, stride=1, padding=1)
    weights = 1 + (ink_weight - 1) * near_ink
    if places is not None:
        weights = weights * places
    return weights / weights.mean((1, 2, 3), keepdim=True)
