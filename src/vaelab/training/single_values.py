"""Normalisation of single values, such as a batch of one example: refused, since they have no variance."""

from torch import Tensor, nn

from vaelab.errors import InputError


def refuse_single_values(model: nn.Module) -> None:
    """Let a model raise an InputError where, in training, it normalises single values, as of a batch of one example."""
    for module in model.modules():
        if isinstance(module, nn.BatchNorm1d | nn.BatchNorm2d | nn.GroupNorm):
            module.register_forward_pre_hook(_refuse_single_values)


def _refuse_single_values(module: nn.Module, inputs: tuple[Tensor]) -> None:
    groups = module.num_groups if isinstance(module, nn.GroupNorm) else inputs[0].shape[1]
    if module.training and inputs[0].numel() == groups:
        name = "group" if isinstance(module, nn.GroupNorm) else "batch"
        raise InputError(
            f"model.norm: {name} normalisation of a batch of one example, of which it sees single values, without "
            f"variance; expected train.batch_size and training examples of 2 or more, or model.norm: layer or none"
        )
