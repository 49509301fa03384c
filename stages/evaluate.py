"""Stage evaluate: the measures of one run, and the tables and arrays that later stages read without torch."""

import gc
import shutil
import sys
from pathlib import Path

gc.disable()  # until all is imported
sys.path.insert(0, str(Path(__file__).resolve().parents[1] / "src"))

from vaelab import artifacts, storage
from vaelab.data.format.info import final_phase
from vaelab.data.format.memory import keep_memory
from vaelab.data.format.prepared import read_info
from vaelab.errors import end, exit_on_input_error
from vaelab.evaluation.evaluate import evaluate
from vaelab.evaluation.scores.scoring import write_scores
from vaelab.metrics.directions import VALIDATION
from vaelab.params.resolve import read_run


def main() -> None:
    """Evaluate the run named on the command line."""
    run = read_run(artifacts.resolved(sys.argv[1]))
    keep_memory(read_info(artifacts.prepared(run.data)))
    models, scores = artifacts.models(run.name), artifacts.scores(run.name)
    result = evaluate(run, models / "model.safetensors", artifacts.prepared(run.data))
    storage.write_csv(scores / "examples.csv", result.examples)
    storage.write_csv(scores / "dimensions.csv", result.dimensions)
    storage.write_tensors(scores / "arrays.safetensors", result.tensors)
    shutil.copyfile(models / "history.csv", scores / "history.csv")
    storage.write_json(artifacts.evaluation(run.name), result.metrics)
    storage.write_json(artifacts.summary(run.name), {"config": run.model_dump(), "metrics": result.metrics})
    write_scores(run, models / "model.safetensors", artifacts.prepared(run.data))
    final = result.metrics[final_phase(result.metrics)]
    storage.write_json(artifacts.headline(run.name), {name: final[name] for name in VALIDATION[run.kind].headline})


if __name__ == "__main__":
    exit_on_input_error(main)
    end()
