"""How a run was trained, as its model card says it."""

from vaelab.params.experiment import flow
from vaelab.params.kinds import KINDS
from vaelab.params.schema import Run
from vaelab.serving.loaded import LoadedModel


def trained(run: Run, model: LoadedModel) -> list[str]:
    """Return lines on network, objective and epochs.

    Args:
        run: its options.
        model: its weights, and what its file says of them.
    """
    weights = sum(parameter.numel() for parameter in model.model.parameters())
    start = ", started as PCA" if run.model.init == "pca" else ""
    options = run.loss.model_dump(mode="json")
    terms = ", ".join(f"{name} {flow(weight)}" for name, weight in options["terms"].items() if weight)
    values = "averaged" if run.loss.reduction == "mean" else "summed"
    metric = KINDS[run.kind].selects if run.train.metric == "auto" else run.train.metric
    kept = f"; kept: epoch {model.facts['epoch']}, the best by {metric} on val" if "epoch" in model.facts else ""
    rows = f"batches of {run.train.batch_size}, seed {run.train.seed}"
    return [
        f"- Network: `{run.model.name}`, {weights:,} weights, {model.latent_dim:,} latent numbers{start}",
        f"- Objective: {terms}, {values} over an example; KL to N(0, 1) times {flow(options['beta'])}",
        f"- Training: at most {run.train.epochs} epochs, {rows}{kept}",
    ]
