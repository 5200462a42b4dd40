"""The detector's loss: focal loss of the heat maps, generalised overlap of the boxes."""

import torch

__all__ = ["compute_loss", "decode_boxes", "giou_loss", "heat_loss"]


def heat_loss(logits: torch.Tensor, heat: torch.Tensor, known: torch.Tensor) -> torch.Tensor:
    """The penalty-reduced focal loss per cell (eq. 1, arXiv:1904.07850), with alpha 2, beta 4.

    All (N, K, h, w); where `known` is 0 nothing counts.
    """
    probs = logits.sigmoid()
    is_middle = heat >= 1
    found = torch.nn.functional.logsigmoid(logits) * (1 - probs) ** 2
    absent = torch.nn.functional.logsigmoid(-logits) * probs**2 * (1 - heat) ** 4
    loss = torch.where(is_middle, found, absent) * known
    return -loss.sum() / is_middle.sum().clamp(min=1)


def decode_boxes(maps: torch.Tensor) -> torch.Tensor:
    """(N, 4 K, h, w) as the network gives them -> corners (N, K, 4, h, w) in strides."""
    n, channels, height, width = maps.shape
    maps = maps.view(n, channels // 4, 4, height, width)
    x = torch.arange(width, device=maps.device) + 0.5 + maps[:, :, 0]
    y = torch.arange(height, device=maps.device)[:, None] + 0.5 + maps[:, :, 1]
    half_width, half_height = maps[:, :, 2].clamp(max=6).exp() / 2, maps[:, :, 3].clamp(max=6).exp() / 2
    return torch.stack([x - half_width, y - half_height, x + half_width, y + half_height], 2)


def giou_loss(maps: torch.Tensor, boxes: torch.Tensor, heat: torch.Tensor) -> torch.Tensor:
    """1 - generalised intersection over union (Rezatofighi et al. 2019, arXiv:1902.09630) near the middles.

    maps: (N, 4 K, h, w) of the network; boxes: (N, K, 4, h, w) in strides; heat: (N, K, h, w), the weights.
    """
    weight = heat * (heat >= 0.5)
    found, true = decode_boxes(maps).unbind(2), boxes.unbind(2)
    shared = _area(
        *(torch.maximum(found[i], true[i]) for i in (0, 1)),
        *(torch.minimum(found[i], true[i]) for i in (2, 3)),
    )
    hull = _area(
        *(torch.minimum(found[i], true[i]) for i in (0, 1)),
        *(torch.maximum(found[i], true[i]) for i in (2, 3)),
    )
    union = _area(*found) + _area(*true) - shared
    giou = shared / union.clamp(min=1e-6) - (hull - union) / hull.clamp(min=1e-6)
    return ((1 - giou) * weight).sum() / weight.sum().clamp(min=1)


def _area(left: torch.Tensor, top: torch.Tensor, right: torch.Tensor, bottom: torch.Tensor) -> torch.Tensor:
    return (right - left).clamp(min=0) * (bottom - top).clamp(min=0)


def compute_loss(
    output: tuple[torch.Tensor, torch.Tensor],
    heat: torch.Tensor,
    known: torch.Tensor,
    boxes: torch.Tensor,
    *,
    box_weight: float,
    doubtful: torch.Tensor | None = None,
    doubt: float = 1.0,
) -> torch.Tensor:
    """Both losses of a batch. Where `doubtful` (N, K), heat above `doubt` beside boxes is unknown."""
    logits, maps = output
    if doubtful is not None:
        believed = (logits.detach().sigmoid() > doubt) & (heat < 0.05) & doubtful[:, :, None, None]
        known = known * ~believed
    return heat_loss(logits, heat, known) + box_weight * giou_loss(maps, boxes, heat)
