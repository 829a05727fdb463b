"""How the shipped starter model behaves: tone changes nothing, evidence does, plain texts are read right."""

from collections.abc import Sequence

import numpy as np
import pytest

from smarttriage.adapters.encoders.onnx import OnnxEncoder
from smarttriage.bootstrap import parts
from smarttriage.bootstrap.bundles import folder_bundles
from smarttriage.bootstrap.resources import shipped
from smarttriage.domain.text import locate, model_text
from smarttriage.ports import Classifier
from smarttriage.ports.evidence import Reconsiders

BUNDLE = shipped("models") / "starter-1"
pytestmark = pytest.mark.skipif(not (BUNDLE / "manifest.json").is_file(), reason="models/starter-1 is not there; train it first")

SMALL = [
    "The logo on the intranet start page has the wrong shade of blue.",
    "How do I change my ringtone?",
    "My second monitor flickers a little, I use the other one meanwhile.",
    "Could I get a new mouse some time this year?",
    "Der Drucker neben mir druckt blass, ich nehme solange den im Flur.",
    "Je voudrais changer la photo de mon profil, sans date.",
    "Mijn toetsenbord heeft een vlekje, alles werkt.",
    "El color de mi fondo de pantalla ha cambiado, nada más.",
    "There is a typo in the footer of my mail signature.",
    "Question: which headset do you recommend?",
]
LARGE = [
    "The payment terminals of all 40 shops are down, no customer can pay, there is no other way.",
    "Nobody in the hospital can open patient records, treatment has stopped.",
    "All 600 employees are locked out and cannot work, no workaround.",
    "Die Produktion im ganzen Werk steht, kein Ausweichserver vorhanden.",
    "Toute l'usine est à l'arrêt, aucune solution de secours.",
    "Het hele distributiecentrum ligt plat, niemand kan werken, geen alternatief.",
    "Toda la empresa está parada, nadie puede trabajar, sin alternativa.",
    "The web shop refuses every order since 9:00, all customers get an error and nothing can be sold.",
]
LOUD = ("URGENT!!! {}", "{} THIS IS A CATASTROPHE!!!", "CRITICAL!!! TOP PRIORITY: {}", "{} I demand an answer AT ONCE!!!")
CALM = ("No rush, but {}", "{} Whenever you have a moment.", "Just a small note: {}", "{} Nothing dramatic, take your time.")


@pytest.fixture(scope="module")
def encoder() -> OnnxEncoder:
    return parts.encoder()


@pytest.fixture(scope="module")
def model() -> Classifier:
    return folder_bundles(shipped("models")).load("starter-1")


def levels(model: Classifier, encoder: OnnxEncoder, texts: Sequence[str], target: str) -> list[int]:
    return [int(row.argmax()) for row in model.predict_proba(texts, encoder.encode(texts))[target]]


def expected(
    model: Classifier, encoder: OnnxEncoder, texts: Sequence[str], target: str
) -> np.ndarray[tuple[int, ...], np.dtype[np.float64]]:
    """Return the mean level, a number between 0 (low) and 2 (high)."""
    return np.asarray(model.predict_proba(texts, encoder.encode(texts))[target] @ np.arange(3))


@pytest.mark.parametrize("target", ["impact", "urgency"])
@pytest.mark.parametrize(("texts", "phrases", "raises"), [(SMALL, LOUD, True), (LARGE, CALM, False)], ids=["shouting", "calm"])
def test_tone_does_not_move_the_level(
    model: Classifier, encoder: OnnxEncoder, target: str, texts: Sequence[str], phrases: Sequence[str], raises: bool
) -> None:
    plain = levels(model, encoder, texts, target)
    probes = [(level, phrase.format(text)) for level, text in zip(plain, texts, strict=True) for phrase in phrases]
    toned = levels(model, encoder, [text for _, text in probes], target)
    kept = [now <= before if raises else now >= before for (before, _), now in zip(probes, toned, strict=True)]
    assert np.mean(kept) >= 0.9


def test_capitals_do_not_raise_the_level(model: Classifier, encoder: OnnxEncoder) -> None:
    for target in ("impact", "urgency"):
        plain, loud = (levels(model, encoder, texts, target) for texts in (SMALL, [text.upper() for text in SMALL]))
        assert np.mean([now <= before for before, now in zip(plain, loud, strict=True)]) >= 0.9


@pytest.mark.parametrize(
    ("addition", "target"),
    [
        (" The whole site is down, nobody can work.", "impact"),
        (" The whole site is down, nobody can work.", "urgency"),
        (" It concerns all 800 employees.", "impact"),
        (" I cannot work at all and there is no other way; it is due today at 15:00.", "urgency"),
    ],
)
def test_evidence_raises_the_level(model: Classifier, encoder: OnnxEncoder, addition: str, target: str) -> None:
    before, after = (expected(model, encoder, texts, target) for texts in (SMALL, [text + addition for text in SMALL]))
    assert np.mean(after > before) >= 0.9


