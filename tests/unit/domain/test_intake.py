"""What the rules of kb/intake.toml refuse before any model is asked, and what they must let through."""

import pytest

from smarttriage.bootstrap.resources import intake
from smarttriage.domain.errors import ConfigurationError
from smarttriage.domain.intake import Intake
from smarttriage.domain.intake_lexicon import parse_intake
from smarttriage.domain.suggestion import Reason


@pytest.fixture(scope="module")
def rules() -> Intake:
    return intake()


@pytest.mark.parametrize(
    ("title", "description"),
    [
        ("", "..."),
        ("Help", "please help me"),
        ("", "es geht nicht"),
        ("problème", "ça ne marche pas"),
        ("", "👍"),
        ("", "Best regards\nOlga Brandt\nFacilities"),
    ],
)
def test_a_text_that_says_nothing_is_empty(rules: Intake, title: str, description: str) -> None:
    assert rules.refusal(title, description) is Reason.EMPTY_TEXT


@pytest.mark.parametrize(
    ("title", "description"),
    [
        ("", "All good again, many thanks!"),
        ("Automatic reply: laptop broken", "I am away."),
        ("Re: WLAN", "Vielen Dank, läuft wieder"),
        ("Abwesenheitsnotiz", "Ab Montag bin ich wieder erreichbar."),
        ("Big sale", "Special offer, order now! Unsubscribe at any time."),
    ],
)
def test_thanks_automatic_replies_and_advertisements_are_no_work(rules: Intake, title: str, description: str) -> None:
    assert rules.refusal(title, description) is Reason.NO_WORK_ITEM


@pytest.mark.parametrize(
    "text", ["asdf jklö asdf qwertz", "hfjdks hfjdks bvncmx", "zzzzzzzzzzzz", "\ufffd\ufffd\ufffd ab", "Zm9vYmFy" * 8]
)
def test_mash_and_bytes_are_gibberish(rules: Intake, text: str) -> None:
    assert rules.refusal("", text) is Reason.GIBBERISH


@pytest.mark.parametrize(
    "text",
    [
        "Komputer nie działa, proszę o pomoc",
        "Принтер не печатает",
        "プリンターが動きません",
        "Bilgisayar çok yavaş, lütfen yardım edin",
    ],
)
def test_a_language_that_nobody_learnt_is_named(rules: Intake, text: str) -> None:
    assert rules.refusal("", text) is Reason.UNSUPPORTED_LANGUAGE


def test_a_language_of_the_training_texts_is_understood(rules: Intake) -> None:
    assert rules.refusal("", "Komputer nie działa, proszę o pomoc", understood={"pl"}) is None
    assert rules.refusal("", "Принтер не печатает", understood={"script:CYRILLIC"}) is None


@pytest.mark.parametrize(
    "text",
    [
        "vpn down",
        "pw reset pls",
        "err 0x80070005",
        "AADSTS50076",
        "k8s node notready ip-10-4-33-7",
        "java.lang.NullPointerException at com.acme.Foo(Foo.java:12)",
        "kernel: BUG: soft lockup CPU#3 stuck for 22s [kworker/3:1]",
        "teh pritner dosnt wrk",
        "Łukasz Wiśniewski needs a new laptop",
        "thanks for fixing the scanner but now the mail is gone",
        "My out of office reply goes to everybody, how do I turn it off?",
        "I cannot unsubscribe from the newsletter tool, error 500",
        "Drucker defekt",
        "mot de passe oublié",
        "olvidé mi contraseña",
        "geen wifi",
    ],
)
def test_a_real_ticket_is_never_refused(rules: Intake, text: str) -> None:
    assert rules.refusal("", text) is None
    assert rules.refusal(text, "") is None


def test_a_name_of_another_language_is_no_language(rules: Intake) -> None:
    assert rules.languages.detect("please call Łukasz Żółkiewski and Jiří Dvořák") == "en"


def test_a_wrong_key_is_named_with_the_file() -> None:
    with pytest.raises(ConfigurationError, match=r"intake\.toml: filer: unknown key"):
        parse_intake({"filer": {}})
