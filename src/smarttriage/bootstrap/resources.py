"""Where the shipped data stands: inside the wheel, or in the checkout that the package was installed from."""

import tomllib
from functools import lru_cache
from pathlib import Path

from smarttriage.config import Settings
from smarttriage.domain.cue_lexicon import parse_lexicon
from smarttriage.domain.cues import Lexicon
from smarttriage.domain.errors import ConfigurationError
from smarttriage.domain.escalation import EscalationMatrix
from smarttriage.domain.glossary import Glossary, parse_glossary
from smarttriage.domain.intake import Intake
from smarttriage.domain.intake_lexicon import parse_intake
from smarttriage.domain.priority import PriorityPolicy
from smarttriage.domain.review import ReviewPolicy
from smarttriage.domain.rule_parsing import parse_rules
from smarttriage.domain.rules import RuleBook
from smarttriage.domain.stream_rules import StreamPolicy
from smarttriage.domain.taxonomy import Taxonomy

_PACKAGE = Path(__file__).resolve().parent.parent


def shipped(name: str) -> Path:
    """Return the shipped folder "kb" or "models". Raises ConfigurationError if the installation lacks it."""
    for root in (_PACKAGE / "_shipped", _PACKAGE.parent.parent):
        if (root / name).is_dir():
            return root / name
    raise ConfigurationError(f'the installation lacks its folder "{name}" (looked beside {_PACKAGE}); install smarttriage again')


def taxonomy(settings: Settings) -> Taxonomy:
    """Return the taxonomy of the installation. Raises ConfigurationError naming file, key and way out."""
    path = _configured(settings.taxonomy, settings, "taxonomy.toml")
    return Taxonomy.from_mapping(toml(path), str(path))


def priority_policy(settings: Settings) -> PriorityPolicy:
    """Return matrix, targets and calendar of the installation. Raises ConfigurationError naming file, key and way out."""
    path = _configured(settings.priority, settings, "priority.toml")
    return PriorityPolicy.from_mapping(toml(path), str(path))


def escalation(settings: Settings, *, policy: PriorityPolicy) -> EscalationMatrix:
    """Return the data folder's own escalation.toml, else the shipped one. Raises ConfigurationError."""
    path = _configured(None, settings, "escalation.toml")
    return EscalationMatrix.from_mapping(toml(path), policy, str(path))


def review_policy(settings: Settings) -> ReviewPolicy:
    """Return how the installation reviews."""
    return ReviewPolicy(settings.four_eyes, settings.accepted_an_hour, settings.confirmations)


def stream_policy(settings: Settings, *, policy: PriorityPolicy) -> StreamPolicy:
    """Return the data folder's own major_incidents.toml, else the shipped one. Raises ConfigurationError."""
    path = _configured(None, settings, "major_incidents.toml")
    return StreamPolicy.from_mapping(toml(path), policy, str(path))


def lexicon(settings: Settings | None = None) -> Lexicon:
    """Return the evidence lexicon: the data folder's own cues.toml, else the shipped one. Raises ConfigurationError."""
    path = shipped("kb") / "cues.toml" if settings is None else _configured(None, settings, "cues.toml")
    try:
        return _lexicon(path, path.stat().st_mtime_ns)
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: there is no such file; install smarttriage again") from None


@lru_cache(maxsize=2)
def _lexicon(path: Path, _changed_at: int) -> Lexicon:
    """Return the parsed file: model and rules read a text's cues once between them."""
    return parse_lexicon(toml(path), file=str(path))


def rules(settings: Settings, *, taxonomy: Taxonomy, policy: PriorityPolicy) -> RuleBook:
    """Return the rules above the model: the data folder's own rules.toml, else the shipped one. Raises ConfigurationError."""
    path = _configured(None, settings, "rules.toml")
    return parse_rules(toml(path), lexicon=lexicon(settings), taxonomy=taxonomy, policy=policy, file=str(path))


def intake(settings: Settings | None = None) -> Intake:
    """Return the rules of intake: the data folder's own intake.toml, else the shipped one. Raises ConfigurationError."""
    path = shipped("kb") / "intake.toml" if settings is None else _configured(None, settings, "intake.toml")
    return parse_intake(toml(path), file=str(path))


def glossary(settings: Settings) -> Glossary:
    """Return the data folder's own glossary.toml, else the shipped one. Raises ConfigurationError."""
    path = _configured(None, settings, "glossary.toml")
    return parse_glossary(toml(path), file=str(path))


def everyday_texts() -> tuple[str, ...]:
    """Return texts of everyday life, which no desk is asked about."""
    return tuple(line for line in (shipped("kb") / "everyday.txt").read_text(encoding="utf-8").splitlines() if line)


def _configured(path: Path | None, settings: Settings, name: str) -> Path:
    if path is not None:
        return path
    own = settings.data_dir / name
    return own if own.is_file() else shipped("kb") / name


def toml(path: Path) -> dict[str, object]:
    """Return the parsed file. Raises ConfigurationError naming it and what is wrong."""
    try:
        return tomllib.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        raise ConfigurationError(f"{path}: there is no such file; correct the path or leave the setting out") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise ConfigurationError(f"{path}: not readable as TOML: {error}") from None
