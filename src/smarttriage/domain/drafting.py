"""An article out of what incidents said: their own sentences, each with all who said it, in the order in which they were said."""

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field

from smarttriage.domain.draft import Citation, DraftSentence, Section, SourceField
from smarttriage.domain.near_text import near_identical, word_set
from smarttriage.domain.note_features import says_no
from smarttriage.domain.observation import Observation
from smarttriage.domain.resolution_note import actions_of, words_of
from smarttriage.domain.sentences import MAX_READ_CHARS, Sentence, codes_of, masked_text, sentences, unmasked
from smarttriage.domain.text import telling_words

# Two sentences with the same codes say the same from this Jaccard index of their words on, or where one holds nearly all words of the
# other. Half of the words of a short step are its object, so more would keep apart what only the wording parts.
SAME_SENTENCE = 0.6
HOLDS = 0.85
MAX_SYMPTOMS = 6
MAX_STEPS = 40
MAX_KEYWORDS = 8
MAX_TITLE_CHARS = 120
# From so many incidents on, what one alone did beside the common steps stands apart from them.
ENOUGH_FOR_COMMON = 3
_HEADINGS = {
    Section.SYMPTOMS: "Symptoms",
    Section.RESOLUTION: "Resolution",
    Section.ALSO_REPORTED: "Also reported",
    Section.APPLIES_TO: "Applies to",
}


@dataclass(frozen=True, slots=True)
class Composed:
    """A draft before it has an identity."""

    title: str
    sentences: tuple[DraftSentence, ...]
    category: str | None
    sub_category: str | None
    keywords: tuple[str, ...]
    language: str


@dataclass(slots=True)
class _Unit:
    """Sentences of several incidents that say the same; of those whose telling words hold all of the others', the first is shown."""

    sentence: Sentence
    meaning: "_Meaning"
    citations: list[Citation] = field(default_factory=list)

    def cite(self, citation: Citation, sentence: Sentence, meaning: "_Meaning") -> None:
        """Add who said it too; what says more is shown, and cited first."""
        if self.meaning.telling < meaning.telling:
            self.sentence, self.meaning = sentence, meaning
            self.citations.insert(0, citation)
        else:
            self.citations.append(citation)

    @property
    def n_incidents(self) -> int:
        return len({citation.incident_id for citation in self.citations})


@dataclass(frozen=True, slots=True)
class _Meaning:
    """What two sentences must share to be taken for the same: codes to the letter, steps, denial, most words."""

    words: frozenset[str]
    telling: frozenset[str]
    codes: frozenset[str]
    actions: frozenset[str]
    denies: bool

    @classmethod
    def of(cls, text: str) -> "_Meaning":
        plain = unmasked(text)
        telling = words_of(plain).telling
        return cls(word_set(plain), telling, frozenset(codes_of(plain)), actions_of(plain), says_no(plain))

    def is_like(self, other: "_Meaning") -> bool:
        """Return whether both say the same but for their codes."""
        if self.denies != other.denies or (self.actions and other.actions and not self.actions & other.actions):
            return False
        return _alike(self.words, other.words)


def compose(observations: Sequence[Observation]) -> Composed:
    """Return the draft of observations of one fix, the most typical one first: its words and its order are kept where others agree."""
    title = _title(observations)
    steps = _merged(observations, SourceField.RESOLUTION)[:MAX_STEPS]
    common = [unit for unit in steps if _is_common(unit, observations)]
    own = [unit for unit in steps if unit not in common]
    symptoms = _merged(observations, SourceField.DESCRIPTION)
    symptoms = sorted(symptoms, key=lambda unit: -unit.n_incidents)[:MAX_SYMPTOMS]
    return Composed(
        title=title.text,
        sentences=(
            title,
            *_said(Section.SYMPTOMS, symptoms),
            *_said(Section.RESOLUTION, common),
            *_said(Section.ALSO_REPORTED, own),
            *_applies_to(observations),
        ),
        category=_most([each.category for each in observations]),
        sub_category=_most([each.sub_category for each in observations]),
        keywords=_keywords(observations),
        language=_most([each.language for each in observations]) or "en",
    )


def render(said: Iterable[DraftSentence]) -> str:
    """Return the sentences as Markdown; the title is not part of the body."""
    by_section: dict[Section, list[str]] = {}
    for each in said:
        by_section.setdefault(each.section, []).append(each.text)
    parts = []
    for section, heading in _HEADINGS.items():
        if section in by_section:
            numbered = section is Section.RESOLUTION
            lines = [f"{f'{n}.' if numbered else '-'} {text}" for n, text in enumerate(by_section[section], 1)]
            parts.append("\n".join((f"## {heading}", *lines)))
    return "\n\n".join(parts) + "\n"


def additions(composed: Composed, body: str) -> tuple[DraftSentence, ...]:
    """Return what the steps of a draft add to an article's body: sentences that it does not say in nearly these words."""
    known = [_Meaning.of(each.text) for each in sentences(body)]
    codes = frozenset(codes_of(body))
    added = []
    for each in composed.sentences:
        if each.section in (Section.RESOLUTION, Section.ALSO_REPORTED):
            meaning = _Meaning.of(each.text)
            if not (meaning.codes <= codes and any(meaning.is_like(other) for other in known)):
                added.append(DraftSentence(Section.ALSO_REPORTED, each.text, each.citations))
    return tuple(added)


