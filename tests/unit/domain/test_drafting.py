"""A draft says nothing that no incident said, cites all who said it, and keeps people and secrets out."""

import time
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from smarttriage.domain.draft import Section, SourceField
from smarttriage.domain.drafting import additions, compose, render, with_additions
from smarttriage.domain.observation import Observation
from smarttriage.domain.secrets import find_secrets
from smarttriage.domain.sentences import codes_of, masked_text, sentences
from smarttriage.testing.factories import NOON


def _told(n: int, fix: str, symptom: str = "The VPN drops.", **more: object) -> Observation:
    base = Observation(f"o{n}", "default", frozenset({"everyone"}), f"inc{n}", "VPN drops", symptom, fix, NOON)
    return replace(base, **more)  # type: ignore[arg-type]


def _steps(*observations: Observation, section: Section = Section.RESOLUTION) -> list[str]:
    return [each.text for each in compose(observations).sentences if each.section is section]


@given(st.lists(st.text(max_size=200), min_size=1, max_size=4))
def test_every_sentence_stands_in_a_source_or_has_a_mask_in_it(texts: list[str]) -> None:
    observations = [_told(n, text, symptom=text) for n, text in enumerate(texts)]
    sources = {each.incident_id: each for each in observations}
    for sentence in compose(observations).sentences:
        cited = sentence.citations[0]
        if cited.field is SourceField.RESOLUTION and "[" not in sentence.text:
            assert sources[cited.incident_id].fix[cited.start : cited.end] == sentence.text


def test_what_three_incidents_say_differently_becomes_one_sentence_that_cites_all() -> None:
    notes = [
        "Raised the session limit of the gateway.",
        "Raised session limit of gateway",
        "The session limit of the gateway raised.",
    ]
    (step,) = [
        each for each in compose([_told(n, note) for n, note in enumerate(notes)]).sentences if each.section == "resolution"
    ]
    assert step.text == notes[0]
    assert [cited.incident_id for cited in step.citations] == ["inc0", "inc1", "inc2"]


def test_sentences_with_other_codes_are_never_taken_for_the_same() -> None:
    assert len(_steps(_told(1, "Set the MTU of the tunnel to 1380."), _told(2, "Set the MTU of the tunnel to 1420."))) == 2


def test_a_new_step_stands_behind_the_one_that_it_followed() -> None:
    first = _told(1, "Stopped the spooler service. Started the spooler service.")
    second = _told(2, "Stopped the spooler service. Deleted the files of the queue. Started the spooler service.")
    steps = ["Stopped the spooler service.", "Deleted the files of the queue.", "Started the spooler service."]
    assert _steps(first, second) == steps


def test_of_three_incidents_what_one_alone_did_stands_apart() -> None:
    told = [_told(n, "Raised the session limit of the gateway.") for n in range(2)]
    told.append(_told(3, "Raised the session limit of the gateway. Replaced the cable of the router."))
    assert _steps(*told) == ["Raised the session limit of the gateway."]
    assert _steps(*told, section=Section.ALSO_REPORTED) == ["Replaced the cable of the router."]


@pytest.mark.parametrize(
    "command",
    [
        "netsh winsock reset",
        "sfc /scannow",
        "ORA-01653 on tablespace USERS",
        "0x80070643",
        r"C:\Users\Public\old.ost deleted",
        "ps -ef",
    ],
)
def test_commands_and_codes_stay_as_they_are(command: str) -> None:
    assert [each.text for each in sentences(f"1. {command}")] == [command]


@pytest.mark.parametrize(
    ("text", "secret"),
    [
        ("Set the password: hunter22 for the share", "hunter22"),
        ("reset her password to Summer2024! and unlocked it", "Summer2024!"),
        ("Neues Passwort lautet Winter#7 am Terminal", "Winter#7"),
        ("put api_key=abc123def into the file", "abc123def"),
        ("git clone https://bot:s3cr3t@git.corp/x", "s3cr3t"),
        ("export AWS with AKIAABCDEFGHIJKLMNOP set", "AKIAABCDEFGHIJKLMNOP"),
        ("PIN is 4711 on the badge reader", "4711"),
    ],
)
def test_a_secret_is_masked_and_the_rest_stays(text: str, secret: str) -> None:
    shown = masked_text(text)
    assert secret not in shown
    assert shown == text.replace(secret, "[secret]")


