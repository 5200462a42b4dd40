"""Random changes of a batch, so that a network ignores what does not matter: pose, scale, stain, camera.

Everything works on whole batches of tensors, on any device.
"""

import io
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from PIL import Image
from torch.nn import functional as F

__all__ = ["Augmentation", "apply_to_some", "augment", "blur", "jitter_stain", "mix_styles", "random_view"]


@dataclass(frozen=True)
class Augmentation:
    """How far a batch is changed. Probabilities are per image; the rest are spreads.

    zoom: (smallest, largest) part of the frame's side that is seen, drawn log-uniformly; share_near: share of
    the images that are seen within `near` (a ratio) of the nominal crop instead; jpeg_quality: (lowest,
    highest) on the scale of libjpeg; style_probability: of another image's colours, see `mix_styles`.
    """

    zoom: tuple[float, float] = (0.33, 1.0)
    near: float = 1.15
    share_near: float = 0.5
    shift: float = 0.06
    stretch: float = 0.08
    rotate: bool = True
    stain_probability: float = 0.8
    stain_gain: float = 0.25
    stain_mixing: float = 0.08
    gamma: float = 0.2
    white_balance: float = 0.12
    desaturate: float = 0.5
    blur_probability: float = 0.35
    blur_sigma: float = 1.6
    coarse_probability: float = 0.15
    noise_probability: float = 0.35
    noise_sigma: float = 0.05
    jpeg_probability: float = 0.0
    jpeg_quality: tuple[int, int] = (10, 90)
    style_probability: float = 0.0


def _uniform(n: int, low: float, high: float, device: torch.device) -> torch.Tensor:
    return torch.rand(n, device=device) * (high - low) + low


def _zoom(n: int, a: Augmentation, crop: float, device: torch.device) -> torch.Tensor:
    low, high = torch.log(torch.tensor(a.zoom)).tolist()
    wide = _uniform(n, low, high, device).exp()
    near = crop * (_uniform(n, -1, 1, device) * torch.log(torch.tensor(a.near)).item()).exp()
    return torch.where(torch.rand(n, device=device) < a.share_near, near, wide)


def random_view(x: torch.Tensor, size: int, crop: float, a: Augmentation) -> torch.Tensor:
    """Frames (B, 3, H, H) -> random views (B, 3, size, size): zoomed, stretched, rotated, mirrored and
    shifted about the centre.
    """
    n, device = len(x), x.device
    zoom = _zoom(n, a, crop, device)
    stretch = _uniform(n, -a.stretch, a.stretch, device).exp()
    angle = _uniform(n, -torch.pi, torch.pi, device) if a.rotate else torch.zeros(n, device=device)
    mirror = (torch.rand(n, device=device) < 0.5).float() * 2 - 1
    cos, sin = angle.cos() * zoom, angle.sin() * zoom
    rows = [
        torch.stack([cos * stretch * mirror, -sin / stretch, _uniform(n, -a.shift, a.shift, device)], 1),
        torch.stack([sin * stretch * mirror, cos / stretch, _uniform(n, -a.shift, a.shift, device)], 1),
    ]
    grid = F.affine_grid(torch.stack(rows, 1), [n, 3, size, size], align_corners=False)
    return F.grid_sample(x, grid, mode="bilinear", padding_mode="reflection", align_corners=False)


def mix_styles(x: torch.Tensor, probability: float) -> torch.Tensor:
    """Images (B, 3, H, W) in [0, 1], a random share of them in the colours of another image of the batch.

    Mean and deviation of each channel's optical density move by a random part of the way to those of the
    other image: the colour transfer of Reinhard et al. 2001 in the space where stains add up, mixed as in
    MixStyle (Zhou et al. 2021, arXiv:2104.02008, eq. 6). What shows the cell's own shape stays.
    """
    density = -(x.clamp(min=1 / 255)).log()
    mean, deviation = density.mean((2, 3)), density.std((2, 3)).clamp(min=_LEAST_DEVIATION)
    others = torch.randint(len(x), (len(x),), device=x.device)
    chosen = torch.rand(len(x), device=x.device) < probability
    amount = (torch.rand(len(x), device=x.device) * chosen).unsqueeze(1)
    new_mean, new_deviation = mean.lerp(mean[others], amount), deviation.lerp(deviation[others], amount)
    gain = (new_deviation / deviation)[chosen, :, None, None]
    moved = (density[chosen] - mean[chosen, :, None, None]) * gain + new_mean[chosen, :, None, None]
    return x.index_copy(0, chosen.nonzero().flatten(), (-moved.clamp(min=0)).exp())


_LEAST_DEVIATION = 0.02  # of an image that is all of one colour, whose noise would be made a pattern


