import copy
import itertools

import pytest
import torch
from helpers import random_tags, tag_info, tiny_run
from torch import Tensor, nn
from torch.nn import functional as F

from vaelab.models.blocks import norm
from vaelab.models.build import build
from vaelab.models.files import load_model, save_model
from vaelab.models.tags.mlp import frequency_logits, hidden, thinned
from vaelab.models.vae import VAE
from vaelab.objective.objective import Objective
from vaelab.params.blocks import Model

ROWS, TAGS = 32, 12
X = random_tags(ROWS, TAGS).float()
INFO = tag_info(X)
MULTINOMIAL = {"terms": {"bce": 0.0, "multinomial": 1.0}}
OPTIONS = [
    {},
    {"hidden": []},
    {"hidden": [16, 8], "latent_dim": 3},
    {"norm": "layer", "activation": "tanh"},
    {"norm": "group", "activation": "relu", "hidden": [6]},
    {"norm": "none", "activation": "gelu", "dropout": 0.3},
    {"input_dropout": 0.5, "input_scale": "length"},
    {"input_dropout": 0.5, "input_dropout_rate": "uniform"},
    {"output": "softmax", "activation": "leaky_relu"},
    {"tied": True},
    {"tied": True, "hidden": []},
    {"tied": True, "hidden": [16, 8], "norm": "layer", "dropout": 0.2, "output": "softmax"},
    {"tied": True, "hidden": [16, 8], "norm": "none"},
]
every_option = pytest.mark.parametrize("options", OPTIONS, ids=str)
RANDOM = [{"dropout": 0.5}, {"input_dropout": 0.5}, {"input_dropout": 0.5, "input_dropout_rate": "uniform"}]


def model(seed: int = 0, **options: object) -> VAE:
    return build(tiny_run(kind="tags", model=options).model, INFO, seed)


def objective(options: dict[str, object]) -> Objective:
    loss = MULTINOMIAL if options.get("output") == "softmax" else {}
    return Objective(tiny_run(kind="tags", loss=loss).loss, INFO, ROWS)


def sizes(vae: VAE) -> dict[str, int]:
    return {name: parameter.numel() for name, parameter in vae.named_parameters()}


def seen_by(vae: VAE, x: Tensor) -> Tensor:
    """Return what the first layer of the encoder gets."""
    seen = []
    handle = vae.encoder.body.register_forward_hook(lambda module, inputs, output: seen.append(inputs[0]))
    vae(x)
    handle.remove()
    return seen[0]


@every_option
def test_shapes(options):
    vae, latent = model(**options), options.get("latent_dim", 4)
    inference = vae(X, torch.randn(ROWS, latent))
    assert inference.mean.shape == inference.log_var.shape == inference.z.shape == (ROWS, latent)
    assert inference.reconstruction.shape == (ROWS, TAGS)
    assert inference.extent is inference.log_sigma is None
    assert vae.latent_dim == latent


@every_option
def test_the_decoder_mirrors_the_encoder(options):
    hidden, latent = options.get("hidden", [8]), options.get("latent_dim", 4)
    down, up = itertools.pairwise([TAGS, *hidden, 2 * latent]), itertools.pairwise([latent, *hidden[::-1], TAGS])
    found = [tuple(layer.weight.shape[::-1]) for layer in model(**options).modules() if isinstance(layer, nn.Linear)]
    assert found == ([*down] if options.get("tied") else [*down, *up])


@every_option
def test_some_steps_lower_the_loss(options):
    vae, aim = model(**options), objective(options)
    optimizer = torch.optim.AdamW(vae.parameters(), lr=1e-2)
    generator = torch.Generator().manual_seed(0)
    losses = []
    with torch.random.fork_rng():
        torch.manual_seed(0)
        for _ in range(40):
            optimizer.zero_grad()
            loss = aim(X, vae(X, torch.randn(ROWS, vae.latent_dim, generator=generator)), 0).total.mean()
            loss.backward()
            assert all(p.grad is not None and p.grad.isfinite().all() for p in vae.parameters())
            optimizer.step()
            losses.append(loss.item())
    assert sum(losses[-5:]) < 0.98 * sum(losses[:5])


@every_option
def test_without_noise_the_mean_is_decoded_in_evaluation_each_time_the_same(options):
    vae = model(**options).eval()
    inference, again = vae(X), vae(X)
    assert torch.equal(inference.z, inference.mean)
    assert torch.equal(inference.reconstruction, again.reconstruction)
    assert torch.equal(inference.reconstruction, vae.decode(inference.mean).reconstruction)


@every_option
def test_examples_of_a_batch_do_not_mix_in_evaluation(options):
    vae = model(**options).eval()
    together, apart = vae(X[:4]), [vae(row) for row in X[:4].split(1)]
    for name in ("mean", "log_var", "reconstruction"):
        torch.testing.assert_close(getattr(together, name), torch.cat([getattr(one, name) for one in apart]))


