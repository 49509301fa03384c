"""The names that options allow, and what `auto` stands for in their documentation: from the records of kinds."""

from typing import TYPE_CHECKING, Literal, TypeAlias

from vaelab.metrics.tables import TABLES
from vaelab.params.kinds import KINDS

NETWORK_OF_KIND = ", ".join(f"{kind.networks[0]} ({kind.plural})" for kind in KINDS.values())
SELECTS_OF_KIND = ", ".join(f"{kind.selects} ({kind.plural})" for kind in KINDS.values())
BETA_OF_KIND = ", ".join(f"{kind.beta:g} ({kind.plural})" for kind in KINDS.values())
RANKS_OF_KIND = ", ".join(f"{TABLES[name].selection[0]} ({kind.plural})" for name, kind in KINDS.items())

if TYPE_CHECKING:
    KindName: TypeAlias = str
    Network: TypeAlias = str
    SelectionMetric: TypeAlias = str
else:  # the names that are allowed, from the records
    KindName = Literal[tuple(KINDS)]
    Network = Literal[("auto", *dict.fromkeys(name for kind in KINDS.values() for name in kind.networks))]
    SelectionMetric = Literal[("auto", *dict.fromkeys(name for kind in KINDS for name in TABLES[kind].selection))]