def with_additions(body: str, added: Iterable[DraftSentence]) -> str:
    """Return an article's body with the sentences at its end, below the heading that they have there already, if they have it."""
    lines = [f"- {each.text}" for each in added]
    if not lines:
        return body
    heading = f"## {_HEADINGS[Section.ALSO_REPORTED]}"
    stripped = body.rstrip()
    last = stripped.rfind("\n## ")
    goes_on = stripped[last + 1 :].startswith(heading)
    return "\n".join((stripped, *(() if goes_on else ("", heading)), *lines)) + "\n"


def _merged(observations: Sequence[Observation], of: SourceField) -> list[_Unit]:
    """Return the sentences of all, those that say the same as one unit; a new one stands behind the one that it followed."""
    units: list[_Unit] = []
    for each in observations:
        text = each.fix if of is SourceField.RESOLUTION else each.symptom
        before = -1 if units else None
        for sentence in sentences(text, people=each.people)[:MAX_STEPS]:
            meaning = _Meaning.of(sentence.text)
            at = next((n for n, unit in enumerate(units) if _same(unit.meaning, meaning)), None)
            if at is None:
                at = len(units) if before in (None, -1) else before + 1
                units.insert(at, _Unit(sentence, meaning))
            units[at].cite(Citation(each.incident_id, of, sentence.start, sentence.end), sentence, meaning)
            before = at
    return units


def _same(first: _Meaning, second: _Meaning) -> bool:
    return first.codes == second.codes and first.is_like(second)


def _alike(words: frozenset[str], other: frozenset[str]) -> bool:
    if not words or not other:
        return words == other
    return near_identical(words, other, SAME_SENTENCE) or len(words & other) >= HOLDS * min(len(words), len(other))


def _is_common(unit: _Unit, observations: Sequence[Observation]) -> bool:
    if len(observations) < ENOUGH_FOR_COMMON:
        return True
    return unit.n_incidents > 1 or unit.citations[0].incident_id == observations[0].incident_id


def _said(section: Section, units: Iterable[_Unit]) -> list[DraftSentence]:
    return [DraftSentence(section, unit.sentence.text, tuple(unit.citations)) for unit in units]


def _applies_to(observations: Sequence[Observation]) -> list[DraftSentence]:
    """Return the services and configuration items that the records name, the most frequent first."""
    named: dict[str, list[Citation]] = {}
    for each in observations:
        for of, names in ((SourceField.AFFECTED_SERVICES, each.services), (SourceField.CONFIGURATION_ITEMS, each.items)):
            for name in names:
                named.setdefault(name, []).append(Citation(each.incident_id, of, 0, len(name)))
    return [
        DraftSentence(Section.APPLIES_TO, name, tuple(citations))
        for name, citations in sorted(named.items(), key=lambda item: -len(item[1]))
    ]


def _title(observations: Sequence[Observation]) -> DraftSentence:
    """Return the title that shares most words with what the incidents say; where none has one, a symptom's or a step's beginning."""
    told = Counter(
        word for each in observations for word in word_set(f"{each.symptom[:MAX_READ_CHARS]} {each.fix[:MAX_READ_CHARS]}")
    )
    best: tuple[float, Observation] | None = None
    for each in observations:
        words = word_set(" ".join(telling_words(each.title)))
        worth = sum(told[word] for word in words) / (1 + len(words))
        if each.title.strip() and (best is None or worth > best[0]):
            best = (worth, each)
    if best is not None:
        source = best[1]
        text = masked_text(source.title, people=source.people).strip()[:MAX_TITLE_CHARS]
        return DraftSentence(Section.TITLE, text, (Citation(source.incident_id, SourceField.TITLE, 0, len(source.title)),))
    for of in (SourceField.DESCRIPTION, SourceField.RESOLUTION):
        for unit in _merged(observations, of)[:1]:
            return DraftSentence(Section.TITLE, unit.sentence.text[:MAX_TITLE_CHARS].strip(), tuple(unit.citations))
    first = observations[0]
    return DraftSentence(Section.TITLE, first.incident_id, (Citation(first.incident_id, SourceField.TITLE, 0, 0),))


def _keywords(observations: Sequence[Observation]) -> tuple[str, ...]:
    """Return codes first, then the words that most incidents share."""
    told = (f"{each.title}\n{each.symptom[:MAX_READ_CHARS]}\n{each.fix[:MAX_READ_CHARS]}" for each in observations)
    said = [masked_text(text, people=each.people) for text, each in zip(told, observations, strict=True)]
    codes = Counter(code for text in said for code in dict.fromkeys(codes_of(unmasked(text))) if not code.isdigit())
    words = Counter(word.lower() for text in said for word in telling_words(unmasked(text)))
    known = {code.lower() for code in codes}
    ranked = [*(code for code, _ in codes.most_common()), *(word for word, _ in words.most_common() if word not in known)]
    return tuple(dict.fromkeys(ranked))[:MAX_KEYWORDS]


def _most(values: Sequence[str | None]) -> str | None:
    counted = Counter(value for value in values if value is not None)
    return counted.most_common(1)[0][0] if counted else None
