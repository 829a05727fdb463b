"""Personal data by rules: what is found, what is left alone, and that long texts take no long time."""

import time

import pytest

from smarttriage.domain.personal_data import DEFAULT_KINDS, PersonalData, find, iban_valid, luhn_valid, masked


@pytest.mark.parametrize(
    ("text", "safe"),
    [
        ("mail jane.doe+it@mail.example.co.uk, thanks", "mail [email], thanks"),
        ("call +49 (0)30 1234-5678 today", "call [phone] today"),
        ("reach me on 0041 44 668 18 00.", "reach me on [phone]."),
        ("my desk is (212) 555-0175", "my desk is [phone]"),
        ("Tel.: 030/1234567 or ext 47115", "Tel.: [phone] or ext [phone]"),
        ("pay to DE89 3704 0044 0532 0130 00 AND send", "pay to [iban] AND send"),
        ("IBAN GB29NWBK60161331926819", "IBAN [iban]"),
        ("card 4111 1111 1111 1111 was charged", "card [card] was charged"),
        ("amex 3782-822463-10005", "amex [card]"),
        ("Hi John,\nprinter jams", "Hi [name],\nprinter jams"),
        ("Sehr geehrte Frau Müller-Lüdenscheidt,\nes geht nicht", "Sehr geehrte Frau [name],\nes geht nicht"),
        ("vpn drops\n\nKind regards,\nJane van Doe", "vpn drops\n\nKind regards,\nJane van Doe"),
        ("vpn drops\n\nKind regards,\nJane M. Doe\nIT", "vpn drops\n\nKind regards,\n[name]\nIT"),
    ],
)
def test_personal_data_is_masked_by_its_kind(text: str, safe: str) -> None:
    assert masked(text) == safe


@pytest.mark.parametrize(
    "text",
    [
        "Hello Team,\nthe VPN is down",
        "Dear Support,\nplease help",
        "ticket 20240131123456 since 2024-01-31 12:34:56",
        "card 4111 1111 1111 1112 has a wrong check digit",
        "order 1234567890123456, build 10.0.19045.3803",
        "IBAN DE89370400440532013001",
        "error 0x80070005 at 127.0.0.1:8080, version 1.2.3.4",
        "phone does not ring, printer on floor 3, room 4.12",
        "hi please reset dear colleagues",
        "user@host without a domain",
    ],
)
def test_what_only_looks_like_it_is_left_alone(text: str) -> None:
    assert masked(text) == text


def test_ip_addresses_are_masked_on_request_only() -> None:
    text = "ping 10.20.30.40 fails, version 1.2.3.4.5"
    assert masked(text, frozenset(PersonalData)) == "ping [ip_address] fails, version 1.2.3.4.5"
    assert PersonalData.IP_ADDRESS not in DEFAULT_KINDS


def test_masking_twice_changes_nothing_more_and_spans_are_exact() -> None:
    text = "Hi Ann,\nwrite to ann@example.org or call +44 20 7946 0958"
    assert masked(masked(text)) == masked(text)
    assert [(span.kind, text[span.start : span.end]) for span in find(text)] == [
        (PersonalData.NAME, "Ann"),
        (PersonalData.EMAIL, "ann@example.org"),
        (PersonalData.PHONE, "+44 20 7946 0958"),
    ]


def test_check_digits_decide() -> None:
    assert luhn_valid("4111111111111111")
    assert not luhn_valid("4111111111111121")
    assert iban_valid("FR1420041010050500013M02606")
    assert not iban_valid("FR1420041010050500013M0260")
    assert not iban_valid("ZZ1420041010050500013M02606")


@pytest.mark.parametrize("piece", ["a", "1", "1 ", "a.", "A ", "A1", "+1-", "tel 1", "Hi A", "\n", " ", "1.1.", "regards\n"])
def test_a_long_text_takes_linear_time(piece: str) -> None:
    text = piece * (60_000 // len(piece))
    started = time.perf_counter()
    find(text, frozenset(PersonalData))
    assert time.perf_counter() - started < 2.0
