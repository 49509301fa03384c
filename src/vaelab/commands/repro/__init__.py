"""`vaelab repro`: what `dvc repro` does, with the stages of several runs side by side."""
