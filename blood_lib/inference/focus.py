"""How sharp a cell is in its view; what is out of focus loses the detail that tells cells apart."""

import numpy as np

__all__ = ["measure_focus"]

_MIDDLE = 0.25  # of the view is left out on each side: the cell counts, not what lies about it
_FAINT = 0.02  # optical density added to the contrast: what shows nothing is not sharp


def measure_focus(view: np.ndarray) -> float:
    """The share of a view's contrast in its finest detail, for (S, S, 3) uint8; about 0.02 to 0.4.

    Of the green channel's optical density in the middle: the standard deviation of what a mean of three by
    three pixels takes away, over that of all (a high-pass focus measure, as in Pertuz et al. 2013).
    """
    side = view.shape[0]
    edge = round(_MIDDLE * side)
    green = view[edge - 1 : side - edge + 1, edge - 1 : side - edge + 1, 1]
    density = -np.log(np.maximum(green, 4).astype(np.float32) / 255)
    rows = density[:-2] + density[1:-1] + density[2:]
    smooth = (rows[:, :-2] + rows[:, 1:-1] + rows[:, 2:]) / 9
    middle = density[1:-1, 1:-1]
    return float((middle - smooth).std() / (middle.std() + _FAINT))
