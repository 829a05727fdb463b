"""Articles that are written to be found rather than read."""

import pytest

from smarttriage.domain.stuffing import signs

REAL = (
    "Open the VPN client and read the error. If it says 809, ask the router's owner to let UDP 500 and 4500 pass. If it says 13801, "
    "renew the device certificate in the certificate store and restart the client. Tell the user how long it took."
)


def test_article_that_people_can_read_has_no_sign() -> None:
    assert signs("VPN client cannot connect", REAL, ("vpn", "809")) == []


def test_word_put_between_all_others_is_named_with_its_share() -> None:
    (sign,) = signs("VPN", " printer ".join(REAL.split()))
    assert sign.startswith('the word "printer" is ')


@pytest.mark.parametrize(
    ("more", "sign"),
    [
        (", ".join(f"topic{letter}" for letter in "abcdefghijklmnopqrstuvwxyzabcd"), "a list of"),
        (" ".join(["printer outlook password teams laptop"] * 20), "words follow each other"),
        ("\n".join(["my printer does not work at all"] * 12), "stands there 12 times"),
    ],
)
def test_each_kind_of_stuffing_is_told_in_words(more: str, sign: str) -> None:
    assert any(sign in found for found in signs("VPN client cannot connect", f"{REAL}\n{more}"))


def test_too_many_keywords_are_a_sign() -> None:
    assert signs("VPN", REAL, [f"k{n}" for n in range(41)]) == ["41 keywords"]
