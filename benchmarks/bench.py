"""Measures what should be fast beside its alternative, in turns, in the same run; prints medians and spread.

The alternative network is in `torch_network.py`. Both networks must give 99 of 100 images the same class; how
fast is fast enough is left to the reader.
"""

import argparse
import copy
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import torch

from benchmarks.tools.torch_network import TorchNetwork, classify, prepare
from blood_lib.bundle import Bundle, load_bundle
from blood_lib.images import crop_and_resize, load_image
from blood_lib.inference import Classifier, count_cores
from blood_lib.inference.network import Network
from blood_lib.study.evaluate.costs import time_in_turns
from blood_lib.study.painter import draw_cells
from blood_lib.study.train.depthwise import replace_depthwise

__all__ = ["main"]

N_UPLOAD = 22  # cells of the upload that is placed on the map
N_REFIT = 1000  # reference cells of a refit
N_FILES = 1000  # files for the command line
TRAINING = (32, 3, 128, 128)  # a batch of the study


def main(argv: Sequence[str] | None = None) -> None:
    """Run every comparison and print a line for each."""
    args = _parse(argv)
    bundle = load_bundle(args.bundle)
    with tempfile.TemporaryDirectory() as folder:
        files = _gather_files(args.images, Path(folder), args.files)
        print(_describe(bundle, args.images, len(files)), flush=True)
        contents = [path.read_bytes() for path in files[: args.batch]]
        _compare_networks(bundle, contents, args.repeats)
        _compare_classifiers(bundle, contents, args.repeats)
        _compare_maps(bundle, contents, args.repeats)
        _compare_commands(bundle, Path(folder), len(files), min(3, args.repeats))
    _compare_training(args.repeats)


def _parse(argv: Sequence[str] | None) -> argparse.Namespace:
    beside = Path(__file__).parents[2] / "shared" / "data" / "PBC_dataset_normal_DIB"
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--bundle", type=Path, help="default: the shipped one")
    parser.add_argument("--images", type=Path, default=beside if beside.is_dir() else None, help="JPEG files")
    parser.add_argument("--repeats", type=int, default=5, help="of each measurement")
    parser.add_argument("--files", type=int, default=N_FILES, help="for the command line")
    parser.add_argument("--batch", type=int, default=256, help="images for the classifiers")
    return parser.parse_args(argv)


def _gather_files(images: Path | None, folder: Path, n: int) -> list[Path]:
    """n links to real images drawn at random, or n drawn cells, in `folder`."""
    if images is None:
        drawn = [image for _, image in draw_cells(per_type=4)]
        for i in range(n):
            drawn[i % len(drawn)].save(folder / f"{i:05d}.jpg", quality=92)
    else:
        found = sorted(path for path in images.rglob("*.jpg") if not path.name.startswith("."))
        for path in np.random.default_rng(0).permutation(np.array(found, dtype=object))[:n]:
            (folder / f"{path.parent.name}_{path.name}").symlink_to(path.resolve())
    return sorted(folder.iterdir())


def _describe(bundle: Bundle, images: Path | None, n: int) -> str:
    model = next(
        (
            line.split(": ")[1]
            for line in _read("/proc/cpuinfo").splitlines()
            if line.startswith("model name")
        ),
        platform.processor(),
    )
    kind = "drawn cells" if images is None else "real images"
    return (
        f"{model}, {count_cores()} cores, torch {torch.__version__} with {torch.get_num_threads()} threads\n"
        f"{bundle.card.get('architecture', 'network')} at {bundle.preprocessing.image_size} px, {n} {kind}\n"
        "median (lowest to highest) of the repeats; both sides take turns\n"
    )


def _read(path: str) -> str:
    return Path(path).read_text() if Path(path).exists() else ""


def _agree(ours: Sequence, theirs: Sequence) -> float:
    """The share of rows, of (N, C) scores, that name the same class; AssertionError below 99 %."""
    share = float(np.mean(np.argmax(np.asarray(ours), 1) == np.argmax(np.asarray(theirs), 1)))
    assert share >= 0.99, f"only {share:.1%} get the same class from both sides"
    return share


def _say(title: str, names: tuple[str, str], times: np.ndarray, per: int = 1, unit: str = "s") -> None:
    factor = 1000 if unit.startswith("ms") else 1
    lines = [f"{title}"]
    for name, seconds in zip(names, times, strict=True):
        low, middle, high = (f(seconds) * factor / per for f in (min, statistics.median, max))
        lines.append(f"  {name:<46} {middle:9.2f} {unit} ({low:.2f} to {high:.2f}), n = {len(seconds)}")
    ratios = [theirs / ours for ours, theirs in zip(*times, strict=True)]
    middle = statistics.median(times[1]) / statistics.median(times[0])
    lines.append(f"  {middle:.1f} times as fast ({min(ratios):.1f} to {max(ratios):.1f} in single rounds)\n")
    print("\n".join(lines), flush=True)


