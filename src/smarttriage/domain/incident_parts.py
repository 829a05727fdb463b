"""Long reports are searched by their parts: the whole, of which an encoder reads the beginning, and passages from behind that."""

from smarttriage.domain.article import MAX_PASSAGE_CHARS, passage_text, passages

# Up to here the encoder's 256 tokens hold nearly all of a text, and one vector stands for it.
MAX_WHOLE_CHARS = 1_000
# The whole and one passage behind it. benchmarks/long_texts.py prints what 1, 3 and 4 are worth, chosen on its train queries: what
# stands further back is a trace or a log that many reports share.
N_PARTS = 2
# No id has it; what stands before it is the incident's own id, so that no table of parts has to be kept.
_MARK = "\x1f"


def further_passages(title: str, text: str, n_parts: int = N_PARTS) -> tuple[str, ...]:
    """Return at most `n_parts` - 1 passages behind the first, each below the title; none of a text that is read whole.

    `text` is the model text, which begins with the title.
    """
    if len(text) <= MAX_WHOLE_CHARS:
        return ()
    return tuple(passage_text(title, passage.text) for passage in passages("", text, MAX_PASSAGE_CHARS)[1:n_parts])


def part_id(incident_id: str, position: int) -> str:
    """Return the id of the passage at a position from 1."""
    return f"{incident_id}{_MARK}{position}"


class IncidentOfPart:
    """Says whose a part is, as a mapping would, from its id alone."""

    def get(self, part: str, default: str, /) -> str:
        """Return the incident's id; `default` for an incident that stands for itself."""
        incident_id, mark, _ = part.partition(_MARK)
        return incident_id if mark else default


INCIDENT_OF_PART = IncidentOfPart()
