"""Limits of the diagnosis, each set between runs that were broken on purpose and healthy ones.

In brackets: how far either side was from it. docs/playbook.md says what each sign is.
"""

from typing import Annotated

from pydantic import Field

from vaelab.params.base import Block, Fraction, of

Ratio = Annotated[float, Field(ge=0, le=1e6)]
Multiple = Annotated[float, Field(ge=1, le=1e6)]
ORDER = (  # of limits of one number, or of one after the other: each is at most the next
    ("lower_beta", "low_beta", "raised_beta", "high_beta"),
    ("dead_gain", "poor_gain"),
    ("calibration_p", "calibration_doubt"),
    ("val_above_p", "calibration_doubt"),
)


class Diagnose(Block):
    """Limits from which on a run is called ill."""

    gradient_ratio: Multiple = 30.0
    """Unstable: largest gradient norm of an epoch over the median of all epochs (broken 148, healthy up to 4.7)."""
    loss_jump: Ratio = 0.5
    """Unstable: largest rise of the training loss from its lowest value so far, as a share of all that it has fallen
    (broken 6.1, healthy up to .23)."""
    overshoot: Ratio = 0.5
    """Unstable: largest loss of a step above that of the untrained model, as a share of all that the loss fell, where
    the learning rate is above `high_rate` (broken 2.4, healthy up to .24)."""
    high_rate: Ratio = 0.03
    """Unstable: largest learning rate of a training whose first steps overshoot."""
    dead_gain: Fraction = 0.15
    """Nothing learned: smallest share of the way from a method that knows nothing of the example to PCA with as many
    numbers (dead up to .03, healthy from .72)."""
    poor_gain: Fraction = 0.5
    """β too high, PCA does better: smallest share of the way from a method that knows nothing of the example to PCA
    (healthy from .72)."""
    drawn_share: Fraction = 0.25
    """Nothing in z: smallest gain with one drawn z, as a share of the gain with the posterior mean."""
    high_beta: Ratio = 5.0
    """β too high: largest effective β of a run that learned nothing (broken from 9, healthy up to 2.1)."""
    raised_beta: Ratio = 3.0
    """β too high: largest effective β of a run whose rate is short."""
    rate_short: Fraction = 0.7
    """β too high: smallest rate, as a share of what a linear VAE of the same data spends at β 1, where effective β is
    above `raised_beta` (broken up to .66, healthy .82)."""
    noisy_share: Fraction = 0.64
    """β too high: smallest gain with one drawn z, as a share of the gain with the posterior mean, where effective β is
    above `raised_beta` (broken up to .59, healthy from .72)."""
    rate_asked: Fraction = 0.3
    """β asks for collapse: smallest rate of a linear VAE at the run's β, as a share of that at β 1."""
    low_beta: Ratio = 0.2
    """β too low: smallest effective β, where the aggregate posterior is far from the prior (`prior_gap`)."""
    prior_gap: Ratio = 0.22
    """β too low: largest distance of the aggregate posterior from the prior, nats, as a share of the rate (broken from
    .26, healthy up to .19)."""
    lower_beta: Ratio = 0.1
    """β too low: smallest effective β, where drawing z costs next to nothing; tags do well at .2."""
    sampling_cost: Ratio = 0.1
    """β too low: smallest cost of drawing z for each active unit, in halves of a nat; at β 1 it is 1."""
    rate_grew: Ratio = 1.13
    """β too low: largest rate in the last epoch, as a share of that in the best one, where effective β is below
    `lower_beta`; a note (broken 1.17 to 1.5; of healthy runs, whose β is higher, most stay below 1.1)."""
    bypassed_rate: Fraction = 0.2
    """Bottleneck bypassed: smallest rate of a model with skips, as a share of what a linear VAE spends at β 1."""
    latent_share: Fraction = 0.2
    """Bottleneck bypassed: smallest share of the gain that is lost when the decoder gets another example's z."""
    foreground_share: Annotated[Fraction, of("grid")] = 0.5
    """Majority collapse: smallest foreground accuracy, as a share of PCA's (broken up to .29, healthy 1.27)."""
    foreground_kept: Annotated[Fraction, of("grid")] = 0.86
    """Majority collapse: smallest foreground accuracy on val after the last epoch, as a share of the best epoch's
    (broken up to .75, healthy from .97)."""
    resolved_share: Annotated[Fraction, of("image")] = 0.5
    """Detail lost: smallest share of the frequencies of the reference of which half of the variance is explained."""
    pca_resolved: Annotated[Fraction, of("image")] = 0.38
    """Detail lost: smallest share of those frequencies that PCA with as many numbers resolves, below which the model is
    too small for the data (too small up to .33, healthy from .43)."""
    near_pca: Annotated[Ratio, of("image")] = 0.87
    """Detail lost: smallest share of the way from a method that knows nothing of the example to PCA with as many
    numbers (broken up to .85, healthy from .90)."""
    overfit_share: Ratio = 0.31
    """Over-fitting: largest loss from train to val, as a share of what was gained on train (broken from .38, healthy
    up to .25)."""
    lost_again: Fraction = 0.2
    """Over-fitting: largest share of the gain on val that is lost again after the best epoch, while the training loss
    falls (broken .45, healthy up to .08)."""
    shift_share: Ratio = 2.0
    """Over-fitting: smallest loss from train to val, over the difference of val and test, which is chance or another
    distribution."""
    still_gaining: Fraction = 0.09
    """Unfinished: largest share of all progress that the last quarter of the epochs brought (broken from .11, healthy
    up to .07)."""
    few_steps: Ratio = 0.3
    """Unfinished: smallest sum of the learning rates of all steps of a training that stays below `poor_gain` (broken up
    to .17, others from .8)."""
    group_share: Fraction = 0.3
    """Scarce group: smallest share of a group in training, over its share in test (broken .04, healthy from .39)."""
    group_shift: Annotated[Ratio, of("image")] = 5.9
    """Shifted group: largest difference between groups of how much PSNR falls from train to test, dB (broken from 7,
    healthy up to 4.8)."""
    mask_z: Annotated[float, of("image")] = Field(3.0, ge=-1000, le=1000)
    """Masks misaligned: smallest z of the score inside the masks against masks of other images (broken up to 1.9,
    healthy from 6.5)."""
    calibration_p: Annotated[Fraction, of("image")] = 0.001
    """Calibration shift: smallest p of the scores of val and of test normals being alike (broken 1e-16, healthy from
    .004)."""
    calibration_doubt: Annotated[Fraction, of("image")] = 0.05
    """Calibration shift: smallest p, where the rate of false alarms is off too, or val has too many of the highest."""
    val_above_p: Annotated[Fraction, of("image")] = 0.005
    """Calibration shift: smallest p of val having so many of the highest normals of val and test, as where it holds
    defects; up to `calibration_doubt` where the p before is below that too (false alarms of both .007)."""
    rate_off: Annotated[Ratio, of("image")] = 1.7
    """Calibration shift: largest distance of the false-positive rate from the nominal one, standard errors of both."""
    least_recall: Annotated[Fraction, of("image")] = 0.05
    """Threshold too high: smallest recall of a score that ranks defects above normals."""
    high_percentile: Annotated[float, of("image")] = Field(98.0, gt=50, lt=100)
    """Threshold too high: largest percentile of a threshold whose F1 is far below the best."""
    f1_share: Annotated[Fraction, of("image")] = 0.65
    """Threshold too high: smallest F1, as a share of the best one of the sweep."""
    chance: Annotated[Fraction, of("image")] = 0.5
    """Defects not found: largest lower end of the interval of AUC at which ranking may be chance."""
    rate_rise: Annotated[Multiple, of("image")] = 1.2
    """Reconstructs defects: smallest rate over that of a like run from which on a fall of AUC is laid to it (40 to 283
    nats raised AUC from .60 to .67, 6820 nats lowered it to .60)."""
    seed_spread: Ratio = 0.15
    """Seeds disagree: largest difference of the gain between runs that differ in the seed alone (three healthy runs on
    tags: .003)."""
    reconstructed: Annotated[Fraction, of("image")] = 0.98
    """Reconstructs defects: largest share of the variance explained, with a score that is the residual (broken 1.000,
    healthy up to .978)."""
    residual_behind: Annotated[Fraction, of("image")] = 0.02
    """Reconstructs defects: largest AUC by which the residual is behind both the distance of the latents and the
    residual of PCA, where nearly all of the variance is explained (broken from .036, healthy up to .001)."""
    aggregation_gain: Annotated[Fraction, of("image")] = 0.05
    """Aggregation hides defects: largest gain of average precision by another aggregation than the mean."""
    diversity: Annotated[Fraction, of("tags")] = 0.5
    """Degenerate samples: smallest entropy of the sampled combinations, as a share of that of held-out rows."""
    predicted_share: Annotated[Fraction, of("tags")] = 0.15
    """Predicts nothing: smallest number of tags predicted per row, as a share of the true number (healthy
    from .7)."""
    hole: Annotated[Ratio, of("grid", "image")] = 0.35
    """Prior hole: largest distance (MMD²) of samples from reconstructions (healthy up to .31; with β too low .18 to
    1.4: only what is far beyond is said)."""
    duplicates: Fraction = 0.005
    """Leakage: largest share of the examples of val and test of which a nearly equal one stands in training (healthy 0:
    pictures of one even colour do not count)."""
    alike: Annotated[Fraction, of("image")] = 0.1
    """Leakage: largest share of the examples of val and test that seem to show what one of training shows; a note
    (healthy up to .036, on 56 pictures)."""
    group_offset: Annotated[Fraction, of("image")] = 0.1
    """Shifted group, input range: largest difference of the mean of a group between training and another split, of the
    range of values, where chance does not explain it: 4 standard errors, of all groups of a split 3 (broken .10 to
    .46 at 3.3 to 31 standard errors, healthy up to .19 at 2.1)."""
    split_offset: Annotated[Fraction, of("image")] = 0.15
    """Input range: largest difference of mean from training that all groups of a split have, of the range of values
    (healthy up to .083)."""
    brightness: Annotated[float, of("image")] = Field(1.4, ge=1, le=1000)
    """Input range, shifted group: largest factor between training and another split by which both the mean and the
    standard deviation of values differ (healthy up to 1.2)."""
    groups_brightness: Annotated[float, of("image")] = Field(1.8, ge=1, le=1000)
    """Input range: largest factor between two groups of training by which both the mean and the standard deviation
    differ (healthy up to 1.34)."""
    range_used: Annotated[Fraction, of("image")] = 0.1
    """Input range: smallest share of the range of values that a split fills."""
