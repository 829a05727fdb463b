"""The versions of the model on a running service: which serves, which listens, how they fare, and the way back."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from smarttriage.domain.access import Principal, Scope
from smarttriage.domain.errors import BundleError, Conflict, InvalidInput
from smarttriage.domain.shadow import ShadowCount
from smarttriage.ports import Classifier, Clock, ModelVersions, PromotionAction, PromotionEntry, Store
from smarttriage.services.drift import Signal
from smarttriage.services.lineage import version_before
from smarttriage.services.live import Live
from smarttriage.services.watching import DriftMonitor, Watcher

CHALLENGER = "challenger"


@dataclass(frozen=True, slots=True)
class Overview:
    """What there is and how it fares.

    Attributes:
        champion: Version that answers.
        challenger: Version that listens, or None.
        promoted: The data folder's promoted version; None: the shipped starter.
        versions: Manifests, the starter's first.
        counts: How champion and challenger compare on the tenant's suggestions.
        n_left_out: Suggestions that this process did not watch because it was too busy.
        history: Every promotion and rollback, oldest first.
    """

    champion: str
    challenger: str | None
    promoted: str | None
    versions: Sequence[Mapping[str, Any]]
    counts: Sequence[ShadowCount]
    n_left_out: int
    history: Sequence[PromotionEntry]


class ModelLifecycle:
    """Lists, compares, rolls back. Every process of an installation reads the challenger from the store and the version from disk."""

    def __init__(
        self,
        *,
        versions: ModelVersions,
        live: Live,
        store: Store,
        clock: Clock,
        watcher: Watcher,
        drift: DriftMonitor,
        reload: Callable[[], None],
        pinned: bool = False,
    ) -> None:
        self._versions = versions
        self._live = live
        self._store = store
        self._clock = clock
        self._watcher = watcher
        self._drift = drift
        self._reload = reload
        self._pinned = pinned

    def overview(self, principal: Principal) -> Overview:
        """Return what there is. Raises PermissionDenied without the scope `admin`."""
        principal.require(Scope.ADMIN)
        champion, challenger = self._live.state.models.classifier.version, self._watcher.challenger
        counts: Sequence[ShadowCount] = ()
        if challenger is not None:
            with self._store.begin() as records:
                counts = records.shadow_counts(principal.tenant, champion=champion, challenger=challenger.version)
        return Overview(
            champion=champion,
            challenger=challenger.version if challenger else None,
            promoted=self._versions.current(),
            versions=[self._versions.manifest(version) for version in (None, *self._versions.versions())],
            counts=counts,
            n_left_out=self._watcher.n_left_out,
            history=self._versions.history(),
        )

    def challenge(self, principal: Principal, version: str | None) -> None:
        """Let a version answer beside the champion, unseen; None ends it.

        Raises:
            InvalidInput: The version does not load, is the champion, or was trained on another encoder.
        """
        principal.require(Scope.ADMIN)
        challenger = None if version is None else self._challenger(version)
        with self._store.begin(write=True) as records:
            records.put_fact(CHALLENGER, version or "")
        self._watcher.listen(challenger)

    def resume(self) -> None:
        """Let the challenger that the store names listen again; one that serves by now has nothing to listen to.

        Raises:
            InvalidInput: It does not load, or was trained on another encoder.
        """
        with self._store.begin() as records:
            version = records.fact(CHALLENGER)
        listens = version and version != self._live.state.models.classifier.version
        self._watcher.listen(self._challenger(version) if version and listens else None)

    def roll_back(self, principal: Principal, reason: str) -> PromotionEntry:
        """Serve the version that was current before, at once; return what was written to the history.

        Raises:
            Conflict: There is nothing to go back to, a setting names the model, or the former version cannot be loaded.
        """
        principal.require(Scope.ADMIN)
        if self._pinned:
            raise Conflict("the setting SMARTTRIAGE_MODEL names the model; change it there, or leave it out and roll back")
        current = self._versions.current()
        former = version_before(self._versions.history(), current)
        entry = PromotionEntry(self._clock(), principal.key_id, PromotionAction.ROLLED_BACK, former, current, reason)
        try:
            self._versions.serve(entry)
            self._reload()
        except BundleError as error:
            raise Conflict(f"nothing was rolled back: {error.message}") from error
        return entry

    def drift(self, principal: Principal) -> Sequence[Signal]:
        """Return where every signal stands."""
        principal.require(Scope.ADMIN)
        return self.signals()

    def signals(self) -> Sequence[Signal]:
        """Return where every signal stands, for metrics."""
        return self._drift.signals()

    def _challenger(self, version: str) -> Classifier:
        models = self._live.state.models
        if version == models.classifier.version:
            raise InvalidInput(f"{version} is the champion already; name another version", field="version")
        try:
            starter = self._versions.manifest(None)["version"]
            challenger = self._versions.load(None if version == starter else version)
        except BundleError as error:
            raise InvalidInput(f"{version} cannot listen: {error.message}", field="version") from error
        if challenger.encoder_id not in (None, models.encoder.encoder_id):
            message = f"{version} was trained on the encoder {challenger.encoder_id}, this one is {models.encoder.encoder_id}"
            raise InvalidInput(f"{message}; train it again", field="version")
        return challenger
