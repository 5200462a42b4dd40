"""The networks of recipes: a new one before its first step, that of a finished run, and that of a bundle.

`training` trains them. `architectures` says what is in them.
"""

from collections.abc import Sequence
from pathlib import Path

import torch

from blood_lib.bundle import Bundle, load_bundle
from blood_lib.files.errors import BloodError
from blood_lib.inference.head import Head
from blood_lib.study.cells import CELL_TYPES, SUBTYPES
from blood_lib.study.train.architectures import CellNetwork, build_network
from blood_lib.study.train.distillation import hash_teacher, is_bundle
from blood_lib.study.train.folding import fold_batch_norms, load_head, load_served_weights
from blood_lib.study.train.recipe import Recipe

__all__ = ["build_new_network", "load_bundle_network", "load_network", "load_start", "load_teachers"]


def build_new_network(recipe: Recipe, n_classes: int, weights: Path | None) -> CellNetwork:
    """The network before its first step."""
    if recipe.start:
        return load_start(recipe, weights)
    network = build_network(
        recipe.arch,
        n_classes,
        n_subtypes=_count_subtypes(recipe),
        initialisation=recipe.initialisation,
        weights=weights,
    )
    if recipe.norm_momentum:
        for module in network.modules():
            if isinstance(module, torch.nn.BatchNorm2d):
                module.momentum = recipe.norm_momentum
    return fold_batch_norms(network) if recipe.fold_batch_norms else network


def _count_subtypes(recipe: Recipe) -> int:
    return len(SUBTYPES) if recipe.subtype_weight else 0


def _build_empty(recipe: Recipe) -> CellNetwork:
    """A network of this recipe for weights to be put into."""
    network = build_network(
        recipe.arch, len(CELL_TYPES), n_subtypes=_count_subtypes(recipe), initialisation="random"
    )
    return fold_batch_norms(network) if recipe.fold_batch_norms else network


def load_start(recipe: Recipe, folder: Path | None) -> CellNetwork:
    """The network of the bundle in `folder`, which `recipe` trains further."""
    bundle = load_bundle(folder)
    if bundle.sha256 != recipe.start:
        raise BloodError(f"{bundle.path} is not the bundle that the recipe starts from; give that one.")
    network = load_served_weights(_build_empty(recipe), bundle.read("model.onnx"))
    if network.subtypes is not None and _tells_subtypes(bundle):
        network.subtypes = _load_subtypes(bundle)
    return network


def _tells_subtypes(bundle: Bundle) -> bool:
    return tuple(info.name for info in bundle.subtypes) == SUBTYPES


def _load_subtypes(bundle: Bundle) -> torch.nn.Linear:
    return load_head(Head.from_bytes(bundle.read("subtypes.npz")))


def load_network(run: Path, *, file: str = "model.pt") -> tuple[CellNetwork, Recipe]:
    """The trained network of a finished run, in evaluation mode, and its recipe.

    file: "trained.pt" for the weights before they were mixed with those of the start.
    """
    try:
        recipe = Recipe.from_json((run / "recipe.json").read_text(encoding="utf-8"))
        state = torch.load(run / file, map_location="cpu", weights_only=True)
    except FileNotFoundError as error:
        raise BloodError(
            f"{run} holds no finished run ({Path(error.filename).name} is missing); "
            "finish it with blood train."
        ) from None
    network = _build_empty(recipe)
    network.load_state_dict(state)
    return network.eval(), recipe


def load_bundle_network(folder: Path | None) -> tuple[CellNetwork, Recipe]:
    """The network that the bundle in `folder` serves (None: the one that ships), in evaluation mode, and its
    recipe.

    What is served has its normalisation folded, whatever the recipe says, and its subtypes told by a head of
    their own; so this network has neither. A head that was fitted later, by `blood adapt`, is not put in.
    """
    bundle = load_bundle(folder)
    if "recipe.json" not in bundle.files:
        raise BloodError(f"{bundle.path} does not say how its network was made; give one with a recipe.json.")
    recipe = Recipe.from_json(bundle.read("recipe.json").decode())
    served = Recipe(**vars(recipe) | {"fold_batch_norms": True, "subtype_weight": 0.0})
    return load_served_weights(_build_empty(served), bundle.read("model.onnx")).eval(), recipe


def load_teachers(recipe: Recipe, folders: Sequence[Path]) -> list[tuple[CellNetwork, int]]:
    """The networks that `recipe` learns from, each with its image size."""
    if tuple(hash_teacher(folder) for folder in folders) != recipe.teachers:
        raise BloodError(
            "These are not the teachers that the recipe learns from, in their order; give those."
        )
    loaded = [_load_teacher(folder) if is_bundle(folder) else load_network(folder) for folder in folders]
    for folder, (network, _) in zip(folders, loaded, strict=True):
        if recipe.subtype_weight and network.subtypes is None:
            raise BloodError(f"{folder} holds a network that tells no subtypes; name another --teacher.")
    return [(network, taught.image_size) for network, taught in loaded]


def _load_teacher(folder: Path) -> tuple[CellNetwork, Recipe]:
    """The network of the bundle in `folder` with all that it tells, and its recipe."""
    network, recipe = load_bundle_network(folder)
    bundle = load_bundle(folder)
    if "head.npz" in bundle.files:
        raise BloodError(
            f"{folder} was adapted to a laboratory; name the bundle that it came from as --teacher."
        )
    if _tells_subtypes(bundle):
        network.subtypes = _load_subtypes(bundle)
    return network, recipe
