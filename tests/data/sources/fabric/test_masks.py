"""Masks that are not plain white on black: used rightly, or left out and said; nothing with a defect is trained on."""

import numpy as np
import pytest
from defect_folders import SIZE, Source, by_strip, mask_of, masked_files, phase_of, picture, png, reasons
from image_folders import encoded
from PIL import Image

from vaelab.data.format.info import PHASES
from vaelab.data.format.prepared import read_meta
from vaelab.params.datasets import FolderMasks


def folder_masks(root, **values):
    return FolderMasks(source="folder_masks", path=str(root), **{"size": SIZE, "reduce": 2, **values})


SOURCE = Source(folder_masks)
prepared, refused = SOURCE.prepared, SOURCE.refused
MARKED = "images/a/0.png"  # the only image with a defect
PLACES = [(5, 6), (40, 50)]


def shape(on=255, off=0, dtype=np.uint8):
    x = np.full((70, 70), off, dtype=dtype)
    for place in PLACES:
        x[place] = on
    return x


def one_marked(content):
    """Seven images without a mask, and one with this one."""
    return {f"images/a/{i}.png": png(picture(i, 70)) for i in range(8)} | {"masks/a/0.png": content}


def alpha_only(tone, on=255, off=0):
    return np.dstack([np.full((70, 70, 3), tone, np.uint8), shape(on, off)])


def opaque_on_transparent(colour):
    alpha = shape()
    return np.dstack([(alpha[..., None] > 0) * np.array(colour, np.uint8), alpha])


GOOD = {
    "alpha on black": png(alpha_only(0)),
    "alpha on white": png(alpha_only(255)),
    "alpha on gray": png(alpha_only(90)),
    "red on transparent": png(opaque_on_transparent([255, 0, 0])),
    "white on transparent": png(opaque_on_transparent([255, 255, 255])),
    "gray and alpha": encoded(Image.fromarray(np.dstack([np.zeros_like(shape()), shape()]), "LA"), "PNG"),
    "16 bits of 255": png(shape(255, dtype=np.uint16)),
    "16 bits of 65535": png(shape(65535, dtype=np.uint16)),
    "floats of 1": encoded(shape(1, dtype=np.float32), "TIFF"),
    "integers of 255": encoded(shape(255, dtype=np.int32), "TIFF"),
}


@pytest.mark.parametrize("content", GOOD.values(), ids=GOOD)
def test_the_shape_is_found_wherever_it_is(tmp_path, content):
    phase, arrays = by_strip(prepared(tmp_path, one_marked(content)))[MARKED]
    assert phase == "defects"
    assert arrays["mask"].sum() == len(PLACES)


FAINT = {
    "0 and 1": (png(shape(1)), 1),
    "0 and 1 in 16 bits": (png(shape(1, dtype=np.uint16)), 1),
    "0 and 1 in 32 bits": (encoded(shape(1, dtype=np.int32), "TIFF"), 1),
    "classes": (png(shape(4)), 1),
    "red": (png(np.dstack([shape(), shape(0), shape(0)])), 38),
    "small floats": (encoded(shape(0.001, dtype=np.float32), "TIFF"), 1),
}


@pytest.mark.parametrize(("content", "threshold"), FAINT.values(), ids=FAINT)
def test_faint_masks_are_never_normal_and_the_params_line_mends_it(tmp_path, capsys, content, threshold):
    files = one_marked(content) | {"masks/a/1.png": png(mask_of((1, 1), height=70, width=70))}
    folder = prepared(tmp_path / "left_out", files)
    assert MARKED not in phase_of(folder)
    assert "goes up to" in reasons(folder)[MARKED]
    line = f"bright enough: 1 ({MARKED}); if they are right, set datasets.mine.mask_threshold: {threshold}"
    assert line in capsys.readouterr().err
    phase, arrays = by_strip(prepared(tmp_path / "mended", files, mask_threshold=threshold))[MARKED]
    assert (phase, arrays["mask"].sum()) == ("defects", len(PLACES))


def regions(strong, weak, ground=0, jpeg=False):
    """A mask of two regions of one size, of which one is weak."""
    x = np.full((70, 70, 3), ground, dtype=np.uint8)
    x[5:15, 5:15], x[40:50, 40:50] = strong, weak
    return encoded(x, "JPEG", quality=90) if jpeg else png(x)


