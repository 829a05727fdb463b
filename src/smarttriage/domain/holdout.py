"""The holdout: a small random share of suggestions fills nothing in, so that what agents decide by themselves can be counted.

A label that was filled in and left standing agrees with the service whether or not anybody looked, so the precision of what is
filled in cannot be estimated from it. It can from fields that would have been filled in and were only recommended.
"""

import hashlib

_RANGE = 2**64


def is_held_out(key: str, share: float) -> bool:
    """Return whether the suggestion of that key is held out: the same for the same key, and for a `share` of all keys."""
    drawn = int.from_bytes(hashlib.sha256(f"holdout/{key}".encode("utf-8", "surrogatepass")).digest()[:8])
    return drawn < share * _RANGE
