"""Files that optional libraries read: HEIC, PDF, DICOM; as images of a folder, and what is wrong with some."""

import io
import sys

import numpy as np
import pillow_heif
import pydicom
import pypdfium2
import pytest
import tifffile
from image_folders import S, by_name, encoded, folder_of, notes, reasons, write
from PIL import Image
from pydicom.encaps import encapsulate
from pydicom.uid import ExplicitVRLittleEndian, JPEGBaseline8Bit

from vaelab.data.format.prepared import read_meta
from vaelab.data.sources import prepare
from vaelab.data.sources.dicom import MAGIC
from vaelab.data.sources.image_files import read_image
from vaelab.data.sources.regular import UnreadableError
from vaelab.errors import InputError

LEVELS = np.kron([[10, 90], [170, 250]], np.ones((S // 2, S // 2)))  # even blocks
GRAY = LEVELS.astype(np.uint8)


def dicom(values, syntax=ExplicitVRLittleEndian, **elements):
    """The bytes of a DICOM file that holds values [H, W], [frames, H, W] or [H, W, 3]."""
    data = pydicom.Dataset()
    coloured = values.shape[-1] == 3
    bits = values.dtype.itemsize * 8
    data.SOPClassUID, data.SOPInstanceUID = "1.2.840.10008.5.1.4.1.1.7", "1.2.3"
    data.Rows, data.Columns = values.shape[-3:-1] if coloured else values.shape[-2:]
    data.SamplesPerPixel = 3 if coloured else 1
    data.PhotometricInterpretation = "RGB" if coloured else "MONOCHROME2"
    data.PlanarConfiguration = 0
    data.BitsAllocated, data.BitsStored, data.HighBit = bits, bits, bits - 1
    data.PixelRepresentation = int(values.dtype.kind == "i")
    if values.ndim == 3 and not coloured:
        data.NumberOfFrames = len(values)
    data.PixelData = values.tobytes()
    for name, value in elements.items():
        setattr(data, name, value)
    data.file_meta = pydicom.dataset.FileMetaDataset()
    data.file_meta.TransferSyntaxUID = syntax
    file = io.BytesIO()
    pydicom.dcmwrite(file, data, enforce_file_format=True)
    return file.getvalue()


def jpeg_in_dicom(side):
    """A DICOM file whose compressed frame is larger than it says."""
    frame = encapsulate([encoded(np.zeros((side, side), np.uint8), "JPEG")])
    return dicom(GRAY, syntax=JPEGBaseline8Bit, PixelData=frame)


def pdf(pages, side=S):
    """The bytes of a PDF of gray pages, of which each is as large as `side` pixels at 150 dots per inch."""
    document = pypdfium2.PdfDocument.new()
    for level in pages:
        page = document.new_page(side * 72 / 150, side * 72 / 150)
        image = pypdfium2.PdfImage.new(document)
        image.set_bitmap(pypdfium2.PdfBitmap.from_pil(Image.new("RGB", (8, 8), (level, level, level))))
        image.set_matrix(pypdfium2.PdfMatrix().scale(side, side))
        page.insert_obj(image)
        page.gen_content()
    file = io.BytesIO()
    document.save(file)
    document.close()
    return file.getvalue()


def heic(image, **options):
    file = io.BytesIO()
    pillow_heif.register_heif_opener()
    image.save(file, "HEIF", quality=-1, **options)
    return file.getvalue()


def prepared(tmp_path, files, **values):
    prepare(folder_of(write(tmp_path / "raw", files), colour="gray", **values), tmp_path / "mine")
    return by_name(tmp_path / "mine")


def png(level=100):
    return encoded(np.full((S, S), level, np.uint8), "PNG")


def test_pages_of_a_pdf_are_images(tmp_path, capsys):
    found = prepared(tmp_path, {"a.pdf": pdf([40, 200, 90]), "b.PDF": pdf([10]), "c.png": png()})
    assert found["a.pdf"][0][:, 0].mean((1, 2)).round().tolist() == [40, 200, 90]
    assert found["b.PDF"][0].shape == (1, 1, S, S)
    assert read_meta(tmp_path / "mine")["pages"] == {"a.pdf": 3}
    assert "1 files have 3 pages: each is an image of its own" in capsys.readouterr().err


def test_a_few_pdfs_among_images_are_warned_of(tmp_path):
    prepared(tmp_path, {f"{n:02}.png": png(n) for n in range(20)} | {"paper.pdf": pdf([1])})
    assert any(
        "1 of 21 files are PDFs, whose pages are images here: paper.pdf" in text for text in warnings_of(tmp_path)
    )


def warnings_of(tmp_path):
    return read_meta(tmp_path / "mine")["warnings"]


def test_a_picture_in_heic_is_one(tmp_path):
    image = Image.fromarray(np.stack([LEVELS, LEVELS.T, LEVELS], -1).astype(np.uint8))
    turned = image.rotate(-90, expand=True)
    exif = Image.Exif()
    exif[0x0112] = 8
    files = {"a.heic": heic(image), "b.HEIF": heic(turned, exif=exif.tobytes()), "c.heic": encoded(image, "PNG")}
    for name in files:
        found = np.asarray(read_image(write(tmp_path, files) / name, 10_000, "rgb").image, dtype=int)
        assert np.abs(found - np.asarray(image)).max() <= 6, name


def test_values_of_dicom_are_those_that_the_scanner_means(tmp_path):
    """Hounsfield units: with a window of the data set; one scale for all frames and files."""
    stored = (LEVELS * 10).astype(np.int16)
    units = dicom(stored, RescaleSlope="2", RescaleIntercept="-1000", WindowCenter="40", WindowWidth=["400", "80"])
    found = prepared(tmp_path, {"a.dcm": units, "b.dcm": units, "1.2.840": units}, value_range=(-1000, 4000))
    expected = np.rint((stored * 2) / 5000 * 255)
    for name in ("a.dcm", "1.2.840"):
        assert (found[name][0][0, 0] == expected).all()
    own = "it names a window of its own: value_range: [-160, 240] would show that"
    assert ("a.dcm", own) in notes(tmp_path / "mine")


@pytest.mark.parametrize("dtype", [np.uint8, np.uint16])
def test_frames_of_dicom_and_those_whose_high_values_are_dark(tmp_path, dtype):
    frames = np.stack([LEVELS, LEVELS.T]).astype(dtype)
    bits = {"BitsStored": 8, "HighBit": 7}
    files = {
        "a.dcm": dicom(frames, **bits),
        "b.dicom": dicom(255 - frames, PhotometricInterpretation="MONOCHROME1", **bits),
    }
    found = prepared(tmp_path, files)
    assert (found["a.dcm"][0][:, 0] == frames).all()
    assert (found["b.dicom"][0] == found["a.dcm"][0]).all()


def test_compressed_dicom(tmp_path):
    write(tmp_path, {"a.dcm": jpeg_in_dicom(S)})
    assert np.asarray(read_image(tmp_path / "a.dcm", 10_000, "gray").image).tolist() == [[0] * S] * S


def test_coloured_dicom(tmp_path):
    colours = np.stack([LEVELS, LEVELS.T, LEVELS], -1).astype(np.uint8)
    write(tmp_path, {"a.dcm": dicom(colours)})
    assert (np.asarray(read_image(tmp_path / "a.dcm", 10_000, "rgb").image) == colours).all()


def tiff(values, **options):
    file = io.BytesIO()
    tifffile.imwrite(file, values, **options)
    return file.getvalue()


def bomb():
    """A compressed TIFF that says that it has fewer rows than it holds."""
    file = io.BytesIO(tiff(np.zeros((400, S)), compression="zlib", predictor=False, rowsperstrip=400))
    with tifffile.TiffFile(file, mode="r+") as opened:
        for tag in ("ImageLength", "RowsPerStrip"):
            opened.pages.first.tags[tag].overwrite(S)
    return file.getvalue()


DEEP = (LEVELS * 16).astype(np.uint16)
CHANNELS = np.stack([DEEP, DEEP.T])
MICROSCOPES = {
    "float64": tiff(DEEP.astype(np.float64)),
    "float16": tiff(DEEP.astype(np.float16)),
    "compressed": tiff(DEEP.astype(np.float64), compression="zlib", predictor=False),
    "channels": tiff(CHANNELS, photometric="minisblack", planarconfig="separate"),
    "channels last": tiff(np.moveaxis(CHANNELS, 0, -1), photometric="minisblack", planarconfig="contig"),
}


@pytest.mark.parametrize("content", MICROSCOPES.values(), ids=MICROSCOPES)
def test_tiffs_of_microscopes_that_pillow_does_not_know(tmp_path, content):
    """Each channel is an image; a window of the data set says what is white."""
    found = prepared(tmp_path, {f"{n}.tif": content for n in "abc"}, value_range=(0, 4095))
    for x, _, _ in found.values():
        expected = [np.rint(channel / 4095 * 255) for channel in CHANNELS[: len(x)]]
        assert np.abs(x[:, 0] - np.stack(expected)).max() <= 1
    assert found["a.tif"][0].shape[0] == (2 if read_meta(tmp_path / "mine")["pages"] else 1)


def test_gray_tiffs_with_alpha_stay_one_image(tmp_path):
    content = tiff(np.stack([GRAY, GRAY], -1), photometric="minisblack", extrasamples=["unassalpha"])
    deep = tiff(DEEP, photometric="minisblack")
    found = prepared(tmp_path, {"a.tif": content, "b.tif": deep, "c.tif": deep})
    assert {len(x) for x, _, _ in found.values()} == {1}


BAD = {
    "cut.tif": (MICROSCOPES["float64"][:-900], "damaged"),
    "large.tif": (tiff(np.zeros((200, 200))), "200x200 pixels; at most 20000"),
    "bomb.tif": (bomb(), "damaged: it unpacks to more than the pixels that it claims"),
    "broken.tif": (MICROSCOPES["compressed"][:-20], "damaged"),
    "no.pdf": (b"no PDF at all", "no PDF, damaged, or with a password"),
    "cut.pdf": (pdf([1, 2])[:300], "no PDF, damaged"),
    "large.pdf": (pdf([1], 3000), "3000x3000 pixels; at most 20000 in all (max_pixels)"),
    "no.heic": (b"\0\0\0\x18ftypheic" + b"?" * 40, "not an image of a known type"),
    "cut.heic": (heic(Image.fromarray(np.stack([GRAY] * 3, -1)))[:-20], "damaged"),
    "large.heic": (heic(Image.new("RGB", (200, 200))), "200x200 pixels; at most 20000"),
    "no.dcm": (b"no DICOM at all" * 20, "no DICOM file"),
    "cut.dcm": (dicom(GRAY)[:-50], "damaged"),
    "large.dcm": (dicom(GRAY, Rows=60_000, Columns=60_000), "60000x60000 pixels; at most 20000"),
    "many.dcm": (dicom(GRAY, NumberOfFrames=10**8), "100000000 frames; expected 1 to 2000"),
    "none.dcm": (dicom(GRAY, NumberOfFrames=-1), "-1 frames"),
    "bomb.dcm": (jpeg_in_dicom(4000), "damaged, or compressed"),
    "deflated.dcm": (dicom(GRAY, syntax="1.2.840.10008.1.2.1.99"), "a deflated DICOM file"),
    "text.dcm": (b"\0" * 128 + MAGIC, "a DICOM file without an image"),
    "unknown.dcm": (dicom(GRAY, PhotometricInterpretation="PALETTE COLOR"), "damaged, or compressed"),
}  # fmt: skip


def test_files_that_cannot_be_read_are_listed(tmp_path):
    files = {name: content for name, (content, _) in BAD.items()} | {f"{n}.png": png() for n in "abc"}
    found = prepared(tmp_path, files, max_pixels=20_000)
    assert set(found) == {"a.png", "b.png", "c.png"}
    told = reasons(tmp_path / "mine")
    for name, (_, text) in BAD.items():
        assert text in told[name], name


@pytest.mark.parametrize(
    ("name", "module", "text"),
    [
        ("a.pdf", "pypdfium2", "needs pypdfium2, which is not installed: pip install 'vaelab[pdf]'"),
        ("a.heic", "pillow_heif", "needs pillow-heif, which is not installed: pip install 'vaelab[heic]'"),
        ("a.dcm", "pydicom", "needs pydicom, which is not installed: pip install 'vaelab[dicom]'"),
    ],
)
def test_a_library_that_is_not_there_is_named_with_its_command(tmp_path, monkeypatch, name, module, text):
    monkeypatch.setitem(sys.modules, module, None)
    write(tmp_path / "raw", {name: b"content", f"b{name}": b"content", f"c{name}": b"content"})
    with pytest.raises(UnreadableError) as caught:
        read_image(tmp_path / "raw" / name, 10_000, "gray")
    assert str(caught.value) == text
    with pytest.raises(InputError) as refused:
        prepare(folder_of(tmp_path / "raw"), tmp_path / "mine")
    assert text in str(refused.value)


def test_files_without_an_ending_are_images_where_they_are_dicom(tmp_path):
    found = prepared(
        tmp_path, {"IM0001": dicom(GRAY), "b.7": dicom(GRAY), "README": b"text", "c.12": b"", "d.png": png()}
    )
    assert set(found) == {"IM0001", "b.7", "d.png"}
    assert read_meta(tmp_path / "mine")["ignored"] == {"(none)": 1, ".12": 1}
