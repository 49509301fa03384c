"""Made-up patches, and what is found in pictures of them: for the tests of pictures of anomalies."""

import numpy as np
from PIL import Image

from vaelab.figures.canvas import files
from vaelab.figures.canvas.tiles import Scale
from vaelab.figures.defects.maps import ShownPatch

SCALE = Scale(0.0, 8.0, "plasma", "score, log-z", "both")
SIDE, CELLS = 32, 16


def random(seed=0):
    return np.random.default_rng(seed)


def patch(number=0, mask=None, channels=1, caption=("0001_002_00, left 512 px", "nep, score 3.2")):
    x = random(number).integers(0, 256, (channels, SIDE, SIDE), dtype=np.uint8)
    score = random(number).uniform(-1, 9, (CELLS, CELLS)).astype(np.float32)
    return ShownPatch(x, x // 2 + 60, score, mask, caption)


def one_pixel(side, row=5, column=7):
    mask = np.zeros((side, side), np.uint8)
    mask[row, column] = 1
    return mask


def drawn(figure, tmp_path):
    files.save_png(figure, tmp_path / "picture.png")
    return np.asarray(Image.open(tmp_path / "picture.png").convert("RGB"))


def count(pixels, colour):
    return int((pixels == colour).all(-1).sum())


def texts(figure):
    return [text.get_text() for axes in figure.axes for text in axes.texts]


def bars(figure):
    return [axes for axes in figure.axes if axes.get_xlabel()]