PARTLY = {
    "red beside green": (regions([0, 255, 0], [255, 0, 0]), "38", {}),
    "gray beside white": (regions(255, 100), "50", {}),
    "a class of 2 beside 255": (regions(255, 2), "1", {}),
    "light gray beside black": (regions(0, 155, ground=255), "206", {"mask_inverted": True}),
}


@pytest.mark.parametrize(("content", "threshold", "values"), PARTLY.values(), ids=PARTLY)
def test_parts_of_masks_that_are_too_faint_are_said_and_the_params_line_mends_it(
    tmp_path, capsys, content, threshold, values
):
    folder = prepared(tmp_path / "before", one_marked(content), **values)
    assert read_meta(folder)["pairing"]["partly_faint"] == [MARKED]
    line = f"not bright enough, and counts as normal: 1 ({MARKED}); if all of it is defects, set "
    assert f"{line}datasets.mine.mask_threshold: {threshold}\n" in capsys.readouterr().err
    folder = prepared(tmp_path / "mended", one_marked(content), mask_threshold=int(threshold), **values)
    assert by_strip(folder)[MARKED][1]["mask"].sum() == 200
    assert not read_meta(folder)["pairing"]["partly_faint"]


def test_soft_edges_and_the_noise_of_jpeg_are_no_faint_parts(tmp_path):
    soft = Image.new("L", (70, 70))
    soft.paste(255, (10, 10, 30, 14))
    soft = soft.resize((210, 210), Image.Resampling.BICUBIC).resize((70, 70), Image.Resampling.BILINEAR)
    for number, content in enumerate((png(soft), regions(255, 255, jpeg=True))):
        folder = prepared(tmp_path / str(number), one_marked(content))
        assert not read_meta(folder)["pairing"]["partly_faint"]


def test_faint_masks_that_are_inverted_are_never_normal(tmp_path, capsys):
    content = png(shape(150, 255))
    files = one_marked(content) | {"masks/a/1.png": png(shape(0, 255))}
    folder = prepared(tmp_path / "left_out", files, mask_inverted=True)
    assert "goes down to 150 of 255" in reasons(folder)[MARKED]
    assert "set datasets.mine.mask_threshold: 204\n" in capsys.readouterr().err
    folder = prepared(tmp_path / "mended", files, mask_inverted=True, mask_threshold=204)
    assert by_strip(folder)[MARKED][1]["mask"].sum() == len(PLACES)


def test_inverted_masks_are_said_and_what_they_call_empty_is_not_trained_on(tmp_path, capsys):
    files = {f"images/{i}.png": png(picture(i, 70)) for i in range(12)}
    files |= {f"masks/{i}.png": png(255 - shape()) for i in range(5)}
    files["masks/5.png"] = png(shape(0))  # all of it is a defect
    files["masks/6.png"] = png(shape(255, 255))  # nothing is
    folder = prepared(tmp_path / "plain", files)
    trained = {name for name, phase in phase_of(folder).items() if phase in PHASES}
    assert trained == {f"images/{i}.png" for i in range(7, 12)}
    assert "most masks look inverted" in reasons(folder)["images/5.png"]
    line = "positive on more than half of their image: 5 (images/0.png, images/1.png, images/2.png, images/3.png, "
    error = capsys.readouterr().err
    assert line in error
    assert "; if they are dark on defects, set datasets.mine.mask_inverted: true\n" in error
    folder = prepared(tmp_path / "mended", files, mask_inverted=True)
    phases = phase_of(folder)
    assert {name for name, phase in phases.items() if phase == "defects"} == {f"images/{i}.png" for i in range(6)}
    assert by_strip(folder)["images/0.png"][1]["mask"].sum() == len(PLACES)
    assert phases["images/6.png"] in PHASES


@pytest.mark.parametrize("inverted", [False, True])
@pytest.mark.parametrize("number", [1, 4])
def test_what_mends_masks_that_look_inverted(tmp_path, capsys, inverted, number):
    """All of them by an option, where most do; a few by hand, since the option would turn the others round."""
    files = {f"images/{i}.png": png(picture(i, 70)) for i in range(12)}
    files |= {f"masks/{i}.png": png(255 - shape() if (i < number) != inverted else shape()) for i in range(5)}
    prepared(tmp_path, files, mask_inverted=inverted)
    of_all = f"set datasets.mine.mask_inverted: {'false' if inverted else 'true'}"
    remedy = of_all if number == 4 else "save these files inverted"
    text = f"; if they are {'bright' if inverted else 'dark'} on defects, {remedy}\n"
    assert text in capsys.readouterr().err


