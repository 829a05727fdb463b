"""Passwords, tokens and keys in free text, by their form or by the word in front of them."""

import re

_NAMED = (
    r"(?:pass(?:word|wort|phrase|code)?|pwd|pw|kennwort|mot de passe|mdp|wachtwoord|contraseña|secret|api[-_ ]?key|access[-_ ]?key|token"
    r"|client[-_ ]?secret|pin(?:[ -]?code)?|puk|bearer)"
)
_PATTERNS = (
    # The word, then a sign or a copula, then the value: "password: hunter2", "PIN is 4711".
    re.compile(rf"(?i)\b{_NAMED}\b[\"']?[ ]?(?:=|:|->)[ ]?[\"']?(?P<value>[^\s\"',;]{{3,}})"),
    re.compile(
        rf"(?i)\b{_NAMED}[ ](?:is|was|ist|war|lautet|est|es|now|neu)[ ][\"']?(?P<value>(?=[^\s\"']*[\d!$%&#@_])[^\s\"',;]{{3,}})"
    ),
    # "reset her password to Summer2024!": a value has a digit or a sign, a rule ("to never expire") has not.
    re.compile(
        rf"(?i)\b{_NAMED}\b[^.\n]{{0,30}}?[ ](?:to|auf|in|à|en|naar|a|mit|with)[ ][\"']?"
        r"(?P<value>(?=[^\s\"']*[\d!$%&#@])(?=[^\s\"']*[^\W\d])[^\s\"',;]{5,})"
    ),
    re.compile(r"(?P<value>-----BEGIN [A-Z ]*PRIVATE KEY-----[\s\S]{0,6000}?(?:-----END [A-Z ]*PRIVATE KEY-----|\Z))"),
    # Public forms of AWS, GitHub, Slack and JSON Web Tokens, and a password inside an address.
    re.compile(
        r"\b(?P<value>(?:AKIA|ASIA)[0-9A-Z]{16}|gh[pousr]_\w{20,}|xox[abprs]-[\w-]{10,}|eyJ[\w-]{10,}\.[\w-]{5,}\.[\w-]*)"
    ),
    re.compile(r"(?i)\b[a-z][a-z0-9+.-]{1,20}://[^\s/:@]{1,64}:(?P<value>[^\s/@]{1,128})@"),
)


def find_secrets(text: str) -> list[tuple[int, int]]:
    """Return [start, end) of each secret, in order, no two overlapping."""
    found: list[tuple[int, int]] = []
    for start, end in sorted(match.span("value") for pattern in _PATTERNS for match in pattern.finditer(text)):
        if not found or start >= found[-1][1]:
            found.append((start, end))
    return found