def jitter_stain(x: torch.Tensor, a: Augmentation) -> torch.Tensor:
    """Random gain, gamma and channel mixing in optical density, and white balance, of images (B, 3, H, W) in
    [0, 1].

    Optical density is -log of the transmitted light (Beer-Lambert; Ruifrok and Johnston 2001), in which
    stains add up.
    """
    n, device = len(x), x.device
    density = -(x.clamp(min=1 / 255)).log()
    mixing = torch.eye(3, device=device) + a.stain_mixing * torch.randn(n, 3, 3, device=device)
    gain = (
        a.stain_gain * torch.randn(n, 3, 1, device=device)
        + a.stain_gain * torch.randn(n, 1, 1, device=device)
    ).exp()
    pale = _uniform(n, 0, a.desaturate, device).view(n, 1, 1) * (torch.rand(n, 1, 1, device=device) < 0.3)
    mixing = (1 - pale) * mixing + pale / 3
    density = torch.bmm(mixing * gain, density.flatten(2)).view_as(x).clamp(min=0)
    gamma = (a.gamma * torch.randn(n, 1, 1, 1, device=device)).exp()
    balance = 1 + a.white_balance * torch.randn(n, 3, 1, 1, device=device)
    return ((-density).exp().pow(gamma) * balance).clamp(0, 1)


def blur(x: torch.Tensor, sigma: torch.Tensor) -> torch.Tensor:
    """Gaussian blur of images (B, 3, H, W), each with its own sigma (B,) in pixels."""
    n, channels, height, width = x.shape
    at = torch.arange(-5, 6, device=x.device, dtype=x.dtype)
    kernel = torch.exp(-0.5 * (at / sigma.clamp(min=0.05).view(n, 1)) ** 2)
    kernel = (kernel / kernel.sum(1, keepdim=True)).repeat_interleave(channels, 0)
    flat = F.pad(x.reshape(1, n * channels, height, width), (5, 5, 5, 5), mode="reflect")
    flat = F.conv2d(flat, kernel.view(-1, 1, 1, 11), groups=n * channels)
    return F.conv2d(flat, kernel.view(-1, 1, 11, 1), groups=n * channels).view_as(x)


def _coarsen(x: torch.Tensor) -> torch.Tensor:
    """Images seen by a camera of lower resolution: made smaller by one random factor up to 3 and enlarged
    again.
    """
    size = max(16, int(x.shape[-1] / (1 + 2 * torch.rand(()).item())))
    small = F.interpolate(x, size=(size, size), mode="bilinear", antialias=True)
    return F.interpolate(small, size=x.shape[-2:], mode="bilinear")


def _compress(x: torch.Tensor, quality: tuple[int, int]) -> torch.Tensor:
    """Images as they come back from JPEG, each of a random quality from the lowest to the highest."""
    qualities = torch.randint(quality[0], quality[1] + 1, (len(x),)).tolist()
    views = (255 * x).round().byte().permute(0, 2, 3, 1).cpu().numpy()
    read = np.stack([_through_jpeg(view, q) for view, q in zip(views, qualities, strict=True)])
    return torch.from_numpy(read).to(x.device).permute(0, 3, 1, 2).to(x.dtype) / 255


def _through_jpeg(view: np.ndarray, quality: int) -> np.ndarray:
    file = io.BytesIO()
    Image.fromarray(view).save(file, "JPEG", quality=quality)
    return np.asarray(Image.open(file))


def apply_to_some(
    x: torch.Tensor, probability: float, change: Callable[[torch.Tensor], torch.Tensor]
) -> torch.Tensor:
    """`x` with `change` applied to a random share of its images."""
    chosen = (torch.rand(len(x), device=x.device) < probability).nonzero().flatten()
    return x if len(chosen) == 0 else x.index_copy(0, chosen, change(x[chosen]))


def augment(frames: torch.Tensor, size: int, crop: float, a: Augmentation) -> torch.Tensor:
    """Whole frames (B, 3, H, H) in [0, 1] -> augmented views (B, 3, size, size) in [0, 1]."""
    x = random_view(frames, size, crop, a)
    if a.style_probability:  # draws nothing otherwise, so that recipes from before styles end where they did
        x = mix_styles(x, a.style_probability)
    x = apply_to_some(x, a.stain_probability, lambda part: jitter_stain(part, a))
    x = apply_to_some(
        x, a.blur_probability, lambda part: blur(part, _uniform(len(part), 0.3, a.blur_sigma, part.device))
    )
    x = apply_to_some(x, a.coarse_probability, _coarsen)

    def noisy(part: torch.Tensor) -> torch.Tensor:
        return part + _uniform(len(part), 0, a.noise_sigma, part.device).view(-1, 1, 1, 1) * torch.randn_like(
            part
        )

    x = apply_to_some(x, a.noise_probability, noisy).clamp(0, 1)
    if not a.jpeg_probability:  # draws nothing, so that recipes from before JPEG end where they did
        return x
    return apply_to_some(x, a.jpeg_probability, lambda part: _compress(part, a.jpeg_quality))