@pytest.mark.parametrize(("inverted", "defects"), [(False, 4), (True, 4), (False, 0)])
def test_masks_that_leave_nothing_normal_are_refused_with_what_mends_them(tmp_path, inverted, defects):
    files = {f"images/{i}.png": png(picture(i, 70)) for i in range(8)}
    masks = [shape() if i < defects else shape(0) for i in range(8)]
    files |= {f"masks/{i}.png": png(mask if inverted else 255 - mask) for i, mask in enumerate(masks)}
    text = refused(tmp_path, files, mask_inverted=inverted)
    assert "no normal image can be used, and 8 with defects; models are trained on normal ones only" in text
    assert f"masks that are positive everywhere, which is suspicious: {8 - defects} (" in text
    wrong, right = ("bright", "false") if inverted else ("dark", "true")
    assert text.count(f"; if they are {wrong} on defects, set datasets.mine.mask_inverted: {right}") == 1


def test_one_normal_image_left_by_inverted_masks_is_refused_with_what_mends_them(tmp_path):
    files = {f"images/{i}.png": png(picture(i, 70)) for i in range(8)}
    files |= {f"masks/{i}.png": png(255 - (shape() if i < 4 else shape(0))) for i in range(7)}
    text = refused(tmp_path, files)
    assert "expected at least two normal images of a group" in text
    assert "; if they are dark on defects, set datasets.mine.mask_inverted: true" in text


def test_masks_that_are_all_too_faint_are_refused_with_the_params_line(tmp_path):
    assert "if they are right, set datasets.mine.mask_threshold: 1" in refused(tmp_path, one_marked(png(shape(1))))


@pytest.mark.parametrize(("images", "masks"), [("images", "images"), (".", "masks"), ("images", "images/masks")])
def test_masks_among_the_images_are_refused(tmp_path, images, masks):
    files = {f"{images}/{i}.png": png(picture(i, 70)) for i in range(8)} | {f"{masks}/0_mask.png": png(shape())}
    text = refused(tmp_path, files, images=images, masks=masks, mask_suffix="_mask")
    assert text.startswith("datasets.mine.masks: ")
    assert text.endswith("; expected two folders, such as images and masks")


def test_transparent_masks_are_empty_where_alpha_carries_the_shapes(tmp_path, capsys):
    empty = png(alpha_only(255, 0, 0))
    files = one_marked(png(alpha_only(255))) | {"masks/a/1.png": empty}
    phases = phase_of(prepared(tmp_path / "alpha", files))
    assert [name for name, phase in phases.items() if phase == "defects"] == [MARKED]
    assert len(phases) == 8
    assert "transparent everywhere, taken as empty whatever their colour: 1 (images/a/1.png)" in capsys.readouterr().err
    folder = prepared(tmp_path / "gray", one_marked(png(shape())) | {"masks/a/1.png": empty})
    assert "images/a/1.png" not in phase_of(folder)
    assert "transparent everywhere: empty, or all of it a defect" in reasons(folder)["images/a/1.png"]


def test_masks_of_whole_images_leave_empty_ones_alone(tmp_path):
    files = {f"images/{i}.png": png(picture(i, 70)) for i in range(8)}
    files |= {f"masks/{i}.png": png(shape(255, 255) if i < 3 else shape(0)) for i in range(8)}
    folder = prepared(tmp_path, files)
    assert [*phase_of(folder).values()].count("defects") == 3
    assert len(phase_of(folder)) == 8


def test_alpha_against_luminance_is_left_out(tmp_path):
    x = np.dstack([255 - shape()] * 3 + [shape()])
    folder = prepared(tmp_path, one_marked(png(x)) | {"masks/a/1.png": png(shape())})
    assert "its alpha and its luminance say the opposite" in reasons(folder)[MARKED]


@pytest.mark.parametrize("content", [b"x", png(shape(3)), png(np.zeros((5, 5), np.uint8))])
def test_masks_of_which_none_can_be_used_are_refused(tmp_path, content):
    text = refused(tmp_path, one_marked(content))
    assert text.startswith("datasets.mine.masks: no image with a mask can be used:\n  images/a/0.png: ")


def exif(number):
    found = Image.Exif()
    found[0x0112] = number
    return found


