"""Whether a run can be sampled from, in words: many are autoencoders whose latents lie nowhere near the prior."""

from collections.abc import Iterator, Sequence

from vaelab.comparison.cells import Style, cell, escaped
from vaelab.comparison.collect import Result
from vaelab.metrics.tables import held_out, metric

USELESS = 0.1  # of what held-out data reach: below it samples are of no use
LIGHT_BETA = 0.5  # effective: KL weighs so little that the latents hold what they can
PRECISION, RECALL = "sample_precision", "sample_recall"


def sampling(results: Sequence[Result], style: Style) -> list[str]:
    """Return the paragraph on the samples of runs on one data set; nothing where none were measured."""
    lines = [f"- {escaped(line, style)}" for result in results for line in _line(result)]
    return ["\n".join(lines)] if lines else []


def can_be_sampled(result: Result) -> bool | None:
    """Return whether samples of a run are of use; None where that was not measured."""
    shares = [share for name in (PRECISION, RECALL) if (share := _share(result, name)) is not None]
    return min(shares) >= USELESS if shares else None


def _line(result: Result) -> Iterator[str]:
    name, possible = result.run.name, can_be_sampled(result)
    if result.run.model.features != "none":
        yield f"{name} has no samples: it reconstructs features of a network, which are no pictures."
    elif possible is not None:
        numbers = "; ".join(_number(result, measure) for measure in (PRECISION, RECALL))
        if possible:
            yield f"{name} can be sampled: {numbers}."
        else:
            yield f"{name} cannot be sampled: {_seen(result)} ({numbers}). {_why(result)} {_instead(result)}"


def _share(result: Result, name: str) -> float | None:
    """A measure of samples over that of held-out data."""
    value, real = result.final.get(name), result.final.get(held_out(name))
    return value / real if value is not None and real else None


def _number(result: Result, name: str) -> str:
    value, real = result.final.get(name), result.final.get(held_out(name))
    title = metric(name).title.rpartition(": ")[2]
    return f"{title} {cell(name, value)}, held-out data {cell(name, real)}"


def _seen(result: Result) -> str:
    precise = _share(result, PRECISION)
    if precise is not None and precise < USELESS:
        return "samples of the prior look like none of the data"
    return "samples of the prior cover hardly any of the data"


def _why(result: Result) -> str:
    run, facts = result.run, result.metrics["run"]
    beta, rate = facts.get("effective_beta_measured") or facts.get("effective_beta"), result.final.get("rate")
    held = "" if rate is None else f" with {rate:.0f} nats an example"
    if facts.get("bypass"):
        return "Skips carry the picture past the latents, so that a decoder with a drawn z alone has nothing to go by."
    reasons = []
    if beta is not None and beta < LIGHT_BETA:
        reasons.append(f"its effective beta is {beta:.2g}: KL weighs so little that it is an autoencoder{held}")
    if run.model.latent == "map":
        reasons.append("places of its latent map hang together in the data, and the prior draws each for itself")
    return f"Why: {'; '.join(reasons) or f'the posteriors of the data{held} do not fill the prior'}."


def _instead(result: Result) -> str:
    fitted = "" if result.run.evaluate.prior != "normal" else "a prior that is fitted (evaluate.prior), or "
    return f"It serves for reconstructions and codes. Samples need {fitted}more weight on KL (loss.beta)."
