"""The starter model's data and fit, shared by the script that ships it and the one that reports on it."""

import json
import random
import re
import time
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from smarttriage.adapters.articles import read_articles
from smarttriage.adapters.classifiers.classifier import SklearnClassifier
from smarttriage.adapters.classifiers.evidence import EvidenceCues
from smarttriage.adapters.vector_cache import FileVectorCache
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.classifiers import sklearn_trainer
from smarttriage.bootstrap.resources import lexicon
from smarttriage.config import EncoderSize, Settings
from smarttriage.domain.text import model_text
from smarttriage.ports import Vectors
from smarttriage.services.training import Training, TrainingRows, embed, train

ROOT = Path(__file__).resolve().parent.parent
CACHE = ROOT / ".cache" / "vectors"
Incident = Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Examples:
    """Training rows: incidents, then their toned copies and pieces of articles, and the record that each row comes from."""

    incidents: Sequence[Incident]
    articles: Sequence[Incident]
    texts: Sequence[str]
    sources: Sequence[int]

    @property
    def n_originals(self) -> int:
        """How many rows were written by people."""
        return len(self.incidents)

    def rows(self, targets: Sequence[str], groups: Sequence[str]) -> TrainingRows:
        """Return the rows to train on; `groups` has one name per incident. An article is labelled with its category only."""
        records, names = [*self.incidents, *self.articles], [*groups, *(article["id"] for article in self.articles)]
        labels = {target: [records[source].get(target) for source in self.sources] for target in targets}
        return TrainingRows(self.texts, labels, [names[source] for source in self.sources], 0)


def recipe() -> dict[str, Any]:
    """Return the parsed recipe, its version for the encoder that is configured (SMARTTRIAGE_ENCODER)."""
    plan = tomllib.loads((ROOT / "training/recipes/starter.toml").read_text("utf-8"))
    return {**plan, "version": plan["version"] + suffix()}


def suffix() -> str:
    """Return what tells the starter of another encoder than the default one, for names of files."""
    return "" if (size := Settings().encoder) is EncoderSize.QUALITY else f"-{size}"


def read_incidents(path: Path) -> list[Incident]:
    """Return the labelled incidents of a JSONL file."""
    return [json.loads(line) for line in path.read_text("utf-8").splitlines() if line.strip()]


def text_of(incident: Incident) -> str:
    """Return the model text."""
    return model_text(incident["title"].strip(), incident["description"].strip())


def examples(incidents: Sequence[Incident], plan: Mapping[str, Any], *, seed: int) -> Examples:
    """Return the incidents and their copies with a tone that leans against the label."""
    rng = random.Random(seed)
    texts, sources = [text_of(incident) for incident in incidents], list(range(len(incidents)))
    for place, incident in enumerate(incidents):
        if rng.random() < plan["share"]:
            texts.append(_toned(texts[place], rng, plan, loud=rng.random() < plan["loud"][incident["urgency"]]))
            sources.append(place)
    articles = [row.values for row in read_articles(ROOT / "kb/articles")]
    for place, article in enumerate(articles, start=len(incidents)):
        pieces = article_texts(article)
        texts += pieces
        sources += [place] * len(pieces)
    return Examples(incidents, articles, texts, sources)


def article_texts(article: Incident) -> list[str]:
    """Return what an article says in users' words: its title, each symptom, its keywords, title and symptoms together."""
    section = re.search(r"^## Symptoms\n(.*?)(?=^## |\Z)", article["body"], re.MULTILINE | re.DOTALL)
    symptoms = section[1].strip() if section else ""
    bullets = re.findall(r"^- (.*)$", symptoms, re.MULTILINE)
    return [article["title"], *bullets, " ".join(map(str, article["keywords"])), model_text(article["title"], symptoms)]


def _toned(text: str, rng: random.Random, plan: Mapping[str, Any], *, loud: bool) -> str:
    phrase = rng.choice(plan["loud_phrases"] if loud else plan["calm_phrases"])
    toned = f"{phrase} {text}" if rng.random() < 0.5 else f"{text}\n{phrase}"
    return toned.upper() if loud and rng.random() < 0.3 else toned


def fit(data: TrainingRows, plan: Mapping[str, Any]) -> Training[SklearnClassifier]:
    """Return the classifier that the recipe makes of the rows, with evidence cues beside the words and the embedding."""
    encoder = parts.encoder(n_threads=2)
    promise = {name: plan[name] for name in ("target_precision", "confidence", "together")}
    trainer = sklearn_trainer(encoder.encoder_id, data.labels, extra=EvidenceCues(lexicon()), **promise)
    return train(
        data,
        encoder=encoder,
        trainer=trainer,
        seed=plan["seed"],
        timer=time.perf_counter,
        cache=FileVectorCache(CACHE),
    )


def vectors_of(texts: Sequence[str]) -> Vectors:
    """Return the vectors of the texts."""
    return embed(texts, encoder=parts.encoder(n_threads=2), cache=FileVectorCache(CACHE))


def own_groups(incidents: Sequence[Incident]) -> list[str]:
    """Return a group for each incident: itself, so that only its own copies stay with it."""
    return [incident["id"] for incident in incidents]


def writers(incidents: Sequence[Incident], path: Path) -> list[str]:
    """Return the writer of each incident."""
    owner = {f"INC{number:05d}": name for name, numbers in json.loads(path.read_text("utf-8")).items() for number in numbers}
    return [owner.get(incident["id"], "unknown") for incident in incidents]
