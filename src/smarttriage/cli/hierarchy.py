"""How the scores of a tree of targets are printed."""

from collections.abc import Iterator

from smarttriage.services.hierarchy import HierarchyScores, SetScores


def hierarchy_lines(scores: HierarchyScores) -> Iterator[str]:
    """Yield the lines: each level, the answer as a whole and stopped where confidence ends, the depth reached."""
    yield f"levels {' > '.join(scores.levels)}, {scores.n} rows"
    for target, level in scores.levels.items():
        yield (
            f"  {target}: accuracy {_number(level.accuracy)} of {level.n}, answered {level.coverage:.1%} "
            f"with precision {_number(level.precision)}"
        )
    yield f"  every level answered: {_set(scores.whole)}"
    yield f"  stopping where confidence ends: {_set(scores.stopped)}; deepest label right {_number(scores.deepest_right)}"
    shares = ", ".join(f"{depth}: {share:.1%}" for depth, share in enumerate(scores.depths))
    yield f"  levels answered: {scores.mean_depth:.2f} on average ({shares}); answers without contradiction {scores.consistent:.1%}"


def _set(scores: SetScores) -> str:
    return f"hierarchical precision {_number(scores.precision)}, recall {scores.recall:.3f}, F1 {scores.f1:.3f}"


def _number(value: float | None) -> str:
    return "-" if value is None else f"{value:.3f}"
