"""Label names that people meant to be one: the same but for white space, case or the way Unicode writes a character."""

import unicodedata
from collections import Counter, defaultdict
from collections.abc import Iterable, Mapping


def tidy_label(label: str) -> str:
    """Return the label without invisible characters and with single spaces, composed (NFC); its case stays."""
    visible = "".join(character for character in label if unicodedata.category(character) != "Cf")
    return " ".join(unicodedata.normalize("NFC", visible).split())


def label_key(label: str) -> str:
    """Return what twins share: compatibility forms unified (NFKC), case folded."""
    return unicodedata.normalize("NFKC", unicodedata.normalize("NFKC", tidy_label(label)).casefold())


def spellings(labels: Iterable[str]) -> dict[str, Counter[str]]:
    """Return key -> how often each spelling of it occurs, as written."""
    found: dict[str, Counter[str]] = defaultdict(Counter)
    for label in labels:
        if key := label_key(label):
            found[key][label] += 1
    return dict(found)


def canonical_names(found: Mapping[str, Counter[str]]) -> dict[str, str]:
    """Return each spelling -> the name all its twins get: the commonest tidied one, of equals the first by code point."""
    names: dict[str, str] = {}
    for spelled in found.values():
        tidied: Counter[str] = Counter()
        for label, n in spelled.items():
            tidied[tidy_label(label)] += n
        best = min(tidied, key=lambda name: (-tidied[name], name))
        names.update(dict.fromkeys(spelled, best))
    return names
