"""Hygiene over HTTP: twins, dead links, articles never suggested, wrong categories, and those to look at."""

from datetime import timedelta
from typing import Any

from smarttriage.api.hygiene_schemas import HygieneOut
from smarttriage.services.shown import ShownCounter
from tests.integration.installation import Installation

ARTICLE = {
    "title": "Mend a VPN that drops",
    "body": "## Resolution\nRaise the session limit of the VPN gateway to five hundred sessions, then restart the tunnel service.",
}
REPORT = {"title": "VPN drops", "description": "Mend a VPN that drops, please."}


def published(api: Installation, **changes: Any) -> str:
    made = str(api.must("POST", "/v1/articles", {**ARTICLE, **changes})["id"])
    api.must("POST", f"/v1/articles/{made}/submit")
    api.must("POST", f"/v1/articles/{made}/publish")
    return made


def faults(api: Installation, **options: Any) -> Any:
    found = api.must("GET", "/v1/insights/hygiene", **options)
    HygieneOut.model_validate(found)
    return found


def ids(items: list[dict[str, Any]]) -> list[str]:
    return [item["id"] for item in items]


def test_twins_are_proposed_with_the_one_that_worked_to_keep(api: Installation) -> None:
    older, newer = published(api), published(api, body=f"{ARTICLE['body']} Done.")
    published(api, title="Order a badge", body="Fill in the form of the reception desk and wait for the mail.")
    (pair,) = faults(api)["twins"]
    assert ((pair["keep"]["id"], pair["merge"]["id"]), pair["same_words"]) == ((older, newer), True)
    api.must("POST", f"/v1/articles/{newer}/outcomes", {"outcome": "worked", "given_by": "ann"})
    (pair,) = faults(api)["twins"]
    assert pair["keep"] == {"id": newer, "title": ARTICLE["title"]}
    published(api, language="de", body=f"{ARTICLE['body']} Fertig.")
    assert faults(api)["counts"]["twins"] == 1


def test_links_that_cannot_work_are_listed_by_article(api: Installation) -> None:
    good = published(api)
    bad = published(api, title="Another", body=f"See [it]({good}), [this](kb_gone.md), [that](#nowhere) and htp://intranet/x.")
    (found,) = faults(api)["links"]
    assert (found["id"], [link["fault"] for link in found["links"]]) == (
        bad,
        ["no_such_article", "no_such_anchor", "misspelt_scheme"],
    )


def test_an_article_that_no_suggestion_ever_showed_is_listed_once_it_is_no_longer_new(api: Installation) -> None:
    shown, hidden = published(api), published(api, title="Order a badge", body="Fill in the form of the reception desk.")
    api.must("POST", "/v1/suggestions", REPORT)
    assert faults(api)["never_suggested"] == []
    api.clock.forward(timedelta(days=31))
    assert ids(faults(api)["never_suggested"]) == [hidden]
    assert ShownCounter(store=api.services.store, clock=api.clock).catch_up() == 0
    with api.inner.begin() as records:
        assert records.shown([shown, hidden]) == {shown: 1}


def test_suggestions_are_counted_once_however_often_and_after_whatever_stop(api: Installation) -> None:
    article = published(api)
    counter = ShownCounter(store=api.services.store, clock=api.clock)
    for round_ in range(1, 4):
        api.must("POST", "/v1/suggestions", REPORT)
        api.clock.forward(timedelta(minutes=2))
        assert (counter.catch_up(), counter.catch_up()) == (1, 0)
        with api.inner.begin() as records:
            assert records.shown([article]) == {article: round_}


def test_a_category_that_the_solved_incidents_contradict_is_named_and_few_incidents_name_none(api: Installation) -> None:
    article = published(api, category="hardware")
    for n in range(6):
        incident = api.must("POST", "/v1/incidents", {**REPORT, "category": "network"})["id"]
        api.must("POST", f"/v1/incidents/{incident}/resolution", {"text": "As it says.", "article_id": article})
        found = faults(api)["categories"]
        if n < 5:
            assert found == []
    assert found == [
        {"id": article, "title": ARTICLE["title"], "category": "hardware", "proposed": "network", "n": 6, "n_proposed": 6}
    ]


def test_failing_expired_and_unconfirmed_articles_are_listed_with_their_owner(api: Installation) -> None:
    article = published(api, owner="network team", valid_until="2026-04-01")
    assert faults(api)["attention"] == []
    for person in "abc":
        api.must("POST", f"/v1/articles/{article}/outcomes", {"outcome": "did_not_work", "given_by": person})
    assert faults(api)["attention"][0]["reasons"] == ["failing"]
    api.clock.forward(timedelta(days=400))
    (found,) = faults(api)["attention"]
    assert (found["owner"], found["reasons"]) == ("network team", ["failing", "expired", "unconfirmed"])


def test_articles_of_another_audience_are_not_looked_through(api: Installation) -> None:
    hr = api.key("write", "review", audiences=["hr"])
    for _ in range(2):
        made = api.must("POST", "/v1/articles", ARTICLE, key=hr)["id"]
        api.must("POST", f"/v1/articles/{made}/submit", key=hr)
        api.must("POST", f"/v1/articles/{made}/publish", key=hr)
    assert faults(api)["counts"]["articles"] == 0
    assert faults(api, key=hr)["counts"]["twins"] == 1
