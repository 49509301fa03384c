import torch
from helpers import grid_info, random_grids, tiny_run

from vaelab.data.format.batches import DeviceSplit, epoch_order
from vaelab.models.build import build
from vaelab.objective.objective import Objective
from vaelab.training.crop import by_size, cut, longer_sides

CLASSES = 4
X = random_grids(50, CLASSES)


def sides() -> torch.Tensor:
    split = DeviceSplit([X.to(torch.uint8)], torch.zeros(50), torch.device("cpu"), "grid")
    return longer_sides(split, CLASSES)


def test_longer_sides_are_those_of_the_grids():
    expected = [max(int((x < CLASSES).any(1).sum()), int((x < CLASSES).any(0).sum())) for x in X]
    assert sides().tolist() == expected


def test_batches_are_of_like_size_and_each_example_is_in_one():
    order, sizes = epoch_order(50, seed=3, epoch=1), sides()
    found = by_size(order, sizes, 8)
    assert found.sort().values.tolist() == list(range(50))
    assert torch.equal(found[48:], order[48:])  # who waits is as random as without
    batches = sizes[found[:48]].view(-1, 8)  # as they come, each sorted
    by_largest = batches[(batches.amin(1) + batches.amax(1)).argsort(stable=True)]
    assert torch.equal(by_largest.flatten(), sizes[order[:48]].sort().values)
    assert batches.amax(1).tolist() != sorted(batches.amax(1).tolist())
    assert torch.equal(found, by_size(epoch_order(50, seed=3, epoch=1), sizes, 8))


def test_a_cut_batch_has_the_losses_and_gradients_of_the_whole_canvas():
    run = tiny_run(
        model={"latent": "map", "latent_channels": 3, "norm": "none", "palette": "ranked", "residual_blocks": 1}
    )
    info, small = grid_info(CLASSES), X[sides() <= 4][:6]
    model, noise = build(run.model, info, seed=0), torch.randn(len(small), 3 * 4 + 12 + 2)
    part, kept = cut(small, noise, run.model, longest=4)
    assert part.shape[1:] == (4, 4)
    losses, gradients = [], []
    for x, z in ((small, noise), (part, kept)):
        model.zero_grad()
        total = Objective(run.loss, info)(x, model(x, z), 0.0).total
        total.mean().backward()
        losses.append(total.detach())
        gradients.append(torch.cat([p.grad.flatten() for p in model.parameters() if p.grad is not None]))
    torch.testing.assert_close(*losses)
    torch.testing.assert_close(*gradients, atol=1e-5, rtol=1e-4)
