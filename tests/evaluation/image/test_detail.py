import torch
from helpers import random_images, unit

from vaelab.evaluation.image.detail import data_cycles, error_power, resolved_cycles


def below(x: torch.Tensor, cycles: float) -> torch.Tensor:
    """Images without what is above so many cycles per image."""
    f = torch.fft.fftfreq(x.shape[-1]) * x.shape[-1]
    return torch.fft.ifft2(torch.fft.fft2(x) * ((f[:, None] ** 2 + f**2).sqrt() <= cycles)).real


def test_a_filter_resolves_up_to_its_cut_off():
    x = unit(random_images(64, 1)).float()
    variance = error_power(x, x.mean(0, keepdim=True))
    assert abs(resolved_cycles(error_power(x, below(x, 5)), variance) - 5) <= 1
    assert resolved_cycles(error_power(x, x), variance) == len(variance)
    assert resolved_cycles(error_power(x, torch.full_like(x, 0.5)), variance) == 0


def test_data_have_the_cycles_that_they_are_made_of():
    x = below(unit(random_images(64, 1)).float(), 3)
    assert 2 <= data_cycles(error_power(x, x.mean(0, keepdim=True))) <= 4
