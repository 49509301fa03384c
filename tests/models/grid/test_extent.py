import pytest
import torch

from vaelab.models.grid.extent import ExtentDecoder, ExtentEncoder, masks, planes

SIDE = 32


def inside(height: int, width: int) -> torch.Tensor:
    grid = torch.zeros(1, SIDE, SIDE, dtype=torch.bool)
    grid[:, :height, :width] = True
    return grid


@pytest.mark.parametrize(("height", "width"), [(1, 1), (3, 30), (32, 10), (17, 32)])
def test_extents_come_back_from_their_latents(height, width):
    grid = inside(height, width)
    mean, log_var = ExtentEncoder()(grid)
    decoder = ExtentDecoder(SIDE)
    assert (decoder(mean).argmax(2) + 1).tolist() == [[height, width]]
    assert torch.equal(decoder.inside(mean, SIDE), grid)
    assert torch.equal(planes(mean, SIDE)[:, 0] > 0.5, grid)
    noise = torch.randn(500, 2, generator=torch.Generator().manual_seed(0))
    drawn = decoder(mean + (0.5 * log_var).exp() * noise).argmax(2) + 1
    assert ((drawn == torch.tensor([height, width])).float().mean() > 0.97).all()


def test_logits_fall_with_the_squared_distance_in_cells():
    decoder = ExtentDecoder(SIDE)
    logits = decoder(torch.tensor([[0.0, 1.0]])).detach()  # 10 and 15.5 cells
    sharpness = float(decoder.log_sharpness.detach()[0].exp())
    assert float(logits[0, 0, 9]) == pytest.approx(0)
    assert float(logits[0, 0, 11]) == pytest.approx(-4 * sharpness, rel=1e-4)
    assert float(logits[0, 1, 14]) == pytest.approx(-0.25 * sharpness, rel=1e-4)


def test_a_place_is_inside_where_one_of_its_cells_is():
    found = masks(inside(5, 8), 2, torch.float32)
    assert [tuple(mask.shape[-2:]) for mask in found] == [(32, 32), (16, 16), (8, 8)]
    assert found[2][0, 0].nonzero().amax(0).tolist() == [1, 1]
    assert found[1].sum() == 3 * 4


def test_latents_beyond_the_canvas_are_the_nearest_extent():
    decoder = ExtentDecoder(SIDE)
    far = torch.tensor([[-50.0, 50.0]])
    assert (decoder(far).argmax(2) + 1).tolist() == [[1, SIDE]]
    assert decoder.inside(far, SIDE).sum() == SIDE
