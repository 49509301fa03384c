"""Values that are fine alone and do not go together, or do nothing for the kind of data they are used on."""

from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from itertools import pairwise
from typing import Any

from vaelab.metrics.records import DEFECT_BASELINES
from vaelab.metrics.tables import TABLES
from vaelab.params.base import Schedule, has_effect
from vaelab.params.datasets import Dataset, Npy, Split
from vaelab.params.diagnose import ORDER
from vaelab.params.feature_checks import feature_side, features
from vaelab.params.kinds import KINDS
from vaelab.params.problems import Problem, suggestion
from vaelab.params.schema import Run


def cross_checks(run: Run, where: str, data: Dataset | None, compare: Any) -> Iterator[Problem]:
    """Yield the problems of a run whose values are valid one by one.

    A check that needs a value that is wrong by itself, and that the run does not have, is left out.

    Args:
        run: the run; what is wrong in it is forgotten (`partial`).
        where: its path in params.yaml.
        data: its data set; None where that is wrong.
        compare: the block `compare` of params.yaml, right or wrong.
    """
    of_data = [] if data is None else [_shapes(run, data, where), _test_split(run, data, compare)]
    of_run = (
        check(run, where) for check in (_metrics, _schedules, _prior, _limits, _parts, *OF_KIND.get(run.kind, ()))
    )
    for problems in (_terms(run, where), _output(run, where), _network(run, where), *of_data, *of_run):
        with suppress(AttributeError):
            yield from problems


def _schedules(run: Run, where: str) -> Iterator[Problem]:
    scheduled = isinstance(run.loss.beta, Schedule) and run.loss.beta.schedule != "constant"
    if scheduled and run.loss.capacity is not None:
        yield Problem(f"{where}.loss.capacity", "goes with a constant beta: schedule one of the two")


def _test_split(run: Run, data: Dataset, compare: Any) -> Iterator[Problem]:
    phase, split = compare.get("phase") if isinstance(compare, Mapping) else None, getattr(data, "split", None)
    if phase == "test" and (
        (isinstance(split, Split) and not split.test) or (isinstance(data, Npy) and data.test is None)
    ):
        yield Problem("compare.phase", f"is test, and data set {run.data!r} has no test split")


def _active(run: Run) -> set[str]:
    return {name for name, weight in run.loss.terms if weight != 0}


def _terms(run: Run, where: str) -> Iterator[Problem]:
    fields, plural, active = type(run.loss.terms).model_fields, KINDS[run.kind].plural, _active(run)
    for term in sorted(active):
        if not has_effect(fields[term], run.kind):
            yield Problem(f"{where}.loss.terms.{term}", f"is not for the {plural} of data set {run.data!r}")
    if run.model.learned_sigma and not active & {"gaussian", "laplace"}:
        yield Problem(f"{where}.model.learned_sigma", "is for the terms gaussian and laplace; none is used")
    for term in sorted(active & {"total_correlation", "mmd"}):
        if run.train.batch_size < 2:
            yield Problem(f"{where}.train.batch_size", f"the term {term} compares the examples of a batch: at least 2")


def _output(run: Run, where: str) -> Iterator[Problem]:
    """Which output layers a kind of data has."""
    kind = KINDS[run.kind]
    if run.model.output not in kind.likelihoods:
        yield Problem(f"{where}.model.output", f"{run.model.output} is not for {kind.plural}")


def _prior(run: Run, where: str) -> Iterator[Problem]:
    """Which latents have places."""
    if run.evaluate.prior == "places" and (run.kind != "grid" or run.model.latent != "map"):
        yield Problem(f"{where}.evaluate.prior", "places needs latent maps of grids; expected normal or mixture")


def _network(run: Run, where: str) -> Iterator[Problem]:
    """Which networks a kind of data has, and what the cells of a local one can and cannot have."""
    model, kind = run.model, KINDS[run.kind]
    if model.name not in kind.networks:
        text = f"no {model.name!r} for {kind.plural}; known: {', '.join(kind.networks)}"
        yield Problem(f"{where}.model.name", text)
    if model.name != "local":
        for path, wanted in (("model.per_group", model.per_group), ("train.shift", run.train.shift)):
            if wanted:
                yield Problem(f"{where}.{path}", f"is for model.name: local, not {model.name}")
    if model.name == "local" and model.latent != "map":
        yield Problem(f"{where}.model.latent", "local has a latent in each cell: set map")
    if model.name == "filtered" and model.latent != "vector":
        yield Problem(f"{where}.model.latent", "filtered has one of the whole image: set vector")
    if model.name == "filtered" and model.init != "pca":
        yield Problem(f"{where}.model.init", "filtered corrects what PCA makes of an image: set pca")
    for name in ("conditional", "skips", "attention") if model.name in ("filtered", "local") else ():
        if getattr(model, name):
            yield Problem(f"{where}.model.{name}", f"is not for model.name: {model.name}")


def _limits(run: Run, where: str) -> Iterator[Problem]:
    """Limits of the diagnosis, of which one means less than the other."""
    for least, most in (pair for order in ORDER for pair in pairwise(order)):
        low, high = getattr(run.diagnose, least), getattr(run.diagnose, most)
        if low > high:
            yield Problem(f"{where}.diagnose.{least}", f"is {low:g}, above diagnose.{most}, which is {high:g}")


