"""The Gaussian likelihood with the best standard deviation, of kinds of data whose values are numbers."""

import math

from torch import Tensor

from vaelab.data.format.info import DataInfo
from vaelab.measures.kind import Drawn, Nats

LEAST_VARIANCE = 1e-12  # of the errors, where a reconstruction is perfect


def best_gaussian(drawn: Drawn, info: DataInfo) -> Nats:
    """Return −log N(x; x̂, σ²), nats per example, under the σ that is best for all that was drawn, one for the split.

    `squared_error` is the mean over the values of an example. Source: Rybkin et al. 2021.
    """
    variance = max(float(drawn["squared_error"].double().mean()), LEAST_VARIANCE)
    scale = 0.5 * info.mean_elements

    def nats(values: Drawn) -> Tensor:
        return scale * (math.log(2 * math.pi * variance) + values["squared_error"].double() / variance)

    return nats