def _compare_networks(bundle: Bundle, contents: list[bytes], repeats: int) -> None:
    images = [load_image(content) for content in contents]
    how = bundle.preprocessing
    ours, theirs, x = Network.from_bundle(bundle), TorchNetwork(bundle), prepare(images, bundle)
    pixels = [np.asarray(crop_and_resize(i, image_size=how.image_size, crop=how.crop)) for i in images]
    with torch.inference_mode():
        in_batches = lambda: torch.cat([theirs(part) for part in x.split(64)])  # noqa: E731
        agree = _agree(ours(pixels)[0], in_batches())
        times = time_in_turns([lambda: ours(pixels), in_batches], n_rounds=repeats)
    _say(
        f"Network alone, {len(pixels)} images ({agree:.1%} get the same class)",
        ("blood_lib.inference.network.Network (OpenVINO)", "the same graph in eager float32 torch"),
        times,
        per=len(pixels),
        unit="ms an image",
    )


def _compare_classifiers(bundle: Bundle, contents: list[bytes], repeats: int) -> None:
    classifier, network = Classifier(bundle), TorchNetwork(bundle)
    files = [(str(i), content) for i, content in enumerate(contents)]
    ours = lambda: [result.probs for result in classifier.classify(files, kind="cells")]  # noqa: E731
    theirs = lambda: classify(network, bundle, contents)  # noqa: E731
    agree = _agree(ours(), theirs())
    _say(
        f"End to end, {len(files)} JPEG files in memory ({agree:.1%} get the same class)",
        (
            "Classifier.classify (maps and OOD scores as well)",
            "decode, prepare, eager float32 torch, softmax",
        ),
        time_in_turns([ours, theirs], n_rounds=repeats),
        per=len(files),
        unit="ms an image",
    )


def _compare_maps(bundle: Bundle, contents: list[bytes], repeats: int) -> None:
    from sklearn.manifold import TSNE

    classifier = Classifier(bundle)
    atlas = classifier.atlas
    new = classifier.predict([load_image(content) for content in contents[:N_UPLOAD]]).features
    rows = np.random.default_rng(0).permutation(len(atlas))[:N_REFIT]
    everything = np.concatenate([atlas.features[rows], new])
    started = time.perf_counter()
    atlas.transform(new)
    first = time.perf_counter() - started
    refit = lambda: TSNE(random_state=0).fit_transform(everything)  # noqa: E731
    _say(
        f"{len(new)} cells on the map (the first time, with its table: {first * 1000:.0f} ms)",
        ("Atlas.place", f"scikit-learn t-SNE of {len(rows)} reference cells with them"),
        time_in_turns([lambda: atlas.transform(new), refit], n_rounds=repeats),
        unit="ms",
    )


def _compare_commands(bundle: Bundle, folder: Path, n: int, repeats: int) -> None:
    ours = [sys.executable, "-m", "blood_lib", "classify", folder, "--bundle", bundle.path]
    theirs = [sys.executable, "-m", "benchmarks.tools.torch_network", bundle.path, folder]
    run = lambda command: subprocess.run(command, check=True, stdout=subprocess.DEVNULL)  # noqa: E731
    _say(
        f"{n} files from the command line, process start included",
        ("blood classify", "a script in eager float32 torch"),
        time_in_turns([lambda: run(ours), lambda: run(theirs)], n_rounds=repeats),
    )


def _compare_training(repeats: int) -> None:
    from efficientnet_lite_pytorch import EfficientNet

    plain = EfficientNet.from_name("efficientnet-lite0").train().to(memory_format=torch.channels_last)
    ours = replace_depthwise(copy.deepcopy(plain))
    x = torch.randn(TRAINING).contiguous(memory_format=torch.channels_last)
    _say(
        f"One training step, EfficientNet-Lite0 in bfloat16, {TRAINING[0]} images of {TRAINING[2]} px",
        ("with replace_depthwise", "its own depthwise convolutions"),
        time_in_turns([lambda: _train_step(ours, x), lambda: _train_step(plain, x)], n_rounds=repeats),
        unit="ms",
    )


def _train_step(network: torch.nn.Module, x: torch.Tensor) -> None:
    """Forward and backward; the weights stay as they are."""
    network.zero_grad()
    with torch.autocast("cpu", torch.bfloat16):
        loss = network(x).square().mean()
    loss.backward()


if __name__ == "__main__":
    main()