@every_option
def test_a_file_gives_back_the_same_bits(tmp_path, options):
    run, vae = tiny_run(kind="tags", model=options), model(seed=1, **options)
    vae(X)  # moves the running statistics
    save_model(tmp_path / "model.safetensors", vae.state_dict(), run, INFO, {"epoch": 1})
    loaded = load_model(tmp_path / "model.safetensors")
    assert loaded.info == INFO
    noise = torch.randn(ROWS, vae.latent_dim)
    for found, expected in zip(loaded.model(X, noise)[:4], vae.eval()(X, noise)[:4], strict=True):
        assert torch.equal(found, expected)


def test_weights_depend_on_the_seed_only():
    first = sum(parameter.sum() for parameter in model(seed=3).parameters())
    torch.randn(5)
    assert sum(parameter.sum() for parameter in model(seed=3).parameters()) == first
    assert sum(parameter.sum() for parameter in model(seed=4).parameters()) != first


@pytest.mark.parametrize("counts", [X.sum(0), torch.tensor([0, ROWS, *[5] * (TAGS - 2)])])
def test_the_output_bias_says_the_smoothed_frequencies(counts):
    x = (torch.arange(ROWS).unsqueeze(1) < counts).to(torch.uint8)
    info, smoothed = tag_info(x), (counts + 1) / (ROWS + 2)
    torch.testing.assert_close(frequency_logits(info, "sigmoid").sigmoid(), smoothed)
    torch.testing.assert_close(frequency_logits(info, "softmax").exp(), smoothed)
    for options in ({}, {"tied": True}, {"output": "softmax"}):
        vae = build(tiny_run(kind="tags", model=options).model, info, 0)
        assert torch.equal(vae.decoder.out.bias, frequency_logits(info, vae.decoder.log_tags and "softmax"))


@pytest.mark.parametrize("tied", [False, True])
@pytest.mark.parametrize("output", ["sigmoid", "softmax"])
@pytest.mark.parametrize("kind", ["batch", "layer", "none"])
def test_an_untrained_model_is_about_the_frequency_model(kind, output, tied):
    """It costs what the frequencies do, within 5 %, and far less than a model that knows nothing."""
    frequencies = torch.logspace(-3, -0.5, 200)  # 1 / 1000 to 1 / 3
    x = (torch.rand(500, 200, generator=torch.Generator().manual_seed(0)) < frequencies).float()
    info, options = tag_info(x), {"hidden": [256], "norm": kind, "tied": tied, "output": output}
    aim = Objective(tiny_run(kind="tags", loss=MULTINOMIAL if output == "softmax" else {}).loss, info)
    term = "multinomial" if output == "softmax" else "bce"
    said = build(tiny_run(kind="tags", model=options).model, info, 0)(x, torch.randn(500, 4))
    logits = {"model": said.reconstruction, "frequency": frequency_logits(info, output), "nothing": torch.zeros(200)}
    costs = {
        name: aim(x, said._replace(reconstruction=values.expand(500, 200)), 0).terms[term].mean().item()
        for name, values in logits.items()
    }
    assert costs["model"] < 1.05 * costs["frequency"] < 1.15 * costs["frequency"] < costs["nothing"]


def test_softmax_gives_expected_counts():
    said = model(output="softmax")(X).reconstruction
    torch.testing.assert_close(said.exp().sum(1), torch.full((ROWS,), INFO.mean_tags))
    torch.testing.assert_close(said.log_softmax(1), said - torch.tensor(INFO.mean_tags).log())


@pytest.mark.parametrize("kind", ["batch", "layer"])
def test_tied_matrices_are_there_once(kind):
    own, shared = (sizes(model(hidden=[16, 8], norm=kind, tied=tied)) for tied in (False, True))
    matrices = 4 * 8 + 8 * 16 + 16 * TAGS  # of the decoder: from 4 latent dimensions up
    assert sum(own.values()) - sum(shared.values()) == matrices
    assert set(own) - set(shared) == {"decoder.body.0.0.weight", "decoder.body.1.0.weight", "decoder.out.weight"}


@pytest.mark.parametrize("hidden", [[], [8], [16, 8]])
def test_tied_is_the_encoder_transposed(hidden):
    vae = model(hidden=hidden, tied=True, norm="none").eval()
    matrices = [layer.weight for layer in vae.encoder.modules() if isinstance(layer, nn.Linear)]
    matrices[-1] = matrices[-1][:4]  # the half that gives the mean
    biases = [parameter for name, parameter in vae.decoder.named_parameters() if name.endswith("bias")]
    z = torch.randn(5, 4)
    h = z
    for number, (matrix, bias) in enumerate(zip(matrices[::-1], biases, strict=True)):
        h = (F.silu(h) if number else h) @ matrix + bias
    torch.testing.assert_close(vae.decode(z).reconstruction, h)


