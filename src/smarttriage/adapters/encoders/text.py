"""What every encoder does to a text before tokenising."""


def tokenizable(text: str, max_chars: int) -> str:
    """Return the text cut to `max_chars` characters, lone surrogates (which no tokenizer takes) replaced by "?"."""
    return text[:max_chars].encode("utf-8", "replace").decode("utf-8")
