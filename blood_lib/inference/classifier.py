"""Images become predictions: probabilities, deep features and class activation maps, by OpenVINO on the CPU.

Reading files is for `images`, the map for `atlas`, the network itself for `network`.
"""

from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image

from blood_lib.atlas import Atlas
from blood_lib.bundle import Bundle, BundleError, load_bundle
from blood_lib.files.errors import BloodError
from blood_lib.images import Rejection, Source, crop_and_resize, load_image
from blood_lib.inference.adapt import adapt_bundle, turn_views
from blood_lib.inference.calibration import softmax
from blood_lib.inference.decoding import Decoded, decode_ahead
from blood_lib.inference.head import Head
from blood_lib.inference.network import Network
from blood_lib.inference.results import Predictions, Result, explain
from blood_lib.inference.sources import Named, Sources, iter_sources

__all__ = ["Classifier"]

_MAX_VIEWS = 64  # that wait for the network at once when doubtful images are looked at again


class Classifier:
    """A bundle's network, ready to run; safe to share between threads.

    >>> from blood_lib import Classifier
    >>> classifier = Classifier.load()
    >>> [result.status for result in classifier.classify(classifier.bundle.examples[:2])]
    ['ok', 'ok']
    """

    def __init__(self, bundle: Bundle, *, network: Network | None = None) -> None:
        """network: the bundle's, where it has been compiled already."""
        self.bundle = bundle
        self.class_names = bundle.names
        self._network = network or Network.from_bundle(bundle)
        self.atlas = _load_atlas(bundle, self._network.n_features)
        self._subtypes = _load_subtypes(bundle, self._network.n_features)

    @classmethod
    def load(cls, path: Path | str | None = None) -> "Classifier":
        """From the bundle in the folder `path`, or the one that ships; raises BundleError."""
        return cls(load_bundle(path))

    def predict(self, images: Sequence[Source]) -> Predictions:
        """Classify images, all at once: each is anything that `load_image` takes.

        Raises BloodError for the first one that cannot be used.
        """
        images = _load_all(images)
        return self._predict([self._prepare(image) for image in images], images.__getitem__)

    def classify(self, files: Sources, *, batch_size: int = 64) -> Iterator[Result]:
        """Yield a Result for each file or image in its order, the rejected ones included.

        files: one or many paths (of images, folders or ZIP archives), contents of files, PIL images of any
        mode, NumPy arrays (H, W), (H, W, 3) or (H, W, 4), or (name, content) pairs, as `iter_files` gives
        them. Raises TypeError for anything else.

        Reads ahead: threads decode the next images while the network works. Holds a few batches at a time.
        """
        return self._classify(iter_sources(files), batch_size)

    def _classify(self, files: Iterable[Named], batch_size: int) -> Iterator[Result]:
        for batch in decode_ahead(files, self._decode, batch_size):
            yield from self._answer(batch)

    def _decode(self, content: Source | Rejection) -> np.ndarray | Rejection:
        image = content if isinstance(content, Rejection) else load_image(content)
        return image if isinstance(image, Rejection) else self._prepare(image)

    def _prepare(self, image: Image.Image, crop: float | None = None) -> np.ndarray:
        """(S, S, 3) uint8: what the network sees of an image, or of another `crop` of it."""
        how = self.bundle.preprocessing
        return np.asarray(crop_and_resize(image, image_size=how.image_size, crop=crop or how.crop))

    def predict_features(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
        """probs, ood_score and status of images whose features (N, D) are known, at once."""
        return self._judge(self._network.head(features), features)

    def adapt(
        self, images: Sequence[Source], labels: Sequence[str], *, date: str | None = None
    ) -> "Classifier":
        """A classifier for the laboratory of these images too, one label each; raises BloodError.

        It lives in memory and shares the network with this one, which stays as it is; `save` writes it.
        """
        return self.adapt_features(self.describe(images), labels, date=date)

    def describe(self, images: Sequence[Source]) -> np.ndarray:
        """Features (N, V, D) of every image and of its turned and mirrored views, for `adapt_features`."""
        loaded = _load_all(images)
        found = [self._network([self._prepare(view) for view in turn_views(image)])[1] for image in loaded]
        return np.stack(found) if found else np.empty((0, 1, self._network.n_features), np.float32)

    def adapt_features(
        self, features: np.ndarray, labels: Sequence[str], *, date: str | None = None
    ) -> "Classifier":
        """The same from features: (N, D) of predictions, or better (N, V, D) as `describe` gives them."""
        bundle, head = adapt_bundle(self.bundle, self.atlas, np.asarray(features, np.float32), labels, date)
        return Classifier(bundle, network=self._network.with_head(head))

    def reconsider(self, results: Sequence[Result]) -> list[Result]:
        """What this classifier says of files that another one with the same network has seen, at once.

        The new results have no cams: those take another look at the image.
        """
        if not results:
            return []
        features = np.stack([cast(np.ndarray, result.features) for result in results])
        probs, ood_score, status = self.predict_features(features)
        cams, subtypes = np.full(len(results), None), self._judge_subtypes(features)
        predictions = Predictions(probs, features, cams, ood_score, status, subtypes)
        return [self._to_result(result.name, predictions, i) for i, result in enumerate(results)]

    def save(self, folder: Path | str) -> Bundle:
        """Write the bundle, adapted or not, into `folder`, and load it from there."""
        return self.bundle.save(folder)

    def _predict(
        self, x: Sequence[np.ndarray], reopen: Callable[[int], Image.Image | Rejection]
    ) -> Predictions:
        """What is said of views x (N, S, S, 3); `reopen` gives the image that one of them is of."""
        logits, features, cams = self._network(x)
        if self.bundle.preprocessing.tta_crops:
            features = self._augment(logits, features, reopen)
            logits = self._network.head(features)
        probs, ood_score, status = self._judge(logits, features)
        return Predictions(probs, features, cams, ood_score, status, self._judge_subtypes(features))

    def _augment(
        self, logits: np.ndarray, features: np.ndarray, reopen: Callable[[int], Image.Image | Rejection]
    ) -> np.ndarray:
        """Test-time augmentation: features (N, D), the mean over all crops for each doubtful image.

        The mean of the logits follows, since the head is linear (multi-crop evaluation, Szegedy et al. 2015,
        arXiv:1409.4842, section 7). Unfamiliar images gain nothing from more crops.
        """
        how, features = self.bundle.preprocessing, features.copy()
        probs, _, status = self._judge(logits, features)
        familiar = np.array(status, object) != "unfamiliar"
        doubtful = np.flatnonzero(familiar & (probs.max(axis=1) < how.tta_below))
        at_once = max(1, _MAX_VIEWS // len(how.tta_crops))
        for start in range(0, len(doubtful), at_once):
            rows, views = [], []
            for i in doubtful[start : start + at_once]:
                image = reopen(i)
                if not isinstance(image, Rejection):  # as when memory has run out meanwhile
                    rows.append(i)
                    views += [self._prepare(image, crop) for crop in how.tta_crops]
            further = self._network(views)[1].reshape(len(rows), len(how.tta_crops), features.shape[1])
            features[rows] = np.concatenate([features[rows, None], further], axis=1).mean(axis=1)
        return features

    def _judge_subtypes(self, features: np.ndarray) -> np.ndarray | None:
        return None if self._subtypes is None else softmax(self._subtypes(features))

    def _judge(self, logits: np.ndarray, features: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
        """The calibrated probs (N, C), ood_score (N,) and status of N images."""
        probs = softmax(logits / self.bundle.temperature)
        ood_score = self.atlas.ood_score(features)
        limits = self.bundle.thresholds
        status = np.where(probs.max(axis=1) >= limits.confidence, "ok", "uncertain").astype(object)
        status[~(ood_score <= limits.ood_score)] = "unfamiliar"  # what is no number is never ok
        return probs, ood_score, status.tolist()

    def _answer(self, batch: Sequence[Decoded]) -> Iterator[Result]:
        read = [
            (content, x)
            for _, content, x in batch
            if not isinstance(content, Rejection) and not isinstance(x, Rejection)
        ]
        predictions = self._predict([x for _, x in read], lambda i: load_image(read[i][0]))
        rows = iter(range(len(predictions)))
        for name, _, x in batch:
            if isinstance(x, Rejection):
                yield Result(name, "rejected", x.reason)
            else:
                yield self._to_result(name, predictions, next(rows))

    def _to_result(self, name: str, predictions: Predictions, i: int) -> Result:
        probs, status = predictions.probs[i], predictions.status[i]
        best = int(probs.argmax())
        subtype, subtype_probs = self._name_subtype(predictions, i)
        return Result(
            name=name,
            status=status,
            reason=explain(status, float(probs[best]), self.bundle.thresholds.confidence),
            label=self.class_names[best],
            confidence=float(probs[best]),
            probs=probs,
            features=predictions.features[i],
            cams=predictions.cams[i],
            ood_score=float(predictions.ood_score[i]),
            subtype=subtype,
            subtype_probs=subtype_probs,
        )

    def _name_subtype(self, predictions: Predictions, i: int) -> tuple[str | None, np.ndarray | None]:
        if predictions.subtype_probs is None:
            return None, None
        probs = predictions.subtype_probs[i]
        return self.bundle.subtypes[int(probs.argmax())].name, probs


def _load_all(images: Sequence[Source]) -> list[Image.Image]:
    """RGB images; BloodError says which one cannot be used, and why."""
    if isinstance(images, str | bytes | Image.Image):
        raise BloodError("one image is not a list of images: put it into a list.")
    loaded = []
    for n, image in enumerate(map(load_image, images), 1):
        if isinstance(image, Rejection):
            raise BloodError(f"image {n} of {len(images)} cannot be used: {image.reason}")
        loaded.append(image)
    return loaded


def _load_atlas(bundle: Bundle, n_features: int) -> Atlas:
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


def _load_subtypes(bundle: Bundle, n_features: int) -> Head | None:
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
