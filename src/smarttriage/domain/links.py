"""Links in an article's text that cannot work, found without opening any of them."""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from enum import StrEnum
from urllib.parse import SplitResult, urlsplit

_MARKDOWN = re.compile(r"\[[^\]\n]{0,300}\]\(\s*<?([^)\s>]*(?: [^)\n>]*)?)>?\s*\)")
# In running text only what somebody meant to be opened: web addresses, misspelt ones too; "C:/temp" and "fabric:/x" are none.
_BARE = re.compile(r"(?<![\w(<\[/])(?:h[htps]{1,6}:/{1,3}|www\.)[^\s<>\"'`|]*", re.IGNORECASE)
_CODE = re.compile(r"```.*?```|`[^`\n]*`", re.DOTALL)
_HEADING = re.compile(r"^#{1,6}\s+(.+?)\s*#*$", re.MULTILINE)
_ARTICLE = re.compile(r"(?:/v1)?/articles/([\w-]+)/?|([\w-]+)\.md")
_WEB = frozenset({"http", "https", "ftp", "ftps", "ws", "wss"})
_MISSPELT = re.compile(r"h[htps]{1,6}")
# Where somebody is to put in a name of their own: https://contoso-*.example, http://${domain}/, https://<host>/.
_PLACEHOLDER = re.compile(r"[*${}<>\\…]|%[a-z]+%|//[^/]*\[[^:\]/]*(?:[\]/]|$)", re.IGNORECASE)
_HOST = re.compile(r"(?:[^\W_](?:[\w-]*[^\W_])?\.)*[^\W_](?:[\w-]*[^\W_])?\.?|\[[0-9a-f:.]+\](?::\d+)?", re.IGNORECASE)
_NOT_IN_SLUG = re.compile(r"[^\w\- ]")


class LinkFault(StrEnum):
    """What is wrong with a link. Stable codes."""

    EMPTY = "empty"
    MALFORMED = "malformed"
    MISSPELT_SCHEME = "misspelt_scheme"
    NO_SUCH_ARTICLE = "no_such_article"
    NO_SUCH_ANCHOR = "no_such_anchor"


@dataclass(frozen=True, slots=True)
class BrokenLink:
    """A link as it stands in the text, and why it cannot work."""

    target: str
    fault: LinkFault


def broken_links(body: str, *, anchors: Mapping[str, Collection[str]]) -> list[BrokenLink]:
    """Return the links of an article's Markdown that cannot work, each once, in order.

    Args:
        body: The article.
        anchors: Article id -> the anchors of its headings, of every article that a reader can open.
    """
    text = _CODE.sub(lambda match: " " * len(match.group()), body)
    written = [(match.start(), match[1].strip()) for match in _MARKDOWN.finditer(text)]
    text = _MARKDOWN.sub(lambda match: " " * len(match.group()), text)
    bare = ((match.start(), match.group().rstrip(".,;:!?)]}'\"*_”")) for match in _BARE.finditer(text))
    written += [(start, target) for start, target in bare if target.rstrip("/:") not in _WEB]
    own = anchors_of(body)
    faults = ((target, _fault(target, own, anchors)) for _, target in sorted(written))
    return list(dict.fromkeys(BrokenLink(target, fault) for target, fault in faults if fault is not None))


def anchors_of(body: str) -> frozenset[str]:
    """Return the anchors of the headings, as most Markdown renderers write them."""
    return frozenset(_slug(match[1]) for match in _HEADING.finditer(_CODE.sub("", body)))


def _slug(heading: str) -> str:
    return _NOT_IN_SLUG.sub("", heading.lower()).strip().replace(" ", "-")


def _fault(target: str, own: Collection[str], anchors: Mapping[str, Collection[str]]) -> LinkFault | None:
    if not target or target == "#":
        return LinkFault.EMPTY
    if _PLACEHOLDER.search(target):
        return None
    if target.lower().startswith("www."):
        target = f"https://{target}"
    try:
        parts = urlsplit(target)
        port = parts.port
    except ValueError:
        return LinkFault.MALFORMED
    if parts.scheme or parts.netloc:
        return _outside(parts, port, target)
    return _inside(parts, own, anchors)


def _outside(parts: SplitResult, port: int | None, target: str) -> LinkFault | None:
    """Return what is wrong with an address elsewhere; other schemes than the web's are some application's own."""
    if parts.scheme not in _WEB:
        return LinkFault.MISSPELT_SCHEME if parts.scheme == "" or _MISSPELT.fullmatch(parts.scheme) else None
    host = parts.netloc.rpartition("@")[2]
    host = host if host.startswith("[") else host.partition(":")[0]
    well_formed = _HOST.fullmatch(host) and port != 0 and not any(character.isspace() for character in target)
    return None if well_formed else LinkFault.MALFORMED


def _inside(parts: SplitResult, own: Collection[str], anchors: Mapping[str, Collection[str]]) -> LinkFault | None:
    """Return what is wrong with a link to a heading or to an article; other paths are not ours to judge."""
    known = own
    if parts.path:
        match = _ARTICLE.fullmatch(parts.path) or (
            _ARTICLE.fullmatch(f"/articles/{parts.path}") if parts.path in anchors else None
        )
        if match is None:
            return None
        article = match[1] or match[2]
        if article not in anchors:
            return LinkFault.NO_SUCH_ARTICLE
        known = anchors[article]
    return LinkFault.NO_SUCH_ANCHOR if parts.fragment and parts.fragment.lower() not in known else None
