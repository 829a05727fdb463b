"""Zero-shot: the label whose description is nearest to the text. A reference, and a start where nothing is labelled yet."""

import json
from collections.abc import Mapping, Sequence

import numpy as np
from safetensors import SafetensorError
from safetensors.numpy import load as load_arrays
from safetensors.numpy import save as save_arrays

from smarttriage.adapters.classifiers.heads import softmax
from smarttriage.domain.contract import NEVER
from smarttriage.domain.errors import BundleError, InvalidInput, NotFound
from smarttriage.ports import Encoder, Probabilities, TargetCard, TextSpan, Vectors

# The cosine was divided by this in the encoder's own training (all-MiniLM-L6-v2: "scale = 20").
TEMPERATURE = 0.05
MODEL = "centroid.json"
ARRAYS = "centroids.safetensors"


class CentroidClassifier:
    """Softmax over the cosines between a text's vector and the labels' description vectors, divided by the temperature."""

    format = "centroid"

    def __init__(
        self, *, centroids: Mapping[str, Mapping[str, Vectors]], encoder_id: str, temperature: float, version: str = "unsaved"
    ) -> None:
        self._centroids = {target: np.stack(list(labels.values())) for target, labels in centroids.items()}
        self._encoder_id = encoder_id
        self._temperature = temperature
        self._version = version
        self._cards = {
            # Nothing was measured, so no label may be filled in without a person.
            target: TargetCard(name=target, labels=tuple(labels), thresholds=dict.fromkeys(labels, NEVER), target_precision=1.0)
            for target, labels in centroids.items()
        }

    @classmethod
    def from_descriptions(
        cls, descriptions: Mapping[str, Mapping[str, str]], *, encoder: Encoder, temperature: float = TEMPERATURE
    ) -> "CentroidClassifier":
        """Return the classifier of target -> label -> description.

        Raises:
            InvalidInput: A target has fewer than two labels, or the temperature is not above 0.
        """
        if temperature <= 0:
            raise InvalidInput(f"temperature is {temperature}; it must be above 0.", field="temperature")
        centroids = {}
        for target, labels in descriptions.items():
            if len(labels) < 2:
                raise InvalidInput(f"Target {target!r} has {len(labels)} described labels; two are needed.", field=target)
            centroids[target] = dict(zip(labels, encoder.encode(list(labels.values())), strict=True))
        return cls(centroids=centroids, encoder_id=encoder.encoder_id, temperature=temperature)

    @classmethod
    def from_files(cls, files: Mapping[str, bytes], *, version: str) -> "CentroidClassifier":
        """Return the classifier that `to_files` wrote. Raises BundleError if the files do not make one."""
        try:
            content, arrays = json.loads(files[MODEL]), load_arrays(files[ARRAYS])
            centroids = {
                target: dict(zip(labels, arrays[f"target{place}"], strict=True))
                for place, (target, labels) in enumerate(content["targets"].items())
            }
            temperature, encoder_id = float(content["temperature"]), str(content["encoder_id"])
        except (KeyError, ValueError, TypeError, AttributeError, SafetensorError) as error:
            raise BundleError(f"{MODEL} and {ARRAYS} do not make a classifier ({error!r}); restore the bundle.") from error
        return cls(centroids=centroids, encoder_id=encoder_id, temperature=temperature, version=version)

    def to_files(self) -> dict[str, bytes]:
        """Return the files of a bundle, name -> content."""
        targets = {target: list(card.labels) for target, card in self._cards.items()}
        content = {"encoder_id": self._encoder_id, "temperature": self._temperature, "targets": targets}
        arrays = {f"target{place}": self._centroids[target] for place, target in enumerate(targets)}
        return {MODEL: json.dumps(content).encode(), ARRAYS: save_arrays(arrays)}

    @property
    def version(self) -> str:
        """Bundle version; "unsaved" until loaded from one."""
        return self._version

    @property
    def encoder_id(self) -> str:
        """The encoder of the descriptions."""
        return self._encoder_id

    @property
    def cards(self) -> Mapping[str, TargetCard]:
        """Target name -> its labels; every threshold is above 1."""
        return self._cards

    def predict_proba(self, texts: Sequence[str], vectors: Vectors) -> Mapping[str, Probabilities]:
        """Return target -> (n, n_labels) probabilities."""
        found = {}
        for target, centroids in self._centroids.items():
            if vectors.shape != (len(texts), centroids.shape[1]):
                message = f"vectors have shape {vectors.shape}; {len(texts)} texts need {(len(texts), centroids.shape[1])}."
                raise InvalidInput(message, field="vectors")
            rows = [centroids.astype(np.float64) @ vector / self._temperature for vector in vectors]
            found[target] = softmax(np.array(rows).reshape(len(texts), len(centroids)))
        return found

    def explain(self, text: str, target: str, label: str, n: int = 5) -> Sequence[TextSpan]:
        """Return no span: a cosine of whole texts has no place in the text."""
        if target not in self._cards or label not in self._cards[target].labels:
            raise NotFound(f"The model has no label {label!r} of target {target!r}; it knows the targets {sorted(self._cards)}.")
        return ()