@pytest.mark.parametrize(
    "text", ["Set the password to never expire.", "Password policy changed in the GPO", "The token of the app had expired."]
)
def test_words_about_passwords_are_no_secrets(text: str) -> None:
    assert find_secrets(text) == []


def test_people_of_the_record_greetings_and_thanks_are_left_out() -> None:
    note = "Hello Jim,\nmapped the drive of Maria again with gpupdate /force\nThanks\nKind regards\nTom Berg"
    composed = compose([_told(1, note, people=("Maria Lopez", "Tom Berg"))])
    assert _steps(_told(1, note, people=("Maria Lopez", "Tom Berg"))) == ["mapped the drive of [name] again with gpupdate /force"]
    assert not {"maria", "tom", "jim", "[name]", "name"} & {word.lower() for word in composed.keywords}


def test_category_keywords_and_applicability_are_what_most_records_say() -> None:
    told = [
        _told(1, "Raised the limit of gw01.", category="network", services=("VPN",), language="de"),
        _told(2, "Raised the limit of gw01.", category="network", services=("VPN", "Mail"), language="de"),
        _told(3, "Raised the limit of gw01.", category="security"),
    ]
    composed = compose(told)
    assert (composed.category, composed.language) == ("network", "de")
    assert _steps(*told, section=Section.APPLIES_TO) == ["VPN", "Mail"]
    assert "## Applies to\n- VPN\n- Mail" in render(composed.sentences)


def test_only_what_an_article_does_not_say_is_added_below_one_heading() -> None:
    body = "## Resolution\n1. Raise the session limit of the gateway.\n"
    composed = compose([_told(1, "Raised the session limit of the gateway. Replaced the cable of the router.")])
    added = additions(composed, body)
    assert [each.text for each in added] == ["Replaced the cable of the router."]
    once = with_additions(body, added)
    assert once.endswith("\n\n## Also reported\n- Replaced the cable of the router.\n")
    assert additions(composed, once) == ()
    assert with_additions(once, added).count("## Also reported") == 1


def test_codes_are_paths_versions_addresses_and_numbers() -> None:
    assert codes_of("Set 10.0.0.53 on gw-01 with v7.2 and --force, KB5034441.") == [
        "10.0.0.53",
        "gw-01",
        "v7.2",
        "--force",
        "KB5034441",
    ]


def test_of_two_wordings_the_one_that_says_more_is_shown_and_cited_first() -> None:
    short, long = "Raised the session limit of the gateway.", "Raised the session limit of the gateway in its console."
    (step,) = [each for each in compose([_told(1, short), _told(2, long)]).sentences if each.section == "resolution"]
    assert step.text == long
    assert [cited.incident_id for cited in step.citations] == ["inc2", "inc1"]


def test_steps_that_do_the_contrary_or_name_another_command_stay_apart() -> None:
    assert len(_steps(_told(1, "Enabled the add-in of the scanner."), _told(2, "Disabled the add-in of the scanner."))) == 2
    assert len(_steps(_told(1, "Restart the spooler service."), _told(2, "Do not restart the spooler service."))) == 2
    assert len(_steps(_told(1, "Set the MTU to 1350 by hand."), _told(2, "Set the MTU to 1350 by hand with netsh."))) == 2


def test_a_megabyte_of_mail_is_drafted_from_its_beginning_at_once() -> None:
    text = "Password: hunter22 and error 0x80070643 on gw-01 of Mr Smith. " * 16_000
    started = time.perf_counter()
    composed = compose([_told(1, text, symptom=text, people=("Ana Lopez",))])
    assert len(render(composed.sentences)) < 10_000
    assert time.perf_counter() - started < 2


@pytest.mark.parametrize("unit", ["a", "A-", "a.", "/a", "Aa-Aa", '"x', "https://a:", "password ", "\\", "1-"])
def test_no_text_makes_a_draft_slow(unit: str) -> None:
    started = time.perf_counter()
    sentences(unit * (20_000 // len(unit)))
    assert time.perf_counter() - started < 0.5
