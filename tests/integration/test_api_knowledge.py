"""Feedback and articles over HTTP: what people say counts at once, and only published articles are suggested."""

from smarttriage.api.record_schemas import ArticleOut, HistoryOut, JudgedOut
from tests.integration.installation import Installation

ARTICLE = {"title": "Mend a VPN that drops", "body": "## Resolution\n1. Raise the session limit of the VPN gateway."}
REPORT = {"title": "VPN drops", "description": "Mend a VPN that drops, please."}


def test_a_replaced_label_counts_for_the_next_similar_incident(api: Installation) -> None:
    first = api.must("POST", "/v1/suggestions", REPORT)
    judged = {"suggestion_id": first["id"], "action": "replaced", "field": "category", "value": "security", "given_by": "jo"}
    response = api.ask("POST", "/v1/feedback", judged)
    assert response.status_code == 201
    JudgedOut.model_validate(response.json())
    second = api.must("POST", "/v1/suggestions", REPORT)
    assert (second["category"]["value"], second["category"]["reason"]) == ("security", "reviewed_neighbours")
    (voter,) = second["category"]["neighbours"]
    assert voter["label"] == "security"
    assert voter["id"] in {match["id"] for match in second["similar_incidents"]}
    # The model gave "security" nothing, so that the vote's share is all that it has.
    assert voter["weight"] == second["category"]["confidence"]


def test_several_judgements_come_as_a_list(api: Installation) -> None:
    api.must("POST", "/v1/incidents", REPORT)
    made = api.must("POST", "/v1/suggestions", REPORT)
    items = [
        {"action": "accepted", "field": "category"},
        {"action": "skipped", "field": "impact"},
        {"action": "thumbs_up", "match_id": made["similar_incidents"][0]["id"]},
    ]
    answer = api.must("POST", "/v1/feedback", {"suggestion_id": made["id"], "items": items})
    assert [(item["action"], item["value"]) for item in answer["items"]] == [
        ("accepted", "network"),
        ("skipped", None),
        ("thumbs_up", None),
    ]


def test_feedback_that_makes_no_sense_is_refused_by_field(api: Installation) -> None:
    made = api.must("POST", "/v1/suggestions", REPORT)["id"]
    table = [
        ({"action": "replaced", "field": "category"}, "value"),
        ({"action": "accepted"}, "field"),
        ({"action": "thumbs_up", "match_id": "kb_none"}, "match_id"),
        ({"action": "praised"}, "action"),
        ({}, "action"),
        ({"items": []}, "items"),
        ({"items": [{"action": "skipped", "field": "impact"}], "action": "skipped"}, "action"),
        ({"items": [{"action": "skipped", "feld": "impact"}]}, "items.0.feld"),
        ({"action": "replaced", "field": "category", "value": "plumbing"}, "category"),
    ]
    for body, field in table:
        response = api.ask("POST", "/v1/feedback", {"suggestion_id": made, **body})
        assert (response.status_code, response.json()["field"]) == (422, field), body
    assert (
        api.ask("POST", "/v1/feedback", {"suggestion_id": "sug_none", "action": "accepted", "field": "impact"}).status_code == 404
    )


def test_only_a_published_article_is_suggested(api: Installation) -> None:
    response = api.ask("POST", "/v1/articles", ARTICLE)
    article = response.json()
    ArticleOut.model_validate(article)
    assert (response.status_code, response.headers["Location"]) == (201, f"/v1/articles/{article['id']}")
    path = response.headers["Location"]
    assert _suggested(api) == []
    assert api.ask("POST", f"{path}/publish").status_code == 409
    api.must("POST", f"{path}/submit")
    assert _suggested(api) == []
    api.must("POST", f"{path}/publish")
    assert _suggested(api) == [article["id"]]
    api.must("POST", f"{path}/retire")
    assert _suggested(api) == []


def test_a_stuffed_article_is_published_only_where_the_reviewer_says_so(api: Installation) -> None:
    body = f"{ARTICLE['body']}\n{', '.join(f'topic{letter}' for letter in 'abcdefghijklmnopqrstuvwxyzabcdef')}"
    path = f"/v1/articles/{api.must('POST', '/v1/articles', {**ARTICLE, 'body': body})['id']}"
    api.must("POST", f"{path}/submit")
    refused = api.ask("POST", f"{path}/publish")
    assert (refused.status_code, refused.json()["field"]) == (409, "body")
    assert "accept_warnings=true" in refused.json()["detail"]
    assert api.must("POST", f"{path}/publish?accept_warnings=true")["status"] == "published"


def test_an_edit_is_a_revision_beside_the_published_one(api: Installation) -> None:
    article = api.must("POST", "/v1/articles", ARTICLE)
    path = f"/v1/articles/{article['id']}"
    api.must("POST", f"{path}/submit")
    published = api.ask("POST", f"{path}/publish", If_Match='"2"')
    assert published.headers["ETag"] == '"3"'
    edited = api.ask("PATCH", path, {"title": "Mend the VPN for good"}, If_Match='"3"').json()
    assert (edited["revision"], edited["status"], edited["body"]) == (2, "draft", ARTICLE["body"])
    assert api.ask("PATCH", path, {"title": "x"}, If_Match='"3"').status_code == 412
    assert api.ask("POST", f"{path}/submit", If_Match='"3"').status_code == 412
    assert [match["title"] for match in api.must("POST", "/v1/suggestions", REPORT)["articles"]] == [ARTICLE["title"]]
    history = api.must("GET", f"{path}/history")
    HistoryOut.model_validate(history)
    assert [version["version"] for version in history["items"]] == [4, 3, 2, 1]


def test_articles_are_listed_by_status_and_page(api: Installation) -> None:
    made = [
        api.must("POST", "/v1/articles", {**ARTICLE, "keywords": ["vpn"], "valid_until": "2027-01-01"})["id"] for _ in range(3)
    ]
    api.must("POST", f"/v1/articles/{made[0]}/submit")
    page = api.must("GET", "/v1/articles?limit=2")
    rest = api.must("GET", f"/v1/articles?limit=2&cursor={page['next_cursor']}")
    assert [item["id"] for item in [*page["items"], *rest["items"]]] == made
    assert [item["id"] for item in api.must("GET", "/v1/articles?status=in_review")["items"]] == made[:1]
    assert page["items"][0]["valid_until"] == "2027-01-01"


def _suggested(api: Installation) -> list[str]:
    return [match["id"] for match in api.must("POST", "/v1/suggestions", REPORT)["articles"]]
