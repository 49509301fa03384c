"""Graphs as programs of torch.export, which load without the code of the model."""

from pathlib import Path

import torch

from vaelab import storage
from vaelab.errors import InputError, shortened
from vaelab.serving.export.graphs import Graph
from vaelab.serving.export.onnx_files import quiet


def write_torch(path: Path, graph: Graph) -> None:
    """Write a graph of any number of examples, and check that what loads again computes the same.

    Raises:
        InputError: the graph cannot be written, or computes something else.
    """
    batch = torch.export.Dim("batch", min=1)
    inputs = tuple(graph.inputs.values())
    try:
        program = torch.export.export(graph.module, inputs, dynamic_shapes=tuple({0: batch} for _ in inputs))
    except (RuntimeError, ValueError) as error:
        raise InputError(f"{path.name}: this model cannot be exported: {shortened(error)}") from error
    with quiet(), storage.atomic(path) as temporary:  # which warns of weights that are laid out by channels
        torch.export.save(program, temporary)
        other = [torch.cat([value.flip(0), value[:1]]) for value in inputs]
        with torch.no_grad():
            found, expected = torch.export.load(temporary).module()(*other), graph.module(*other)
    for one, right in zip(found, expected, strict=True):
        if not torch.allclose(one.float(), right.float(), rtol=1e-4, atol=1e-5):
            raise InputError(f"{path.name}: computes something else than the model")
