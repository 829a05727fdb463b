"""What Prometheus reads. Each application has a registry of its own."""

from collections.abc import Callable, Iterator, Sequence

from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from smarttriage.domain.suggestion import Timing
from smarttriage.ports import Store
from smarttriage.services.drift import Signal
from smarttriage.services.live import Live

STAGES = ("encode", "classify", "search", "store", "total")
# Seconds; a suggestion takes milliseconds, a batch of 256 texts a second or two.
_BUCKETS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0)


class Metrics:
    """Counts requests and times suggestions; reads the size and the lag of the indexes when it is asked."""

    def __init__(self, *, live: Live, store: Store, signals: Callable[[], Sequence[Signal]]) -> None:
        self._registry = CollectorRegistry()
        self._requests = Counter(
            "smarttriage_requests", "Requests by route and status.", ("method", "route", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "smarttriage_request_seconds", "Time to the last byte.", ("route",), buckets=_BUCKETS, registry=self._registry
        )
        self._stages = Histogram(
            "smarttriage_suggestion_seconds",
            "Where a suggestion's time goes.",
            ("stage",),
            buckets=_BUCKETS,
            registry=self._registry,
        )
        # Looking up a child by its label takes a lock; a suggestion has five.
        self._by_stage = {stage: self._stages.labels(stage) for stage in STAGES}
        self._registry.register(_IndexCollector(live=live, store=store))
        self._registry.register(_DriftCollector(signals))

    def request(self, *, method: str, route: str, status: int, seconds: float) -> None:
        """Count one answered request."""
        self._requests.labels(method, route, str(status)).inc()
        self._seconds.labels(route).observe(seconds)

    def suggestion(self, timing: Timing) -> None:
        """Time one suggestion."""
        for stage, histogram in self._by_stage.items():
            histogram.observe(getattr(timing, stage) / 1000)

    def text(self) -> bytes:
        """Return the exposition format."""
        return generate_latest(self._registry)


class _IndexCollector(Collector):
    def __init__(self, *, live: Live, store: Store) -> None:
        self._live = live
        self._store = store

    def collect(self) -> Iterator[GaugeMetricFamily]:
        catalogue = self._live.state.catalogue
        with self._store.begin() as records:
            last = records.last_seq()
        yield GaugeMetricFamily(
            "smarttriage_index_lag_changes", "Changes in the store that are not searchable yet.", max(0, last - catalogue.seq)
        )
        yield GaugeMetricFamily("smarttriage_articles", "Published articles that are searchable.", len(catalogue.entries))
        yield GaugeMetricFamily("smarttriage_incidents", "Incidents that are searchable.", len(catalogue.incidents.texts))


class _DriftCollector(Collector):
    def __init__(self, signals: Callable[[], Sequence[Signal]]) -> None:
        self._signals = signals

    def collect(self) -> Iterator[GaugeMetricFamily]:
        names = ("signal", "target")
        value = GaugeMetricFamily("smarttriage_drift", "How far a signal has moved; see GET /v1/models/drift.", labels=names)
        alarm = GaugeMetricFamily("smarttriage_drift_alarm", "1 where a signal has moved beyond its limit.", labels=names)
        for signal in self._signals():
            value.add_metric([signal.name, signal.target or ""], signal.value)
            alarm.add_metric([signal.name, signal.target or ""], float(signal.alarm))
        yield value
        yield alarm

    def describe(self) -> Iterator[GaugeMetricFamily]:
        """Yield nothing: registering must not measure anything."""
        yield from ()
