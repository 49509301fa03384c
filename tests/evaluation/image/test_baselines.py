import numpy as np
import pytest
import torch
from scipy import ndimage
from skimage import data
from sklearn.decomposition import PCA
from torch import Tensor

from vaelab.evaluation.image.baselines import blur, fit_baselines, left_out, patch_of, principal
from vaelab.measures.image.reconstruction import image_metrics
from vaelab.params.blocks import Model


def crops(channels: int = 3, count: int = 120, side: int = 16) -> Tensor:
    """Crops of a photograph in rows, uint8 [count, C, side, side]."""
    image = torch.from_numpy(data.astronaut())[::4, ::4].movedim(-1, 0)[:channels]
    places = [(7 * k % 110, 31 * k % 110) for k in range(count)]
    return torch.stack([image[:, top : top + side, left : left + side] for top, left in places])


def baselines(train: Tensor, latent_dim: int = 12, cell: int | None = None, documents: bool = False):
    return fit_baselines(train, principal(train, latent_dim, seed=0), latent_dim, cell, documents, seed=0)


def test_a_map_and_a_filtered_vector_are_compared_with_patches():
    assert patch_of(Model(latent="map", depth=2), 64, 64) == 4
    assert patch_of(Model(name="filtered", depth=3), 1024, 64) == 8  # 16 numbers for each of 8 x 8 patches
    assert patch_of(Model(name="filtered", depth=3), 1000, 64) == 8  # 15 of them
    assert patch_of(Model(name="filtered", depth=3), 63, 64) is None
    assert patch_of(Model(depth=3), 1024, 64) is None


def test_each_kind_of_model_and_data_has_its_baselines():
    train = crops()
    assert list(baselines(train)) == ["mean_image", "pca"]
    assert list(baselines(train, 64, cell=8, documents=True)) == [
        "mean_image",
        "pca",
        "patch_pca",
        "white_page",
    ]


@pytest.mark.parametrize("channels", [1, 3])
def test_baselines_give_images_of_the_same_shape_in_0_to_1(channels):
    train = crops(channels)
    x = train[:5].float() / 255
    for reconstruct in baselines(train, 16, cell=4, documents=True).values():
        y = reconstruct(x)
        assert y.shape == x.shape
        assert y.dtype == x.dtype
        assert 0 <= y.min() <= y.max() <= 1


@pytest.mark.parametrize("method", ["pca", "patch_pca"])
def test_baselines_of_a_training_with_mirrored_images_are_fitted_to_both(method):
    train, x = crops(), crops(count=130)[120:].float() / 255
    fitted = principal(train, 64, seed=0, flip=True)
    found = fit_baselines(train, fitted, 64, 8, documents=False, seed=0, flip=True)[method](x)
    both = baselines(torch.cat([train, train.flip(-1)]), 64, cell=8)[method](x)
    torch.testing.assert_close(found, both, atol=1e-4, rtol=0)
    assert not torch.allclose(found, baselines(train, 64, cell=8)[method](x), atol=1e-3)


def test_the_mean_image_is_that_of_training():
    train = crops()
    x = torch.rand(4, 3, 16, 16)
    expected = train.double().mean(0) / 255
    torch.testing.assert_close(baselines(train)["mean_image"](x), expected.float().expand(4, -1, -1, -1))


def test_blur_equals_scipy():
    x = torch.rand(3, 3, 24, 20, dtype=torch.float64, generator=torch.Generator().manual_seed(0))
    expected = ndimage.gaussian_filter(x.numpy(), sigma=(0, 0, 2, 2), mode="mirror", truncate=4)
    np.testing.assert_allclose(blur(x), expected, atol=1e-12)


def test_pca_equals_scikit_learn():
    train, x = crops(1), crops(1, 150)[120:].float() / 255
    exact = PCA(12, svd_solver="full").fit(train.flatten(1).double().numpy() / 255)
    expected = exact.inverse_transform(exact.transform(x.flatten(1).double().numpy())).clip(0, 1)
    np.testing.assert_allclose(baselines(train)["pca"](x).flatten(1), expected, atol=1e-3)


def test_patch_pca_has_the_numbers_of_the_latent_map():
    train, x = crops(1), crops(1, 150)[120:].float() / 255
    cut = [train[:, :, i : i + 4, j : j + 4].flatten(1) for i in range(0, 16, 4) for j in range(0, 16, 4)]
    exact = PCA(2, svd_solver="full").fit(torch.cat(cut).double().numpy() / 255)
    y = baselines(train, latent_dim=2 * 16, cell=4)["patch_pca"](x)
    patch = x[:, :, 4:8, 12:16].flatten(1).double().numpy()
    expected = exact.inverse_transform(exact.transform(patch)).clip(0, 1)
    np.testing.assert_allclose(y[:, :, 4:8, 12:16].flatten(1), expected, atol=1e-4)


def test_more_latents_are_better_and_the_mean_image_is_worse():
    train, x = crops(), crops(3, 150)[120:].float() / 255
    few, many = baselines(train, 16, cell=4), baselines(train, 64, cell=4)
    psnr = {
        name: float(image_metrics(x, reconstruct(x))["psnr"].mean())
        for name, reconstruct in {
            "mean": few["mean_image"], "pca16": few["pca"], "pca64": many["pca"],
            "patch16": few["patch_pca"], "patch64": many["patch_pca"],
        }.items()
    }  # fmt: skip
    assert psnr["mean"] < psnr["pca16"] < psnr["pca64"]
    assert psnr["mean"] < psnr["patch16"] < psnr["patch64"]


def test_more_latents_than_the_data_can_give_are_capped():
    train = crops(1, 6)
    x = train.float() / 255
    found = baselines(train, 255)
    torch.testing.assert_close(found["pca"](x), x, atol=1e-3, rtol=0)  # for want of images: others it does not know
    assert list(baselines(train, 256, cell=4)) == ["mean_image"]  # however few images there are
    assert list(baselines(train[:1])) == ["mean_image"]


@pytest.mark.parametrize(
    ("latent_dim", "side", "cell", "said"),
    [
        (64, 8, None, "PCA: 64 latent"),  # as many as there are pixels
        (100, 8, None, "PCA: 100 latent"),
        (64, 8, 4, "PCA and patch PCA: 64 latent"),
        (63, 8, 4, None),
        (16 * 16, 16, 4, "PCA and patch PCA: 256 latent"),
    ],
)
def test_pca_that_loses_nothing_is_no_baseline_and_it_is_said(latent_dim, side, cell, said):
    train = crops(1, 300, side)
    found = baselines(train, latent_dim, cell)
    text = left_out(found, latent_dim, cell, len(train))
    assert ("pca" in found) == (said is None)
    assert (said in text) if said else text is None


def test_pca_of_images_that_vary_in_few_places_loses_nothing_before_there_are_as_many_latents():
    train = torch.full((200, 1, 16, 16), 255, dtype=torch.uint8)
    train[:, :, 4:6, 4:6] = torch.randint(256, (200, 1, 2, 2), generator=torch.Generator().manual_seed(0)).byte()
    assert "pca" in baselines(train, 3)
    assert "pca" not in baselines(train, 4)


def test_a_white_page_is_white():
    assert (baselines(crops(1), documents=True)["white_page"](torch.rand(2, 1, 16, 16)) == 1).all()