def _parts(run: Run, where: str) -> Iterator[Problem]:
    """What looks at a whole batch, which is not there where it is computed part by part."""
    loss, parts = run.loss, run.train.accumulate
    if parts == 1:
        return
    path = f"{where}.train.accumulate"
    if parts > run.train.batch_size:
        yield Problem(path, f"is {parts} parts of a batch of {run.train.batch_size} examples (train.batch_size)")
    whole = [f"the term {name}" for name in sorted(_active(run) & {"total_correlation", "mmd"})]
    whole += ["loss.free_bits"] * (loss.free_bits > 0) + ["loss.capacity"] * (loss.capacity is not None)
    optimal = loss.sigma == "optimal" and not run.model.learned_sigma and _active(run) & {"gaussian", "laplace"}
    for name in [*whole, *["loss.sigma: optimal"] * bool(optimal)]:
        yield Problem(path, f"takes batches apart, and {name} looks at a whole one")


def _shapes(run: Run, settings: Dataset, where: str) -> Iterator[Problem]:
    """What the levels of convolutions need of a side, and batch normalisation of a batch."""
    single = run.model.norm == "batch" and run.train.batch_size == 1
    side, factor = getattr(settings, "side", None), run.model.cell
    if side is None:
        if single:
            text = "batch normalisation needs more than one example in a batch"
            yield Problem(f"{where}.train.batch_size", text)
        return
    if run.model.features != "none":
        yield from feature_side(run, side, where)
        return
    if side % factor:
        option = "canvas" if hasattr(settings, "canvas") else "size"
        text = f"{run.model.depth} levels need a side that is a multiple of {factor}; datasets.{run.data}.{option}"
        yield Problem(f"{where}.model.depth", f"{text} is {side}")
    if side == factor and single:
        text = "batch normalisation of single values needs more than one example in a batch"
        yield Problem(f"{where}.train.batch_size", text)


def _metrics(run: Run, where: str) -> Iterator[Problem]:
    tables = TABLES[run.kind]
    if run.train.metric not in tables.selection:
        text = f"is not a metric of {KINDS[run.kind].plural}; known: {', '.join(tables.selection)}"
        yield Problem(f"{where}.train.metric", f"{run.train.metric} {text}")
    terms = [name for name, weight in run.loss.terms if weight != 0]
    terms = [f"{name}_term" if name in tables.history else name for name in terms]
    columns = dict.fromkeys(("loss", "kl", *terms, *tables.history))
    for option in ("stop_when", "healthy"):
        for name in getattr(run.train, option):
            if name not in columns:
                text = f"history.csv of this run has no such column; {suggestion(name, columns)}"
                yield Problem(f"{where}.train.{option}.{name}", text)


def _images(run: Run, where: str) -> Iterator[Problem]:
    if "bce" in _active(run) and run.model.output != "sigmoid":
        yield Problem(f"{where}.loss.terms.bce", "needs model.output: sigmoid, values inside (0, 1)")
    if run.model.init == "pca" and run.model.output != "linear":
        yield Problem(f"{where}.model.init", "pca needs model.output: linear, PCA being linear")
    saved = run.evaluate.scores  # a threshold needs the scores that are saved
    missing = {"pca_standardised"} - {f"pca_{name}" for name in saved}
    missing |= {"feature_mahalanobis" if run.model.features == "none" else "local_statistics"}
    known = (*saved, *(name for name in DEFECT_BASELINES if name not in missing))
    for name in run.threshold.scores:
        if name not in known:
            text = f"{name} is not among evaluate.scores; {suggestion(name, known)}"
            yield Problem(f"{where}.threshold.scores", text)


def _grids(run: Run, where: str) -> Iterator[Problem]:
    """What cropping needs: that a network makes the same of a grid however much canvas lies around it."""
    if run.train.crop and run.model.latent != "map":
        yield Problem(f"{where}.train.crop", "needs model.latent: map; a vector is of the whole canvas")
    if run.train.crop and run.model.norm not in ("none", "layer"):
        yield Problem(f"{where}.train.crop", f"needs model.norm: layer or none; {run.model.norm} is of the canvas, too")


def _tags(run: Run, where: str) -> Iterator[Problem]:
    """Which terms go with which output."""
    path, active = f"{where}.model.output", _active(run)
    single = sorted(active & {"bce", "focal", "asymmetric"})
    if run.model.output == "sigmoid" and "multinomial" in active:
        yield Problem(path, "the term multinomial needs softmax")
    if run.model.output == "softmax" and single:
        yield Problem(path, f"is softmax, for the term multinomial; {', '.join(single)} needs sigmoid")
    if run.model.output == "softmax" and run.evaluate.tag_sampling == "calibrated":
        text = "calibrated is for model.output: sigmoid; a multinomial's samples have as many tags as training rows"
        yield Problem(f"{where}.evaluate.tag_sampling", text)


OF_KIND: dict[str, tuple[Callable[[Run, str], Iterator[Problem]], ...]] = {
    "grid": (_grids,),
    "image": (_images, features),
    "tags": (_tags,),
}
