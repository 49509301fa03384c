"""Sources of document patches: rendered pages, scanned forms with word boxes."""

from collections.abc import Callable

from vaelab.data.sources.document.funsd import prepare_funsd
from vaelab.data.sources.document.rendered import prepare_documents
from vaelab.params.base import Block
from vaelab.params.datasets import Documents, Funsd

SOURCES: dict[type[Block], Callable[..., None]] = {
    Documents: prepare_documents,
    Funsd: prepare_funsd,
}
