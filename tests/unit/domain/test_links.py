"""Links that cannot work are found by looking at them; none is opened."""

import pytest

from smarttriage.domain.links import LinkFault, anchors_of, broken_links

BODY = "# Mend it\n\n## Step two: the *gateway*\n"
ANCHORS = {"kb_1": frozenset({"mend-it"})}


@pytest.mark.parametrize(
    ("link", "fault"),
    [
        ("[a](https://intranet.example/kb?id=3#x)", None),
        ("[a](#mend-it)", None),
        ("[a](#step-two-the-gateway)", None),
        ("[a](#step-three)", LinkFault.NO_SUCH_ANCHOR),
        ("[a]()", LinkFault.EMPTY),
        ("[a](#)", LinkFault.EMPTY),
        ("[a](kb_1)", None),
        ("[a](/v1/articles/kb_1#mend-it)", None),
        ("[a](/v1/articles/kb_1#gone)", LinkFault.NO_SUCH_ANCHOR),
        ("[a](kb_1.md)", None),
        ("[a](kb_2.md)", LinkFault.NO_SUCH_ARTICLE),
        ("[a](/articles/kb_2)", LinkFault.NO_SUCH_ARTICLE),
        ("[a](../manuals/printer.pdf)", None),
        ("[a](htp://intranet.example)", LinkFault.MISSPELT_SCHEME),
        ("see htttps://intranet.example/a", LinkFault.MISSPELT_SCHEME),
        ("[a](ms-outlook://people/)", None),
        ("[a](http://[::1]:8080/x)", None),
        ("https://tenant-*.example, http://${domain}/adfs and https://[AD server]/x name nobody", None),
        ("An address begins with https:// or with http://.", None),
        ("[a](https:///nowhere)", LinkFault.MALFORMED),
        ("[a](https://)", LinkFault.MALFORMED),
        ("[a](http://host:99999/x)", LinkFault.MALFORMED),
        ("[a](http://[::1/x)", LinkFault.MALFORMED),
        ("[a](https://ex ample.org/x)", LinkFault.MALFORMED),
        ("[a](https://under_score.example)", None),
        ("[a](https://-bad.example)", LinkFault.MALFORMED),
        ("see https://intranet.example/a.", None),
        ("see www.example.org, then https://..example/", LinkFault.MALFORMED),
        ("`htp://in.code`", None),
        ("```\n[a](#nowhere)\n```", None),
        ("[a](mailto:desk@example.org)", None),
        ("C:\\temp and HKEY_LOCAL:/x are no links", None),
    ],
)
def test_each_fault_is_named_and_nothing_else(link: str, fault: LinkFault | None) -> None:
    found = broken_links(f"{BODY}\n{link}\n", anchors=ANCHORS)
    assert [each.fault for each in found] == ([] if fault is None else [fault])


def test_a_broken_link_is_told_once_in_its_order() -> None:
    body = "[b](#gone) [a]() [b](#gone)"
    assert [each.target for each in broken_links(body, anchors={})] == ["#gone", ""]


def test_headings_in_code_are_no_anchors() -> None:
    assert anchors_of("# One\n```\n# Two\n```") == {"one"}