def test_a_copy_of_a_tied_model_is_tied_to_itself():
    vae = model(tied=True).eval()
    before, twin = vae(X).reconstruction, copy.deepcopy(vae)
    with torch.no_grad():
        for parameter in twin.parameters():
            parameter.zero_()
    assert torch.equal(vae(X).reconstruction, before)
    assert not twin(X).reconstruction.any()


def test_both_directions_add_to_the_gradient_of_a_tied_matrix():
    vae = model(tied=True, norm="none")
    matrix = vae.encoder.body[0][0].weight
    (by_decoder,) = torch.autograd.grad(vae.decode(torch.randn(ROWS, 4)).reconstruction.square().sum(), matrix)
    (by_encoder,) = torch.autograd.grad(vae.encode(X)[0].square().sum(), matrix)
    assert by_decoder.abs().sum() > 0
    assert by_encoder.abs().sum() > 0


def test_length_scales_the_input_and_leaves_empty_rows():
    x = torch.cat([X[:5], torch.zeros(2, TAGS)])
    seen = seen_by(model(input_scale="length").eval(), x)
    torch.testing.assert_close(seen.norm(dim=1), torch.tensor([1.0] * 5 + [0.0] * 2))
    torch.testing.assert_close(seen[:5] * x[:5].sum(1, keepdim=True).sqrt(), x[:5])
    assert torch.equal(seen_by(model(), x), x)


@pytest.mark.parametrize("scale", ["none", "length"])
def test_input_dropout_hides_tags_in_training_only(scale):
    share, x = 0.3, torch.ones(400, TAGS)
    vae = model(input_dropout=share, input_scale=scale)
    full = seen_by(vae.eval(), x)
    hidden = seen_by(vae.train(), x)
    kept = hidden != 0
    assert kept.float().mean() == pytest.approx(1 - share, abs=0.04)
    torch.testing.assert_close(hidden[kept], full[kept] / (1 - share))
    assert torch.equal(seen_by(vae.eval(), x), full)


@pytest.mark.parametrize("options", RANDOM, ids=str)
def test_dropout_draws_from_the_global_generator_in_training_only(options):
    vae = model(norm="layer", **options)

    def drawn(seed: int) -> Tensor:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            return vae(X).reconstruction

    assert torch.equal(drawn(1), drawn(1))
    assert not torch.equal(drawn(1), drawn(2))
    vae.eval()
    assert torch.equal(drawn(1), drawn(2))


@pytest.mark.parametrize("kind", ["layer", "none"])
def test_without_batch_statistics_training_and_evaluation_are_the_same(kind):
    vae = model(norm=kind)
    assert torch.equal(vae.train()(X).reconstruction, vae.eval()(X).reconstruction)


@pytest.mark.parametrize(("activation", "expected"), [("relu", 2 / 300), ("tanh", 2 / 500)])
def test_hidden_weights_start_as_their_activation_asks(activation, expected):
    x = random_tags(20, 300)
    options = tiny_run(kind="tags", model={"hidden": [200], "activation": activation}).model
    weight = build(options, tag_info(x), 0).encoder.body[0][0].weight
    assert weight.var().item() == pytest.approx(expected, rel=0.03)


@pytest.mark.parametrize("channels", [6, 8])
def test_layer_normalisation_of_feature_maps_is_over_all_of_an_example(channels):
    x = torch.randn(3, channels, 5, 5)
    found = norm(channels, Model(norm="layer"))(x)
    torch.testing.assert_close(found, F.layer_norm(x, x.shape[1:]))


@pytest.mark.parametrize("size", [4, 6, 8, 16, 24, 64])
def test_groups_of_a_layer_leave_more_of_a_unit_than_its_sign(size):
    units = torch.randn(50, size, generator=torch.Generator().manual_seed(0))
    options = tiny_run(kind="tags", model={"norm": "group"}).model
    normalised = hidden(torch.nn.Identity(), size, options)[1](units)
    assert (normalised.abs().std(dim=0) > 0.1).all()


def test_each_row_is_thinned_at_a_rate_of_its_own_and_what_is_left_is_not_scaled():
    x = (torch.rand((400, 2000), generator=torch.Generator().manual_seed(0)) < 0.5).float()
    with torch.random.fork_rng():
        torch.manual_seed(0)
        seen = thinned(x, 0.5)
    assert ((seen == x) | (seen == 0)).all()
    lost = (1 - seen.sum(1) / x.sum(1)).sort().values
    expected = torch.linspace(0, 0.5, 400)  # quantiles of U(0, 0.5)
    torch.testing.assert_close(lost, expected, atol=0.06, rtol=0)
    vae = model(input_dropout=0.5, input_dropout_rate="uniform")
    assert torch.equal(seen_by(vae.eval(), X), X)
