"""Images become predictions: probabilities, deep features and class activation maps, by OpenVINO on the CPU.

Reading files is for `images`, the map for `atlas`, the network itself for `network`.
"""

import threading
from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import cast

import numpy as np
from PIL import Image

from blood_lib.bundle import Bundle, load_bundle
from blood_lib.detection.detector import Detector
from blood_lib.files.errors import BloodError
from blood_lib.files.reasons import ANSWERED, Reason
from blood_lib.images import Rejection, Source, load_image
from blood_lib.inference.adapt import adapt_bundle, turn_views
from blood_lib.inference.calibration import softmax
from blood_lib.inference.fields import FIELDS, FieldReader, check_kind, cut_cell
from blood_lib.inference.focus import measure_focus
from blood_lib.inference.network import Network
from blood_lib.inference.parts import load_atlas, load_detector, load_subtypes
from blood_lib.inference.results import Box, FieldReading, Predictions, Result, explain, find_fault
from blood_lib.inference.sources import Sources, iter_sources
from blood_lib.inference.views import Shown, ViewMaker, prepare

__all__ = ["Classifier"]

_ENOUGH_CELLS = 8  # of an upload, before it is judged as a whole
_MAX_VIEWS = 64  # that wait for the network at once when doubtful images are looked at again


class Classifier:
    """A bundle's network, ready to run; safe to share between threads.

    >>> from blood_lib import Classifier
    >>> classifier = Classifier.load()
    >>> [result.status for result in classifier.classify(classifier.bundle.examples[:2])]
    ['ok', 'ok']

    A photograph of a whole field gives a result for each cell in it:

    >>> field = classifier.bundle.examples[1]  # drawn as well, and small
    >>> [(cell.cell, cell.status) for cell in classifier.classify(field, kind="fields")]
    [(1, 'ok')]
    """

    def __init__(
        self, bundle: Bundle, *, network: Network | None = None, detector: Detector | None = None
    ) -> None:
        """network, detector: the bundle's, where they have been compiled already."""
        self.bundle = bundle
        self.class_names = bundle.names
        self._network = network or Network.from_bundle(bundle)
        self.atlas = load_atlas(bundle, self._network.n_features)
        self._subtypes = load_subtypes(bundle, self._network.n_features)
        self._detector = detector
        self._loading = threading.Lock()

    @classmethod
    def load(cls, path: Path | str | None = None) -> "Classifier":
        """From the bundle in the folder `path`, or the one that ships; raises BundleError."""
        return cls(load_bundle(path))

    def predict(self, images: Sequence[Source]) -> Predictions:
        """Classify images, all at once: each is anything that `load_image` takes.

        Raises BloodError for the first one that cannot be used.
        """
        images = _load_all(images)
        views = [self._prepare(image) for image in images]
        predictions = self._predict(views, images.__getitem__)
        for i, (image, view) in enumerate(zip(images, views, strict=True)):
            limits, focus = self.bundle.thresholds, measure_focus(view)
            if predictions.status[i] == "ok" and find_fault(limits, focus=focus, side=min(image.size)):
                predictions.status[i] = "uncertain"
        return predictions

    def classify(
        self,
        files: Sources,
        *,
        batch_size: int = 64,
        kind: str | None = None,
        pixel_size: float | None = None,
    ) -> Iterator[Result]:
        """Yield a Result for each cell in its order; a file without one gives a rejected Result.

        files: one or many paths (of images, folders or ZIP archives), contents of files, PIL images of any
        mode, NumPy arrays (H, W), (H, W, 3) or (H, W, 4), or (name, content) pairs, as `iter_files` gives
        them. Raises TypeError for anything else.

        kind: "cells" where every image is a picture of one cell, "fields" where each is a whole field; by
        default each is looked at, where the bundle has a detector. pixel_size: in micrometres, where it is
        known. Raises BloodError for others.

        Reads ahead: threads decode the next images while the network works. Holds a few batches at a time.
        """
        maker = ViewMaker(self.bundle.preprocessing, self._make_reader(kind, pixel_size))
        return self._classify(maker.iter_views(iter_sources(files), batch_size))

    def _make_reader(self, kind: str | None, pixel_size: float | None) -> FieldReader | None:
        check_kind(kind, pixel_size)
        detector = self._load_detector()
        window = self.bundle.preprocessing.window
        if detector is None or window is None:
            if kind == FIELDS:
                raise BloodError("this bundle finds no cells in whole fields: give crops of single cells.")
            return None
        return FieldReader(detector, window, kind=kind, pixel_size=pixel_size)

    def _load_detector(self) -> Detector | None:
        """When the first image asks for it: many a classifier never does."""
        with self._loading:
            if self._detector is None:
                self._detector = load_detector(self.bundle)
            return self._detector

    def _classify(self, batches: Iterator[list[Shown | Result]]) -> Iterator[Result]:
        n_cells = n_strange = 0
        for batch in batches:
            results = list(self._answer(batch))
            n_cells += sum(result.status in ANSWERED for result in results)
            n_strange += sum(result.status == "unfamiliar" for result in results)
            is_strange = n_cells >= _ENOUGH_CELLS and n_strange > n_cells / 2
            yield from map(self._doubt, results) if is_strange else results

    def _doubt(self, result: Result) -> Result:
        """Of an upload from a laboratory that the bundle does not know: ok needs a scale."""
        has_scale = result.field is not None or result.diameter_um is not None
        if result.status != "ok" or has_scale or self.bundle.preprocessing.window is None:
            return result
        return replace(result, status="uncertain", reason=Reason("strange_upload"))

    def read_field(
        self, name: str, source: Source, *, pixel_size: float | None = None, kind: str = FIELDS
    ) -> FieldReading:
        """What is found in one whole field; raises BloodError where it cannot be used."""
        (image,) = _load_all([source])
        reader = self._make_reader(kind, pixel_size)
        if reader is None:
            raise BloodError("this bundle finds no cells in whole fields: give crops of single cells.")
        look = reader.look(image)
        reader.add(look)
        return reader.settle(name, look, image)

    def classify_boxes(
        self, source: Source, boxes: Sequence[Box], field: FieldReading, *, first: int = 1
    ) -> list[Result]:
        """A Result for each box (x, y, width, height) that a person drew in `field`, numbered from `first`.

        Raises BloodError where the image cannot be used.
        """
        (image,) = _load_all([source])
        how = self.bundle.preprocessing
        maker, shown = ViewMaker(how, None), []
        for cell, (x, y, width, height) in enumerate(boxes, first):
            box = np.array([x, y, x + width, y + height], np.float32)
            picture = cut_cell(image, box, field.scale, cast(float, how.window))
            shown.append(maker.show_cell(field.name, picture, field, cell))
        return list(self._answer(shown))

    def predict_features(self, features: np.ndarray) -> tuple[np.ndarray, np.ndarray, list[str]]:
        """probs, ood_score and status of images whose features (N, D) are known, at once."""
        return self._judge(self._network.head(features), features)

    def _prepare(self, image: Image.Image, crop: float | None = None) -> np.ndarray:
        return prepare(image, self.bundle.preprocessing, crop=crop)

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
        return Classifier(bundle, network=self._network.with_head(head), detector=self._detector)

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
        return [self._to_result(result, predictions, i) for i, result in enumerate(results)]

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

    def _answer(self, batch: Sequence[Shown | Result]) -> Iterator[Result]:
        shown = [one for one in batch if isinstance(one, Shown)]
        predictions = self._predict([one.view for one in shown], lambda i: shown[i].reopen())
        rows = iter(range(len(shown)))
        for one in batch:
            yield one if isinstance(one, Result) else self._to_result(one, predictions, next(rows))

    def _to_result(self, about: Shown | Result, predictions: Predictions, i: int) -> Result:
        """The answer of row i about the same cell."""
        probs, status = predictions.probs[i], predictions.status[i]
        best = int(probs.argmax())
        subtype, subtype_probs = self._name_subtype(predictions, i)
        reason = explain(status, float(probs[best]), self.bundle.thresholds.confidence)
        scale = None if about.field is None else about.field.scale
        focus = about.focus
        fault = find_fault(self.bundle.thresholds, focus=focus, side=about.side, scale=scale)
        if status == "ok" and fault is not None:
            status, reason = "uncertain", fault
        return Result(
            name=about.name,
            status=status,
            reason=reason,
            label=self.class_names[best],
            confidence=float(probs[best]),
            probs=probs,
            features=predictions.features[i],
            cams=predictions.cams[i],
            ood_score=float(predictions.ood_score[i]),
            subtype=subtype,
            subtype_probs=subtype_probs,
            cell=about.cell,
            box=about.box,
            window=about.window,
            diameter_um=about.diameter_um,
            field=about.field,
            focus=focus,
            side=about.side,
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
