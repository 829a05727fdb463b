"""Label twins: what is one label, and which name it gets."""

from smarttriage.domain.labels import canonical_names, label_key, spellings, tidy_label


def test_case_white_space_invisible_and_unicode_forms_make_twins() -> None:
    written = ["Network", " network ", "NETWORK", "Net\u200bwork", "Ｎｅｔｗｏｒｋ", "network\u00a0"]
    assert {label_key(label) for label in written} == {"network"}
    assert label_key("Zugang für Gäste") == label_key("Zugang fu\u0308r  GA\u0308STE")


def test_different_labels_stay_apart() -> None:
    assert len({label_key(label) for label in ("Network", "Networks", "Net work", "P1", "P2", "VPN/WLAN")}) == 6


def test_the_commonest_spelling_names_its_twins_and_is_itself_tidied() -> None:
    names = canonical_names(spellings(["Network "] * 2 + ["Network"] * 2 + ["network"] * 3 + ["Access\t rights"]))
    assert names == {"Network ": "Network", "Network": "Network", "network": "Network", "Access\t rights": "Access rights"}


def test_a_label_of_white_space_is_no_label() -> None:
    assert spellings(["  ", "\u200b"]) == {}
    assert tidy_label(" \u200b") == ""
