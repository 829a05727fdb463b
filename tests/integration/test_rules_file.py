"""The data folder's own rules.toml stands in the place of the shipped one."""

from pathlib import Path

import pytest

from smarttriage.bootstrap import resources
from smarttriage.config import Settings
from smarttriage.domain.errors import ConfigurationError
from smarttriage.domain.rules import RuleBook

OWN = """version = "1"
[[rules]]
id = "tills"
reason = "A shop without tills earns nothing."
when = { any_words = ["till*"] }
then = { urgency = "high" }
"""


def rules_of(folder: Path) -> RuleBook:
    settings = Settings(data_dir=folder)
    return resources.rules(settings, taxonomy=resources.taxonomy(settings), policy=resources.priority_policy(settings))


def test_own_rules_go_before_the_shipped_ones(tmp_path: Path) -> None:
    assert "attack-under-way" in {rule.id for rule in rules_of(tmp_path).rules}
    (tmp_path / "rules.toml").write_text(OWN, encoding="utf-8")
    assert [rule.id for rule in rules_of(tmp_path).rules] == ["tills"]


def test_wrong_rules_are_refused_with_their_file(tmp_path: Path) -> None:
    (tmp_path / "rules.toml").write_text(OWN.replace('"high"', '"sky-high"'), encoding="utf-8")
    with pytest.raises(ConfigurationError, match=r'rules\.toml: rules\[0\]\.then\.urgency: is "sky-high"; use one of low'):
        rules_of(tmp_path)
