"""Batch normalisation over the batch of all processes: torch.nn.SyncBatchNorm, which needs a GPU, on any device."""

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from vaelab.objective.share import summed


class SharedBatchNorm(_BatchNorm):
    """BatchNorm1d or BatchNorm2d whose batch, in training, is that of all processes together."""

    def _check_input_dim(self, input: Tensor) -> None:
        """Any number of dimensions."""

    @torch.compiler.disable  # type: ignore[untyped-decorator]
    def forward(self, input: Tensor) -> Tensor:
        """Return `input` [b, C, ...] normalised by channel, of the same shape."""
        if not self.training:
            return super().forward(input)
        axes, shape = [0, *range(2, input.dim())], (1, -1, *[1] * (input.dim() - 2))
        x = input.float()
        sums = summed(torch.cat([x.sum(axes), x.new_full((1,), x.numel() / x.shape[1])]))
        count, mean = sums[-1].detach(), sums[:-1] / sums[-1].detach()
        centred = x - mean.view(shape)
        variance = summed(centred.square().sum(axes)) / count
        self._remember(mean.detach(), variance.detach() * count / (count - 1))
        scaled = centred * (variance + self.eps).rsqrt().view(shape)
        return (scaled * self.weight.view(shape) + self.bias.view(shape)).to(input.dtype)

    @torch.no_grad()
    def _remember(self, mean: Tensor, unbiased: Tensor) -> None:
        assert self.running_mean is not None
        assert self.running_var is not None
        assert self.num_batches_tracked is not None
        assert self.momentum is not None
        self.running_mean.lerp_(mean, self.momentum)
        self.running_var.lerp_(unbiased, self.momentum)
        self.num_batches_tracked += 1


def share_batch_norms(model: nn.Module) -> None:
    """Let every batch normalisation of a model look at the batch of all processes; its tensors stay as they are."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d):
            module.__class__ = SharedBatchNorm  # type: ignore[assignment]
