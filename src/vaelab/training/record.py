"""What a training leaves behind: rows of history.csv, checkpoints and their snapshots."""

from vaelab import artifacts
from vaelab.evaluation import categorical
from vaelab.evaluation.snapshots import take_snapshot, write_snapshot
from vaelab.models.files import save_model
from vaelab.training.session import Session


def train_row(session: Session, epoch: int) -> dict[str, float | str]:
    """Return the history row of the training phase, from the sums of the epoch (z sampled, weights in motion)."""
    sums = {name: value for name, value in session.sums.items() if name != "matrix"}
    losses = {name: float(value) / session.steps for name, value in sums.items()}
    metrics = categorical.summary(session.sums["matrix"], session.info.background)
    return row(session, epoch, "train", losses, metrics)


def row(
    session: Session, epoch: int, phase: str, losses: dict[str, float], metrics: dict[str, float]
) -> dict[str, float | str]:
    """Return a history row: every term unweighted and weighted, and the metrics; empty where a phase has none.

    `<term>_weight` is the weight at the last step of the epoch; the training row's `<term>_weighted` is the mean over
    the epoch of what the term added, so that the weighted terms always sum to the loss.
    """
    weights = session.objective.weights_at(session.position)
    values: dict[str, float | str] = {"epoch": epoch, "phase": phase, "step": session.progress.step}
    values["loss"] = losses["loss"]
    for name, weight in weights.items():
        values |= {name: losses[name], f"{name}_weight": weight, f"{name}_weighted": losses[f"{name}_weighted"]}
    names = ["accuracy", "foreground_accuracy", "balanced_accuracy", "macro_f1", "predicted_background_share"]
    names += ["extent_accuracy", "exact_match", "distortion"]
    values |= {name: metrics.get(name, "") for name in names}
    return values | {"gradient_norm": losses.get("gradient_norm", "")}


def write_checkpoints(session: Session, value: float, is_best: bool, last: bool) -> None:
    """Write the weights and the snapshots that are due at the end of this epoch."""
    epoch, metric = session.progress.epoch, session.run.train.metric
    facts: dict[str, float | str] = {"epoch": epoch, "step": session.progress.step, "position": session.position}
    facts |= {"metric": metric, "val": value}
    folder, state = session.output / "checkpoints", session.model.state_dict()
    due = epoch % session.run.train.checkpoint_every == 0 or last
    if due:
        save_model(folder / f"epoch_{epoch:03d}.safetensors", state, session.run, session.info, facts)
    if is_best:
        save_model(session.output / "model.safetensors", state, session.run, session.info, facts)
    if last:
        save_model(session.output / "last.safetensors", state, session.run, session.info, facts)
    for label in [f"epoch_{epoch:03d}"] * due + [f"best_epoch_{epoch:03d}"] * is_best:
        snapshot = take_snapshot(label, facts, session.model, session.samples, session.info, session.objective)
        write_snapshot(folder, snapshot)
        session.draw(snapshot, session.info)
    artifacts.write_csv(session.output / "history.csv", session.progress.history)
