# ---
# jupyter:
#   jupytext:
#     formats: py:percent
# ---

# %% [markdown]
# # Runs, samples, measures
#
# `vaelab notebook` makes a notebook of this file: run all cells, then move the widgets. It shows what the stages have
# saved, and asks the models only where it says so. Pictures and numbers are made by the functions that make the report.

# %%
RUN = ""  # looked at first; empty: the first one

# %%
import os
from pathlib import Path

import ipywidgets as widgets
import pandas as pd
from IPython.display import display

os.chdir(next(folder for folder in (Path.cwd(), *Path.cwd().parents) if (folder / "params.yaml").is_file()))

from vaelab.commands.notebook import defects, live, saved
from vaelab.commands.notebook.picker import Picker
from vaelab.commands.notebook.titles import titled

pd.set_option("display.float_format", "{:.4g}".format)
pd.set_option("display.max_columns", None)
pd.set_option("display.max_colwidth", None)

# %% [markdown]
# ## Which runs
#
# Runs on one data set can stand side by side: hold Ctrl to pick several. The first of them orders the samples.

# %%
pick = Picker(RUN)
display(pick.data, pick.runs)

# %% [markdown]
# ## Numbers and curves
#
# The headline of each run on a split, and its training curves.


# %%
def numbers(runs):
    display(saved.metrics(runs, pick.phase.value), saved.shown(saved.curves(runs)))


display(pick.phase, pick.output(numbers, pick.phase))

# %% [markdown]
# ## Samples
#
# The same samples as each run reconstructs them; below, all that was measured of each.


# %%
def samples(runs):
    display(saved.shown(saved.beside(runs, pick.phase.value, pick.samples)))
    display(titled(saved.table(runs, pick.phase.value, pick.samples)))


which = pick.phase, pick.group, pick.measure, pick.first, pick.count
display(pick.box, pick.output(samples, *which))

# %% [markdown]
# ## Groups
#
# How the measure is spread, by split and group.


# %%
def groups(runs):
    display(saved.by_group(runs[0], pick.measure.value))


display(pick.measure, pick.output(groups, pick.phase, pick.measure))

# %% [markdown]
# ## Latents
#
# KL of each dimension, posteriors beside the prior, and the posterior means in the plane.


# %%
def latents(runs):
    for figure in saved.latent_pictures(runs[0], pick.phase.value):
        display(saved.shown(figure))


display(pick.phase, pick.output(latents, pick.phase))

# %% [markdown]
# ## Defects
#
# Of data with defects: which ones the threshold of the first run misses, which normal examples it flags in vain, and
# where the score is high. Samples, above, has them as the split defects, with the anomaly score as their measure.


# %%
def wrong(runs):
    if not defects.has_defects(runs[0]):
        print(f"{runs[0]}: no defects were scored")
        return
    display(titled(defects.wrong(runs[0]), turned=False))
    for figure in defects.pictures(runs[0]):
        display(saved.shown(figure))


display(pick.output(wrong))

# %% [markdown]
# ## The same training samples over the epochs


# %%
def epochs(runs):
    display(saved.shown(live.picture(runs[0], pick.epoch.value)))


display(pick.epoch, pick.output(epochs, pick.epoch))

# %% [markdown]
# ## Measured now
#
# The model of the first run reconstructs the picked samples here, and the functions of the evaluation measure them, all
# at the posterior mean. Likelihoods that are saved, above, are of drawn z: other numbers.


# %%
def now(runs):
    display(titled(live.measured(runs[0], pick.phase.value, pick.samples)))


display(pick.output(now, *which))

# %% [markdown]
# ## A table to take along
#
# All measures of all examples of the split, of each picked run.


# %%
def export(button=None):
    table = saved.table(pick.chosen, pick.phase.value, saved.ids(pick.chosen[0], pick.phase.value))
    print("written:", saved.export(table, Path("notebooks/samples.csv")))


button = widgets.Button(description="export")
button.on_click(export)
display(button)
export()
