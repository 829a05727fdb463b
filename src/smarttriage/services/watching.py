"""Beside the answers: the challenger predicts what the champion predicts, and drift is measured. Nobody waits for it."""

import queue
import threading
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from smarttriage.domain.shadow import ShadowAnswer
from smarttriage.domain.suggestion import Suggestion
from smarttriage.domain.text import model_text
from smarttriage.ports import Classifier, Clock, Probabilities, Store, TargetCard, Vectors
from smarttriage.services.drift import Outcomes, Reference, Signal, input_signals
from smarttriage.services.live import Live

# Full, what comes next is left out: a busy hour must not cost memory or answers. 256 suggestions are about a second of work.
QUEUE = 256
BATCH = 32
WINDOW = 500
JUDGED_AT_ONCE = 1_000
# Automatic: the signals are looked at after so many suggestions even where nobody asks for them.
LOOK_EVERY = 50


@dataclass(frozen=True, slots=True)
class Seen:
    """A suggestion as it was shown, the (1, dim) vector of its text and target -> (1, n_labels) what the model said of it."""

    suggestion: Suggestion
    vector: Vectors
    probabilities: Mapping[str, Probabilities]


class DriftMonitor:
    """The last texts and all judgements of the present model, held against the model's reference. Thread-safe."""

    def __init__(self, *, live: Live, store: Store, reference: Callable[[], Reference | None]) -> None:
        self._live = live
        self._store = store
        self._read_reference = reference
        self._lock = threading.Lock()
        self._texts: deque[tuple[str, Vectors]] = deque(maxlen=WINDOW)
        self._predicted: deque[Mapping[str, Probabilities]] = deque(maxlen=WINDOW)
        self._n_unpredicted = 0
        self._begin("")

    def add(self, seen: Seen) -> None:
        """Take one suggestion into the window."""
        with self._lock:
            self._texts.append((model_text(seen.suggestion.title, seen.suggestion.description), seen.vector[0]))
            if self._n_unpredicted == 0 and seen.suggestion.provenance.model_version == self._version:
                self._predicted.append(seen.probabilities)
            else:
                self._n_unpredicted = min(self._n_unpredicted + 1, WINDOW)

    def signals(self) -> list[Signal]:
        """Return where every signal stands; only what another model answered is predicted anew."""
        with self._lock:
            classifier = self._live.state.models.classifier
            if classifier.version != self._version:
                self._begin(classifier.version)
            found = self._inputs(classifier)
            self._follow_judgements()
            return found + [outcomes.signal(target) for target, outcomes in sorted(self._outcomes.items())]

    def _begin(self, version: str) -> None:
        """Start anew for another model: its own reference, its own predictions, its own judgements."""
        self._version = version
        self._reference = self._read_reference() if version else None
        self._n_unpredicted = len(self._texts)
        self._predicted.clear()
        self._outcomes: dict[str, Outcomes] = {}
        self._after = 0

    def _inputs(self, classifier: Classifier) -> list[Signal]:
        fresh = list(self._texts)[len(self._texts) - self._n_unpredicted :]
        for text, vector in fresh:
            self._predicted.append(classifier.predict_proba([text], vector[None]))
        self._n_unpredicted = 0
        if self._reference is None or not self._texts:
            return []
        predicted: dict[str, tuple[TargetCard, Probabilities]] = {
            name: (card, np.vstack([row[name] for row in self._predicted])) for name, card in classifier.cards.items()
        }
        return input_signals(self._reference, np.stack([vector for _, vector in self._texts]), predicted)

    def _follow_judgements(self) -> None:
        while True:
            with self._store.begin() as records:
                judged = records.judged_fields(self._after, limit=JUDGED_AT_ONCE)
            for each in judged:
                if each.model_version == self._version:
                    self._outcomes.setdefault(each.target, Outcomes()).add(each.confidence, wrong=each.wrong)
            if judged:
                self._after = judged[-1].seq
            if len(judged) < JUDGED_AT_ONCE:
                return


class Watcher:
    """A thread behind a bounded queue: shadow answers into the store, suggestions into the drift window."""

    def __init__(
        self,
        *,
        live: Live,
        store: Store,
        clock: Clock,
        drift: DriftMonitor,
        on_error: Callable[[Exception], None],
        on_alarm: Callable[[Signal], None],
    ) -> None:
        self._live = live
        self._store = store
        self._clock = clock
        self._drift = drift
        self._on_error = on_error
        self._on_alarm = on_alarm
        self._queue: queue.Queue[Seen | None] = queue.Queue(QUEUE)
        self._challenger: Classifier | None = None
        self._alarmed: set[tuple[str, str | None]] = set()
        self._n_since_look = 0
        self._n_left_out = 0
        self._thread = threading.Thread(target=self._run, name="watcher", daemon=True)

    @property
    def challenger(self) -> Classifier | None:
        """The model that listens, or None."""
        return self._challenger

    @property
    def n_left_out(self) -> int:
        """Suggestions that were not watched because the queue was full."""
        return self._n_left_out

    def listen(self, challenger: Classifier | None) -> None:
        """Let the model answer beside the champion from the next suggestion on; None: nobody."""
        self._challenger = challenger

    def observe(self, suggestion: Suggestion, vector: Vectors, probabilities: Mapping[str, Probabilities]) -> None:
        """Take a suggestion without waiting."""
        try:
            self._queue.put_nowait(Seen(suggestion, vector, probabilities))
        except queue.Full:
            self._n_left_out += 1

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """End after what is in the queue."""
        self._queue.put(None)
        self._thread.join()

    def step(self, batch: Sequence[Seen]) -> None:
        """Work on some suggestions."""
        for seen in batch:
            self._drift.add(seen)
        challenger = self._challenger
        if challenger is not None:
            answers = [answer for seen in batch for answer in self._compared(challenger, seen)]
            with self._store.begin(write=True) as records:
                records.add_shadow_answers(answers)
        self._n_since_look += len(batch)
        if self._n_since_look >= LOOK_EVERY:
            self._n_since_look = 0
            self._look()

    def _look(self) -> None:
        """Report the signals that became alarms since the last look."""
        alarms = {(signal.name, signal.target): signal for signal in self._drift.signals() if signal.alarm}
        for key in alarms.keys() - self._alarmed:
            self._on_alarm(alarms[key])
        self._alarmed = set(alarms)

    def _compared(self, challenger: Classifier, seen: Seen) -> list[ShadowAnswer]:
        champion, made = self._live.state.models.classifier, seen.suggestion
        if made.provenance.model_version != champion.version:  # swapped between the answer and now
            return []
        text = model_text(made.title, made.description)
        ours, theirs = seen.probabilities, challenger.predict_proba([text], seen.vector)
        now = self._clock()
        return [
            ShadowAnswer(
                suggestion_id=made.id,
                tenant=made.tenant,
                target=target,
                champion=champion.version,
                challenger=challenger.version,
                champion_label=champion.cards[target].labels[int(ours[target][0].argmax())],
                challenger_label=challenger.cards[target].labels[int(theirs[target][0].argmax())],
                champion_confidence=float(ours[target][0].max()),
                challenger_confidence=float(theirs[target][0].max()),
                at=now,
            )
            for target in ours
            if target in theirs
        ]

    def _run(self) -> None:
        going = True
        while going:
            batch = [self._queue.get()]
            while len(batch) < BATCH and not self._queue.empty():
                batch.append(self._queue.get())
            going = None not in batch
            try:
                self.step([seen for seen in batch if seen is not None])
            except Exception as error:
                self._on_error(error)