def test_a_cheap_way_round_lowers_urgency(model: Classifier, encoder: OnnxEncoder) -> None:
    texts = [
        "My printer is dead.",
        "The scanner at my desk does not start.",
        "My headset is broken.",
        "My laptop screen stays black.",
    ]
    before, after = (
        expected(model, encoder, probes, "urgency")
        for probes in (texts, [text + " I can use the other one meanwhile, it works fine." for text in texts])
    )
    assert np.mean(after < before) >= 0.75


@pytest.mark.parametrize(
    ("text", "target", "label"),
    [
        ("The whole company is offline, nobody can work and there is no workaround.", "impact", "high"),
        ("The whole company is offline, nobody can work and there is no workaround.", "urgency", "high"),
        (
            "The six of us in accounting get thrown out of SAP several times a day, it comes back after a minute.",
            "impact",
            "medium",
        ),
        (
            "The six of us in accounting get thrown out of SAP several times a day, it comes back after a minute.",
            "urgency",
            "medium",
        ),
        ("How do I change the colour of my desktop background? No date.", "impact", "low"),
        ("How do I change the colour of my desktop background? No date.", "urgency", "low"),
        ("My VPN tunnel drops every ten minutes when I work from home.", "sub_category", "vpn"),
        ("The printer in room 12 has a paper jam.", "sub_category", "printer"),
        ("Ich habe mein Passwort vergessen, mein Konto ist gesperrt.", "category", "access"),
        ("I am out of office until Monday, thank you for your message.", "kind", "other"),
        ("Could you please install Visio on my laptop?", "kind", "request"),
    ],
)
def test_plain_texts_are_read_right(model: Classifier, encoder: OnnxEncoder, text: str, target: str, label: str) -> None:
    found = model.predict_proba([text], encoder.encode([text]))[target][0]
    assert model.cards[target].labels[int(found.argmax())] == label


A_DEPARTMENT = [
    "Nobody in sales can send mail",
    "Nobody in accounting can open the invoice software since this morning",
    "The whole accounting department is offline",
    "Niemand im Vertrieb kann Mails senden",
    "Keiner im Einkauf kommt ins SAP",
    "Das ganze Büro ist ohne Internet",
    "Niemand op de boekhouding kan inloggen",
    "De hele afdeling kan niet printen",
    "Personne à la comptabilité ne peut imprimer",
    "Toute la comptabilité est bloquée",
    "Nadie en ventas puede enviar correos",
    "Todo el departamento está sin correo",
]
ONE_OF_IT = [
    "A colleague in sales cannot open Outlook",
    "Frau Meier im Vertrieb kann nicht drucken",
    "Can marketing get a new logo?",
    "Please add sales to the distribution list",
]


@pytest.mark.parametrize(("texts", "level"), [(A_DEPARTMENT, 1), (ONE_OF_IT, 0)], ids=["all of it", "one of it"])
def test_a_department_is_more_than_somebody_in_it(
    model: Classifier, encoder: OnnxEncoder, texts: Sequence[str], level: int
) -> None:
    assert levels(model, encoder, texts, "impact") == [level] * len(texts)


def test_evidence_spans_point_at_the_words_of_the_caller(model: Classifier) -> None:
    title, description = "Till", "All 40 shops cannot take cards and there is no other way to pay."
    text = model_text(title, description)
    spans = model.explain(text, "impact", "high")
    found = {span.cue: locate(title, description, span.start, span.end) for span in spans}
    assert found["number_of_sites"].field == "description"
    assert "40 shops" in found["number_of_sites"].text
    assert "no_workaround" in {span.cue for span in model.explain(text, "urgency", "high")}


def test_without_a_cue_the_strongest_words_are_shown(model: Classifier) -> None:
    spans = model.explain("zzz qqq paper", "urgency", "high")
    assert all(span.cue is None for span in spans)


def test_impact_and_urgency_are_filled_in_often(model: Classifier) -> None:
    for target in ("impact", "urgency"):
        assert all(threshold < 1 for threshold in model.cards[target].thresholds.values())


def test_changed_evidence_is_scored_by_the_model_smallest_change_first(model: Classifier, encoder: OnnxEncoder) -> None:
    assert isinstance(model, Reconsiders)
    text = "Mail down\nThe whole site, 300 people, cannot work and there is no workaround."
    vector = encoder.encode([text])[0]
    answers = model.reconsider(text, vector)
    assert [answer.size for answer in answers] == sorted(answer.size for answer in answers)
    found = {answer.change.id: answer for answer in answers}
    high = model.cards["impact"].labels.index("high")
    now = model.predict_proba([text], vector[None])["impact"][0]
    assert found["only_one_person"].probabilities["impact"][high] < now[high] - 0.3
    spans = {text[span.start : span.end] for span in found["only_one_person"].spans}
    assert {"300 people"} <= spans
    assert "whole_site" not in found
    assert "under_attack" not in found
