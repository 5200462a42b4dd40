"""Makes a bundle from a bundle: the same network, and everything else fitted and measured again.

`export` does the measuring. To adapt a bundle to a laboratory, see the core's `adapt`.
"""

import json
import tempfile
from dataclasses import replace
from hashlib import sha256
from pathlib import Path

from blood_lib.bundle import Bundle, check_out, load_bundle, open_folder
from blood_lib.files.errors import BloodError
from blood_lib.inference.network import Network
from blood_lib.study.cells import class_infos
from blood_lib.study.data.index import find_dataset
from blood_lib.study.data.split import load_split, save_split
from blood_lib.study.evaluate.labelled import find_labelled
from blood_lib.study.export.export import EARLIER, measure_and_save

__all__ = ["refit_bundle"]

_KEPT = ("model.onnx", "recipe.json", "training.csv")


def refit_bundle(bundle: Bundle, folder: Path, out: Path, *, external: Path | None = None) -> Bundle:
    """The bundle `out`: the network of `bundle`, and all else made anew on the dataset in `folder`.

    That is calibration, thresholds, map, the subtypes' head and the figures, as this version finds them;
    nothing is trained. external: as in `export_bundle`. Raises BloodError for a bundle that was not made by
    that, and for other images than it was made on: what the network has seen of them would be unknown.
    """
    _check_exported(bundle)
    check_out(out)
    if external is not None:
        find_labelled(external, class_infos())
    model = {name: bundle.read(name) for name in bundle.files if name in _KEPT or name.startswith(EARLIER)}
    with open_folder(out) as new, tempfile.TemporaryDirectory() as scratch:
        run = _restore_run(bundle, model, folder, Path(scratch))
        measure_and_save(new, Network.from_bundle(bundle), model, run, find_dataset(folder), external)
        _keep_detector(bundle, load_bundle(new)).save(new)
    return load_bundle(out)


def _keep_detector(bundle: Bundle, fitted: Bundle) -> Bundle:
    """`fitted` with the detector of `bundle`, where it has one."""
    if bundle.detector is None:
        return fitted
    names = [name for name in bundle.files if name.startswith("detector")]
    return fitted.change(
        files={name: bundle.read(name) for name in names},
        detector=bundle.detector,
        preprocessing=replace(fitted.preprocessing, window=bundle.preprocessing.window),
        card=fitted.card | {key: bundle.card[key] for key in ("detector",) if key in bundle.card},
    )


def _check_exported(bundle: Bundle) -> None:
    if "head.npz" in bundle.files:
        raise BloodError(f"{bundle.path} was adapted to a laboratory; name the bundle that it came from.")
    missing = [name for name in ("recipe.json", "training.csv") if name not in bundle.files]
    if missing or list(bundle.names) != [info.name for info in class_infos()]:
        raise BloodError(f"{bundle.path} was not made by blood train; name one that was.")


def _restore_run(bundle: Bundle, model: dict[str, bytes], folder: Path, run: Path) -> Path:
    """What `bundle` keeps of its training, as the folder of a run."""
    for name, content in model.items():
        file = run / {"training.csv": "log.csv"}.get(name, name)
        file.parent.mkdir(parents=True, exist_ok=True)
        file.write_bytes(content)
    told = {name: bundle.card[name] for name in ("hardware", "versions")}
    (run / "environment.json").write_text(json.dumps(told), encoding="utf-8")
    _restore_split(bundle, folder, run / "split.csv")
    return run


def _restore_split(bundle: Bundle, folder: Path, file: Path) -> None:
    """The split that the network was trained with, which may be from before near-duplicates were known."""
    for join in (True, False):
        save_split(load_split(folder, join=join), file)
        if sha256(file.read_bytes()).hexdigest() == bundle.card["dataset"]["split_sha256"]:
            return
    raise BloodError(f"{bundle.path} was made on other images than those in {folder}; give those.")
