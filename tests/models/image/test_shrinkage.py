import pytest
import torch

from vaelab.models.image.patch_pca import fit_shrunk_pca
from vaelab.models.image.shrinkage import chosen_shrinkage
from vaelab.models.pca import reconstruct


def composed(count: int) -> torch.Tensor:
    """Images that are mixtures of four whole pictures."""
    source = torch.Generator().manual_seed(0)
    pictures = torch.rand(4, 1, 16, 16, generator=source)
    weights = torch.rand(count, 4, generator=source)
    mixed = torch.einsum("nk,kchw->nchw", weights / weights.sum(1, keepdim=True), pictures)
    return (mixed * 255).byte()


def textures(count: int) -> torch.Tensor:
    """Images whose parts are each a mixture of its own of the same small pictures."""
    parts = composed(16 * count)[:, :, :4, :4].reshape(count, 4, 4, 4, 4)
    return parts.permute(0, 1, 3, 2, 4).reshape(count, 1, 16, 16)


def test_images_that_are_composed_alike_are_described_whole_and_others_by_their_patches(capsys):
    assert chosen_shrinkage(composed(64), 4, 0, flip=False)[:2] == (0.75, 8)
    said = capsys.readouterr().err
    assert "model.pca_patches: auto: 0.75 of patches of 8 pixels; 8 training images held out" in said
    assert chosen_shrinkage(textures(64), 60, 0, flip=False).share == 1


@pytest.mark.parametrize("images", [composed(64), textures(64)], ids=["composed", "textures"])
def test_the_choice_is_that_of_the_smallest_error_of_images_that_no_fit_has_seen(images):
    held = torch.arange(64) % 8 == 7
    x = images[held].float().flatten(1) / 255

    def psnr(share: float, cell: int) -> float:
        pca = fit_shrunk_pca(images[~held], 12, 0, False, share, cell, 2)
        return float(-10 * (reconstruct(pca, x).clamp(0, 1) - x).square().mean(1).log10().mean())

    found = {candidate: psnr(*candidate) for candidate in ((0.75, 8), (1.0, 4))}
    assert chosen_shrinkage(images, 12, 0, flip=False) == max(found, key=found.__getitem__)


@pytest.mark.parametrize(("count", "side", "components"), [(64, 15, 8), (64, 16, 256), (7, 16, 4)])
def test_where_there_is_nothing_to_choose_from_it_is_plain_pca(count, side, components):
    images = torch.randint(256, (count, 1, side, side), dtype=torch.uint8)
    assert chosen_shrinkage(images, components, 0, flip=False).share == 0
