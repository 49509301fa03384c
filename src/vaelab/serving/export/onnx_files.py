"""Graphs as ONNX files, each held against torch before it counts as written."""

import contextlib
import io
import logging
import warnings
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import numpy as np
import torch
from torch import Tensor

from vaelab import storage
from vaelab.commands.extras import need
from vaelab.errors import InputError, shortened
from vaelab.serving.export.graphs import Graph

OPSET = 20
TOLERANCE = 1e-4  # of an output, relative to its largest value: more than float32 explains
PACKAGES = ("onnx", "onnxscript", "onnxruntime")


def write_onnx(path: Path, graph: Graph) -> float:
    """Write a graph of any number of examples; return how far ONNX Runtime is from torch on made-up ones, relative.

    Raises:
        InputError: the packages of [onnx] are missing, the graph cannot be written, or computes something else.
    """
    need("onnx", *PACKAGES)
    batch = torch.export.Dim("batch", min=1)
    with quiet(), storage.atomic(path) as temporary:
        try:
            torch.onnx.export(
                graph.module, tuple(graph.inputs.values()), temporary, dynamo=True, external_data=False,
                input_names=list(graph.inputs), output_names=list(graph.outputs), opset_version=OPSET,
                dynamic_shapes=tuple({0: batch} for _ in graph.inputs), verbose=False,
                custom_translation_table={torch.ops.aten.sort.stable: _stable_sort, torch.ops.aten.median.dim: _median},
            )  # fmt: skip
        except RuntimeError as error:
            reason = shortened(error.__cause__ if isinstance(error.__cause__, Exception) else error)
            raise InputError(f"{path.name}: this model cannot be written as ONNX: {reason}") from error
        return max(difference(temporary, graph, inputs) for inputs in (graph.inputs, _other(graph.inputs)))


def _stable_sort(values: Any, stable: bool = True, dim: int = -1, descending: bool = False) -> Any:
    """Sort in ONNX, whose TopK puts the lower index first among equal values."""
    from onnxscript import opset20

    op: Any = opset20
    size = op.Gather(op.Shape(values), op.Constant(value_ints=[dim]))
    return op.TopK(values, size, axis=dim, largest=int(descending), sorted=1)


def _median(values: Any, dim: int, keepdim: bool = False) -> tuple[Any, Any]:
    """The lower of the two in the middle, as torch has it, and where it is."""
    from onnxscript import opset20

    op: Any = opset20
    one, axis = op.Constant(value_ints=[1]), op.Constant(value_ints=[dim])
    half = op.Div(op.Sub(op.Gather(op.Shape(values), axis), one), op.Constant(value_ints=[2]))
    found = (op.Gather(each, half, axis=dim) for each in op.TopK(values, op.Add(half, one), axis=dim, largest=0))
    median, place = found if keepdim else (op.Squeeze(each, axis) for each in found)
    return median, place


def difference(path: Path, graph: Graph, inputs: dict[str, Tensor]) -> float:
    """Return the largest relative difference of an output from torch.

    Raises:
        InputError: it is larger than rounding explains, or the file is none that can be run.
    """
    import onnxruntime

    try:
        session = onnxruntime.InferenceSession(str(path), providers=["CPUExecutionProvider"])
        found = session.run(list(graph.outputs), {name: value.numpy() for name, value in inputs.items()})
    except Exception as error:
        raise InputError(f"ONNX: ONNX Runtime cannot run it: {shortened(error)}") from error
    with torch.no_grad():
        expected = graph.module(*inputs.values())
    return max(
        compared(name, one, other.numpy()) for name, one, other in zip(graph.outputs, found, expected, strict=True)
    )


def compared(name: str, found: Any, expected: Any) -> float:
    """Return how far an output is from what it should be, relative to the largest value.

    Raises:
        InputError: it is more than rounding explains.
    """
    one, right = np.asarray(found, np.float64), np.asarray(expected, np.float64)
    apart = float(np.abs(one - right).max() / max(1.0, float(np.abs(right).max())))
    if not apart <= TOLERANCE:  # NaN, too
        raise InputError(f"ONNX: its {name} is {apart:.2g} off torch, relative; expected at most {TOLERANCE}")
    return apart


def _other(inputs: dict[str, Tensor]) -> dict[str, Tensor]:
    """Other numbers of examples: the batch must be free."""
    return {name: torch.cat([value.flip(0), value[:1]]) for name, value in inputs.items()}


@contextlib.contextmanager
def quiet() -> Iterator[None]:
    """The exporter prints its progress and warns of its own code."""
    level, log = logging.getLogger("torch.onnx").level, logging.getLogger("torch.onnx")
    log.setLevel(logging.ERROR)
    try:
        with warnings.catch_warnings(), contextlib.redirect_stdout(io.StringIO()):
            warnings.simplefilter("ignore")
            yield
    finally:
        log.setLevel(level)
