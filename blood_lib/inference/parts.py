"""The parts of a bundle beside its network, each checked: they must belong to it, or one sentence says so."""

from blood_lib.atlas import Atlas
from blood_lib.bundle import Bundle, BundleError
from blood_lib.detection.detector import Detector
from blood_lib.detection.found import Kind
from blood_lib.inference.head import Head
from blood_lib.inference.network import check_content

__all__ = ["load_atlas", "load_detector", "load_subtypes"]


def load_atlas(bundle: Bundle, n_features: int) -> Atlas:
    """The bundle's reference cells; they must have been described by the bundle's own network."""
    content = bundle.read("atlas.npz")
    try:
        atlas = Atlas.from_bytes(content)
    except Exception:  # NumPy raises nearly anything
        raise BundleError(
            f"the bundle in {bundle.path} has no readable atlas: get the bundle again."
        ) from None
    if atlas.features.shape[1] != n_features or atlas.target.max() >= len(bundle.classes):
        raise BundleError(
            f"the atlas of the bundle in {bundle.path} belongs to another model: get the bundle again."
        )
    return atlas


def load_subtypes(bundle: Bundle, n_features: int) -> Head | None:
    """The second head, which tells subtypes; None where the bundle has none."""
    if not bundle.subtypes:
        return None
    content = bundle.read("subtypes.npz")
    try:
        head = Head.from_bytes(content)
    except Exception:  # NumPy raises nearly anything
        head = None
    if head is None or head.weight.shape != (len(bundle.subtypes), n_features):
        raise BundleError(
            f"the subtypes of the bundle in {bundle.path} cannot be told (subtypes.npz is damaged or belongs "
            "to another model): get the bundle again."
        )
    return head


def load_detector(bundle: Bundle) -> Detector | None:
    """The bundle's detector, ready to run; None where it has none. Raises BundleError."""
    info = bundle.detector
    if info is None:
        return None
    content = bundle.read("detector.onnx")
    kinds = [Kind(each.name, each.role, each.threshold) for each in info.classes]
    try:
        check_content(content)
        return Detector(content, kinds, diameter=info.diameter)
    except (RuntimeError, ValueError) as error:
        why = str(error).split("\n")[0].rstrip(".")
        raise BundleError(
            f"the detector of the bundle in {bundle.path} cannot be used ({why}): get the bundle again."
        ) from None