def turned_files(side, image, mask, mask_turned=False):
    """An image with an EXIF orientation and its mask with another, and seven that are normal."""
    x, marks = picture(0, 70)[:, :side], shape()[:, : max(side, 51)][:, :side]
    stored = np.rot90(x) if image == 6 else x
    marks = np.rot90(marks) if mask_turned else marks
    files = {f"images/{i}.png": png(picture(i, 70)[:, :side]) for i in range(1, 8)}
    files["images/0.png"] = encoded(Image.fromarray(np.ascontiguousarray(stored)), "PNG", exif=exif(image))
    files["masks/0.png"] = encoded(Image.fromarray(np.ascontiguousarray(marks)), "PNG", exif=exif(mask))
    files["masks/1.png"] = png(shape()[:, :side])
    return files


@pytest.mark.parametrize("orientation", [2, 3, 4, 5, 6, 7, 8])
@pytest.mark.parametrize("image", [True, False])
def test_square_images_that_exif_turns_without_their_masks_are_left_out(tmp_path, orientation, image):
    files = turned_files(70, orientation if image else 1, 1 if image else orientation)
    folder = prepared(tmp_path, files)
    turned, other = ("the image", "its mask 0.png") if image else ("its mask 0.png", "the image")
    assert reasons(folder)["images/0.png"] == (
        f"EXIF turns {turned} (orientation {orientation}), not {other}: which way the mask lies is not clear; "
        "save both upright"
    )
    assert read_meta(folder)["pairing"]["turned"] == ["images/0.png"]


@pytest.mark.parametrize("side", [70, 64])
def test_image_and_mask_are_turned_alike(tmp_path, side):
    folder = prepared(tmp_path, turned_files(side, 6, 6, mask_turned=True))
    _, arrays = by_strip(folder)["images/0.png"]
    _, expected = by_strip(prepared(tmp_path / "plain", turned_files(side, 1, 1)))["images/0.png"]
    np.testing.assert_array_equal(arrays["mask"], expected["mask"])
    np.testing.assert_array_equal(arrays["x"], expected["x"])


def test_the_size_says_that_a_mask_was_drawn_upright(tmp_path):
    folder = prepared(tmp_path, turned_files(64, 6, 1))
    assert by_strip(folder)["images/0.png"][1]["mask"].sum() == 2


def test_what_the_edges_lose_of_defects_is_said(tmp_path, capsys):
    files = masked_files()
    files["masks/a/0.png"] = png(mask_of((1, 1), (66, 1), (1, 69), (69, 69), height=70, width=70))
    meta = read_meta(prepared(tmp_path, files))
    error = capsys.readouterr().err
    assert "3 of 5 pixels of defects (60.0%) are in no patch: 1 (images/a/0.png); a datasets.mine.stride" in error
    share = 1 - 64 * 64 / 70**2
    assert f"{share:.1%} of the pixels are in no patch" in error
    assert sum(meta["strip_defect_pixels_outside"]) == 3
    assert sum(meta["strip_pixels_outside"]) == 10 * (70 * 70 - 64 * 64)


def test_images_of_more_than_8_bits_have_one_scale(tmp_path):
    x = [np.random.default_rng(i).integers(0, 3000 if i else 200, (70, 70)).astype(np.int32) for i in range(8)]
    x[1][0, 0], x[2][0, 0] = 0, 3000
    files = {f"images/{i}.tif": encoded(values, "TIFF") for i, values in enumerate(x)}
    files["masks/0.png"] = png(shape())
    folder = prepared(tmp_path, files, colour="gray")
    assert read_meta(folder)["value_scale"] == {"32 bits": [0, 3000]}
    assert by_strip(folder)["images/0.tif"][1]["x"].max() <= 17  # of 200 in 3000


def test_pages_of_a_mask_or_an_image_are_not_dropped(tmp_path):
    first, second = Image.fromarray(picture(0, 70)), Image.fromarray(picture(1, 70))
    files = masked_files() | {"images/a/1.png": encoded(first, "TIFF", save_all=True, append_images=[second])}
    folder = prepared(tmp_path, files)
    assert reasons(folder)["images/a/1.png"] == "several pages, of which each needs a file of its own here"


def test_a_value_range_that_does_nothing_is_said(tmp_path):
    meta = read_meta(prepared(tmp_path, masked_files(), value_range=(0, 4095)))
    assert "datasets.mine: value_range has no effect: no file has more than 8 bits" in meta["warnings"]
