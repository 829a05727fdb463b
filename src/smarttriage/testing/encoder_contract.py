"""What every `Encoder` promises, as a suite: subclass it in a test module and give it an `encoder` fixture.

class TestMyEncoder(EncoderContract):
    @pytest.fixture(scope="class")
    def encoder(self) -> Encoder:
        return MyEncoder()
"""

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from smarttriage.ports import Encoder

TEXTS = (
    "Outlook asks for the password again and again",
    "printer on floor 3 is offline",
    "Der Drucker im 3. Stock druckt nicht mehr, bitte prüfen!",
    "",
    "VPN drops every ten minutes since the update. " * 12,
)


class EncoderContract:
    """Shape, norm, determinism and safety of an encoder."""

    def test_rows_are_float32_of_the_stated_length_and_norm_one(self, encoder: Encoder) -> None:
        """The shape is (n, dim), the norm of each row 1."""
        vectors = encoder.encode(TEXTS)
        assert vectors.dtype == np.float32
        assert vectors.shape == (len(TEXTS), encoder.dim)
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)

    def test_no_text_gives_no_row(self, encoder: Encoder) -> None:
        """An empty list is not an error."""
        assert encoder.encode([]).shape == (0, encoder.dim)

    def test_a_row_does_not_depend_on_its_neighbours(self, encoder: Encoder) -> None:
        """Alone, among others and in another order a text has the same vector, bit for bit."""
        together = encoder.encode(TEXTS)
        alone = np.concatenate([encoder.encode([text]) for text in TEXTS])
        np.testing.assert_array_equal(together, alone)
        np.testing.assert_array_equal(encoder.encode(TEXTS[::-1])[::-1], together)

    def test_threads_get_the_same_rows(self, encoder: Encoder) -> None:
        """Many threads on one encoder see what one thread sees."""
        expected = encoder.encode(TEXTS)
        with ThreadPoolExecutor(4) as pool:
            for found in pool.map(lambda _: encoder.encode(TEXTS), range(8)):
                np.testing.assert_array_equal(found, expected)

    def test_different_texts_differ_and_alike_ones_are_nearer(self, encoder: Encoder) -> None:
        """The vectors carry the text."""
        query, near, far = encoder.encode(["printer is offline", "the printer is offline again", "salary question for HR"])
        assert float(query @ near) > float(query @ far)

    def test_odd_characters_are_text_too(self, encoder: Encoder) -> None:
        """Lone surrogates, NUL bytes, emoji and control characters give finite rows."""
        vectors = encoder.encode(["\ud800 broken", "a\x00b", "🔥🔥", "\x07\u202e", "x" * 50_000])
        assert np.isfinite(vectors).all()
        np.testing.assert_allclose(np.linalg.norm(vectors, axis=1), 1.0, atol=1e-5)

    def test_text_behind_the_cut_is_not_read(self, encoder: Encoder) -> None:
        """A megabyte costs no more than the part that is read."""
        start = "the mail server rejects outgoing mail " * 80
        first, second = encoder.encode([start + "printer", start + "vpn " * 200_000])
        np.testing.assert_array_equal(first, second)

    def test_the_id_names_the_encoder(self, encoder: Encoder) -> None:
        """The id is usable as a file name and the same on every call."""
        assert encoder.encoder_id == encoder.encoder_id
        assert encoder.encoder_id
        assert not set(encoder.encoder_id) & set("/\\ \n")
