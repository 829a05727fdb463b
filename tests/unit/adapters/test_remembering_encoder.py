"""What was encoded lately is not encoded again, whoever asks, and the rest is; the vectors are the encoder's own."""

from collections.abc import Sequence
from concurrent.futures import ThreadPoolExecutor

import numpy as np

from smarttriage.adapters.encoders.hashing import HashingEncoder
from smarttriage.adapters.encoders.remembered import RememberingEncoder
from smarttriage.ports import Vectors


class Counting(HashingEncoder):
    """Writes down what it was asked for."""

    def __init__(self) -> None:
        super().__init__(dim=64)
        self.asked: list[str] = []

    def encode(self, texts: Sequence[str]) -> Vectors:
        self.asked += texts
        return super().encode(texts)


def test_a_text_that_comes_again_is_not_encoded_again() -> None:
    inner = Counting()
    encoder = RememberingEncoder(inner)
    first = encoder.encode(["vpn down"])
    both = encoder.encode(["printer", "vpn down"])
    assert inner.asked == ["vpn down", "printer"]
    np.testing.assert_array_equal(both, HashingEncoder(dim=64).encode(["printer", "vpn down"]))
    np.testing.assert_array_equal(both[1:], first)


def test_the_longest_unasked_text_is_forgotten_first() -> None:
    inner = Counting()
    encoder = RememberingEncoder(inner, n_remembered=2)
    for text in ("a", "b", "a", "c", "a", "b"):
        encoder.encode([text])
    assert inner.asked == ["a", "b", "c", "b"]


def test_of_a_long_batch_the_end_is_remembered() -> None:
    inner = Counting()
    encoder = RememberingEncoder(inner, n_remembered=2)
    encoder.encode(["a", "b", "c"])
    encoder.encode(["b", "c"])
    assert inner.asked == ["a", "b", "c"]


def test_what_a_caller_does_to_its_vectors_changes_no_later_answer() -> None:
    encoder = RememberingEncoder(HashingEncoder(dim=64))
    encoder.encode(["vpn down"])[:] = 0.0
    encoder.encode(["vpn down"])[:] = 0.0
    np.testing.assert_array_equal(encoder.encode(["vpn down"]), HashingEncoder(dim=64).encode(["vpn down"]))


def test_half_a_surrogate_pair_is_a_text_like_any_other() -> None:
    encoder = RememberingEncoder(HashingEncoder(dim=64))
    np.testing.assert_array_equal(encoder.encode(["x\ud800"]), encoder.encode(["x\ud800"]))


def test_many_threads_get_the_vectors_of_their_texts() -> None:
    encoder = RememberingEncoder(HashingEncoder(dim=64), n_remembered=4)
    texts = [f"text {number % 7}" for number in range(200)]
    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(lambda text: encoder.encode([text])[0], texts))
    np.testing.assert_array_equal(np.stack(found), HashingEncoder(dim=64).encode(texts))
