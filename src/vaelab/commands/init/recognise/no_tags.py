"""What to say of a table in which no column looks like tags: what it seems to be instead, and how it becomes usable."""

from pathlib import Path

from vaelab.commands.init.recognise.categories import are_pixels, text_pixels
from vaelab.commands.init.recognise.columns import Columns
from vaelab.commands.init.recognise.found import not_understood
from vaelab.commands.init.recognise.joined import NAMED_TAGS, called
from vaelab.commands.init.recognise.named_columns import is_number
from vaelab.data.sources.text_files import table_ending
from vaelab.errors import InputError

ENTRY = 'source: tags_csv, path: {place}.csv, tags: COLUMN, separator: ";"'
ARRAYS = "source: npy, train: {place}/train.npy, val: {place}/val.npy, size: "
SHOWN, FEWEST_COUNTS = 8, 3
EXPECTED = """\
expected a column of tags that are joined (rock|slow) or a list, or columns of 0 and 1, one per tag, or three columns
  of few values; or one tag in each row of what has them (tags: TAG, id: WHAT, duplicates: merge). If a column is of
  tags that was not seen as such, copy the file to data/raw"""
SAVED = """\
Save them as arrays, in Python: d = {read}
  x = {pixels}.reshape(-1, {side}, {side}).astype("uint8"); n = len(x) // 10; os.mkdir("images")
  numpy.save("images/train.npy", x[n:]); numpy.save("images/val.npy", x[:n]), then `vaelab init DIR --data images`,"""
COUNTS = """\
Make tags of them, in Python: d = {read}; (d > 0).astype(int).to_csv("tags.csv"), then
  `vaelab init DIR --data tags.csv`,"""
NUMBERS = """\
Measurements are no tags. To have classes of them, in Python: d = {read}
  d.select_dtypes("number").apply(lambda c: pandas.qcut(c, 4, duplicates="drop").astype(str)).to_csv("classes.csv"), and
  `vaelab init DIR --data classes.csv`,"""


def no_tags(path: Path, columns: Columns) -> InputError:
    """Return the one message for a table without tags."""
    names = f"a table of the columns {', '.join(name[:40] for name in columns.names[:SHOWN])}"
    names += ", ..." * (len(columns.names) > SHOWN)
    if side := are_pixels(columns.texts):
        pixels = f"d.iloc[:, -{side * side}:].to_numpy()"
        return _images(path, f"{names}, which seem to be the pixels of images, {side} × {side}", pixels, side)
    for name, cells in columns.texts.items():
        if side := text_pixels(cells):
            pixels = f'numpy.stack(d["{name}"].str.split()).astype(int)'
            return _images(path, f"column {name} seems to hold the pixels of images, {side} × {side}", pixels, side)
    numbers = {name: cells for name, cells in columns.texts.items() if all(is_number(cell) for cell in cells if cell)}
    counts = [name for name, cells in numbers.items() if all(cell.isdecimal() for cell in cells) and "0" in cells]
    if len(counts) >= FEWEST_COUNTS and 2 * len(counts) > len(columns.names):
        what = f"{names}, of which {len(counts)} seem to be counts"
        return not_understood(path, what, COUNTS.format(read=_read(path, ", index_col=0")), ENTRY, "tags")
    if len(numbers) >= len(columns.names) - 2 and len(numbers) > 1:
        what = f"{names}, none of which looks like tags: {len(numbers)} are numbers"
        return not_understood(path, what, NUMBERS.format(read=_read(path)), ENTRY, "tags")
    single = {name: len({*cells} - {""}) for name, cells in columns.texts.items() if called(name, NAMED_TAGS)}
    one = "; ".join(f"column {name} holds {count} tags, one in a row" for name, count in single.items())
    return not_understood(path, f"{names}, none of which looks like tags{one and f' ({one})'}", EXPECTED, ENTRY, "tags")


def _images(path: Path, what: str, pixels: str, side: int) -> InputError:
    mend = SAVED.format(read=_read(path), pixels=pixels, side=side)
    return not_understood(path, what, mend, f"{ARRAYS}{side}")


def _read(path: Path, index: str = "") -> str:
    """The line of Python that reads a table."""
    ending = table_ending(path)
    if ending in (".parquet", ".xlsx"):
        return f'pandas.read_{"parquet" if ending == ".parquet" else "excel"}("{path.name}")'
    return f'pandas.read_csv("{path.name}"{index})'
