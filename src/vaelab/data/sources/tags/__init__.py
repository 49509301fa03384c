"""Sources of tag vectors: generated ones, tables of tagged rows."""

from collections.abc import Callable

from vaelab.data.sources.tags.generated import prepare_tags
from vaelab.data.sources.tags.tagged_table import prepare_tags_csv
from vaelab.params.base import Block
from vaelab.params.datasets import Tags, TagsCsv

SOURCES: dict[type[Block], Callable[..., None]] = {
    Tags: prepare_tags,
    TagsCsv: prepare_tags_csv,
}
