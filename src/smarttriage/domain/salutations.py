"""Greetings at the start of a message and closings at its end, blanked out: every character keeps its place."""

import re

from smarttriage.domain.courtesy import is_courtesy, n_telling
from smarttriage.domain.sign_off_words import CLOSING_BEGINS, ROLES, SENTENCE_WORDS

# With less than two words beyond courtesy left ("all solved"), greeting and thanks are what tells that no work is asked for.
MIN_TELLING = 2
# A closing with name, company and numbers is shorter than this; what stands before is the report.
TAIL_CHARS = 400
# A closing has no more words that could begin one: "Many thanks and best regards" and a name that is one of them.
MAX_BEGINS = 8
MAX_LINES = 6
MAX_LINE_CHARS = 80
MAX_NAME_WORDS = 7
MAX_ROLE_WORDS = 3
# Mails in small letters: "kind regards john smith" leaves no more than these behind the closing.
MAX_SMALL_WORDS = 3
_FLAGS = re.IGNORECASE | re.VERBOSE
# A salutation that says whom it greets, and one that may stand alone.
_GREETING = re.compile(
    r"""
    (?P<named>dear|sehr[ ]geehrte[rs]?|liebe[rs]?(?![ ]gr)|werte[rs]?|ch[eè]re?s?|madame|monsieur|messieurs|beste(?![ ](?:gr|w))|geachte|estimad[oa]s?|querid[oa]s?
      |ladies[ ]and[ ]gentlemen|gentlemen|to[ ]whom[ ]it[ ]may[ ]concern|à[ ]qui[ ]de[ ]droit)
    |(?P<bare>(?:hi|hello|hey|hallo|bonjour|bonsoir|hola)(?:[ ]{1,3}(?:there|again|zusammen|hi|hello))?)
    |(?P<timed>good[ ]{1,3}(?:morning|afternoon|evening|day)|guten[ ]{1,3}(?:morgen|tag|abend)|moin|servus|salut|grüß[ ]{1,3}gott|hoi
      |goe(?:de)?[ ]?(?:morgen|middag|navond|ndag)|goedendag|buenos[ ]{1,3}días|buenas[ ]{1,3}(?:tardes|noches))
    |(?P<closed>morning|afternoon|evening|dag|all|team|buenas|greetings)
    """,
    _FLAGS,
)
# Up to six words, then what ends an address; a full stop may also belong to "Mr.".
_ADDRESSED = re.compile(
    r"(?P<words>(?:[ ]{1,3}[\w.'’&/-]{1,30}){0,6})[ ]{0,3}(?P<end>[,!]{0,3}[ ]?[:;]-?[)D]|[,:;!]{1,5}|[.](?=\s|$)|[ ][-–—](?=[ ])|(?=\r?\n|$))"
)
# "Hello for Business" and "Hello World" are names.
_NAME_OF_A_PRODUCT = re.compile(r"[ ]{1,3}(?:for|world)\b|[\w'’-]", re.IGNORECASE)
_TITLE = re.compile(r"\b(?:mr|mrs|ms|dr|prof|hr|fr|mme|sr|sra|dhr|mevr)\.", re.IGNORECASE)
MAX_ADDRESSEE_NAMES = 3

_CLOSING = re.compile(
    r"""
    (?:
    (?P<strong>
      (?:with[ ]{1,3})?(?:(?:my|our|the)[ ]{1,3})?(?:(?:very|kind|kindest|best|warm|warmest|friendly|sincere)[ ]{1,3}){1,3}(?:regards|wishes|greetings)
      |yours[ ]{1,3}(?:sincerely|faithfully|truly)|sincerely[ ]{1,3}yours|most[ ]{1,3}(?:cordially|sincerely|respectfully|courteously)|all[ ]{1,3}the[ ]{1,3}best|with[ ]{1,3}(?:compliments|regards)(?![ ]{1,3}to\b)
      |mit[ ]{1,3}(?:(?:vielen|ganz)[ ]{1,3})?(?:freundliche[nm]|beste[nm]|liebe[nm]|herzliche[nm]|kollegialen|vielen)[ ]{1,3}gr(?:ü|ue)(?:ß|ss)(?:en)?
      |(?:viele|beste|liebe|freundliche|schöne|herzliche)[nr]?[ ]{1,3}gr(?:ü|ue)(?:ß|ss)e?|mfg|hochachtungsvoll
      |(?:(?:bien|très)[ ]{1,3})?cordialement|bien[ ]{1,3}à[ ]{1,3}(?:vous|toi)|(?:sincères|meilleures|cordiales)[ ]{1,3}salutations|salutations[ ]{1,3}distinguées
      |met[ ]{1,3}(?:vriendelijke|hartelijke)[ ]{1,3}groet(?:en)?|(?:vriendelijke|hartelijke)[ ]{1,3}groet(?:en)?|mvg|hoogachtend
      |un[ ]{1,3}saludo|(?:un[ ]{1,3})?(?:cordial|afectuoso)[ ]{1,3}saludo|(?:un[ ]{1,3})?saludos?[ ]{1,3}cordial(?:es)?|atentamente
    )
    |(?P<weak>
      (?:(?:many|with|and)[ ]{1,3}){0,2}(?:thanks|thank[ ]{1,3}you|thx)(?:[ ]{1,3}(?:(?:so|very)[ ]{1,3}much|a[ ]{1,3}(?:lot|bunch|million)|again|in[ ]{1,3}advance|all)){0,3}
        (?:[ ]{1,3}for[ ]{1,3}(?:(?:your|the|any|all|kind|quick|prompt)[ ]{1,3}){1,3}(?:help|support|assistance|time|attention|feedback|patience|understanding
        |response|reply|cooperation|consideration))?(?:[ ]{1,3}(?:in[ ]{1,3}advance|and))?
      |regards|rgds|cheers|greetings|sincerely|cordially|respectfully|warmly|faithfully|take[ ]{1,3}care|best|yours|ta|kr|br
      |(?:(?:vielen|besten|herzlichen|schönen|schon[ ]{1,3}mal)[ ]{1,3}){0,2}dank(?:e)?(?:[ ]{1,3}(?:schön|sehr|vorab|und|für[ ]{1,3}(?:die|ihre|eure)[ ]{1,3}hilfe
        |(?:schon[ ]{1,3}mal[ ]{1,3})?im[ ]{1,3}voraus)){0,3}|gr(?:u|ü)(?:ß|ss)e?|lg|vg
      |(?:(?:grand|un[ ]{1,3}grand|mille)[ ]{1,3})?merci(?:[ ]{1,3}(?:beaucoup|bien|d['’]avance|par[ ]{1,3}avance|et|pour[ ]{1,3}(?:votre|ton)[ ]{1,3}aide)){0,3}|salutations
      |(?:(?:alvast|hartelijk|bij[ ]voorbaat|heel[ ]erg)[ ]{1,3}){0,2}(?:bedankt|dank(?:[ ]?je)?(?:[ ]?wel)?)(?:[ ]{1,3}(?:alvast|voor[ ]{1,3}(?:je|uw|de)[ ]{1,3}hulp)){0,2}|groet(?:en|jes)?
      |(?:muchas[ ]{1,3}|mil[ ]{1,3})?gracias(?:[ ]{1,3}(?:de[ ]{1,3}antemano|por[ ]{1,3}(?:su|tu|la)[ ]{1,3}ayuda|y)){0,2}|(?:un[ ]{1,3})?saludos?|un[ ]{1,3}abrazo
    ))(?![\w'’-])
    """,
    _FLAGS,
)
# What stands before a closing that has its own line or sentence.
_EDGE = re.compile(r"(?:^|[\n.!?…;)])[ \t]*$|,[ ]$")
_PHONE_LABEL = r"(?:tel(?:efon|efoon|éfono|éphone)?|phone|mobile?|mob|cell|fax|ext(?:ension)?|durchwahl|dw|móvil|gsm|portable)"
_CONTACT = re.compile(
    rf"https?://\S+|www\.\S+|\S+@\S+|\b{_PHONE_LABEL}\b[.:]*[ ]*(?:\+?[\d(][\d ()/.-]{{1,22}})?|(?<!\w)(?:\+|\(?0)\d[\d ()/-]{{5,20}}(?!\w)"
    r"|\b(?:e-?mail|mail|web|t|m|f|e)[:][ ]*",
    re.IGNORECASE,
)
_POSTAL = re.compile(
    r"\b[\w.-]*(?:stra(?:ß|ss)e|str\.|straat|weg|platz|laan|street|road|avenue)[ ]\d{1,4}[a-z]?\b|\b\d{1,4}[ ](?:rue|avenue|boulevard)\b"
    r"|\b\d{1,4}[ ]\w{2,20}[ ](?:street|road|avenue|lane)\b|\b(?:[A-Z]{1,2}-)?\d{4,5}(?:[ ][A-Z]{2})?[ ](?=[A-ZÄÖÜÉ])",
    re.IGNORECASE,
)
_NAME_WORD = re.compile(r"[^\W\d_][\w.'’-]*")
_NAMES_ONLY = re.compile(r"[\w\s.,;'’&()|/·•*–—-]*[!.]*\s*")
_VISIBLE = re.compile(r"\S")
_SPACES = re.compile(r"[ \t]{1,3}(?=\S)")
_WORD = re.compile(r"[^\W\d_]+")
# "The footer 'Kind regards' stands there twice" is about such words.
_QUOTES = ('"', "'", "’", "‘", "«", "„", "“", "-")
# What is longer is no mere exchange of courtesies.
MAX_COURTESY_CHARS = 600


def without_salutations(text: str) -> str:
    """Return the text with greeting and closing blanked; its length stays.

    A greeting goes where the text or its second line begins (behind a title), a closing at the end, with nothing but name, role,
    company and numbers behind it. A text that would say nothing without them stays whole.
    """
    first = _without_greetings(text)
    shorter = _without_closing(first)
    if shorter == text or len(left := shorter.strip()) > MAX_COURTESY_CHARS:
        return shorter
    return shorter if n_telling(left, at_most=MIN_TELLING) == MIN_TELLING else text


def _without_greetings(text: str) -> str:
    at = 0
    for _ in range(2):
        found = _VISIBLE.search(text, at)
        if found is None:
            break
        end = _greeting_end(text, found.start())
        text = text[: found.start()] + _blank(text[found.start() : end]) + text[end:]
        if (at := text.find("\n", end) + 1) == 0:
            break
    return text


def _greeting_end(text: str, start: int) -> int:
    """Return where the greeting at `start` ends; `start` where there is none."""
    end = start
    # "Hello, good morning all," greets twice.
    for _ in range(2):
        greeting = _GREETING.match(text, end)
        if greeting is None:
            break
        addressed = _ADDRESSED.match(text, greeting.end())
        if addressed is not None and _is_addressee(addressed, greeting):
            end = addressed.end()
        elif greeting["bare"] is not None and _NAME_OF_A_PRODUCT.match(text, greeting.end()) is None:
            end = greeting.end()
        else:
            break
        if (behind := _SPACES.match(text, end)) is not None:
            end = behind.end()
    return end


def _is_addressee(addressed: re.Match[str], greeting: re.Match[str]) -> bool:
    """Return whether the words greet somebody: courtesy words and roles, three names, or one word in small letters."""
    words = [word.strip(".,/&-") for word in _TITLE.sub(" ", addressed["words"]).split()]
    unknown = [word for word in words if word and not is_courtesy(word.lower()) and word.lower() not in ROLES]
    if greeting["closed"] is not None:
        return not unknown and addressed["end"] in (",", ":", "!") and len(words) <= MAX_SMALL_WORDS
    if any(word.lower() in SENTENCE_WORDS or not word[0].isalpha() for word in unknown):
        return False
    small = sum(word[0].islower() for word in unknown)
    ended = addressed["end"].strip() != ""
    return (small == 0 and len(unknown) <= MAX_ADDRESSEE_NAMES) or (len(unknown) == 1 and ended)


def _without_closing(text: str) -> str:
    """Return the text without the closing: found from the end, so that thanks before the regards go with them."""
    end = len(text.rstrip())
    tail = max(0, end - TAIL_CHARS)
    cut = end
    for closing in reversed(_closings(text, tail, end)):
        if not _is_closing(text, closing, cut, last=cut == end):
            break
        cut = closing.start()
    return text if cut == end else text[:cut] + _blank(text[cut:])


def _closings(text: str, start: int, end: int) -> list[re.Match[str]]:
    """Return the closing words in a part of the text, in order, none inside another; only words that begin one are looked at closely."""
    begins = [word.start() for word in _WORD.finditer(text, start, end) if word.group().lower() in CLOSING_BEGINS]
    found: list[re.Match[str]] = []
    for begin in begins[-MAX_BEGINS:]:
        if (found and begin < found[-1].end()) or text[max(0, begin - 1) : begin] in _QUOTES:
            continue
        if (closing := _CLOSING.match(text, begin, end)) is not None:
            found.append(closing)
    return found


def _is_closing(text: str, closing: re.Match[str], cut: int, *, last: bool) -> bool:
    """Return whether only a signature stands between a closing and `cut`, and the closing where closings stand."""
    behind = text[closing.end() : cut]
    own_place = _EDGE.search(text, max(0, closing.start() - 4), closing.start()) is not None
    if not any(character.isalnum() for character in behind):
        return own_place or closing["strong"] is not None or _in_small_letters(text, closing.start())
    lines = [line.strip() for line in behind.splitlines()]
    same, below = lines[0], [line for line in lines[1:] if line]
    strong = closing["strong"] is not None
    if len(below) > MAX_LINES or not (own_place or strong):
        return False
    # "Thanks. Outlook Crashed" goes on with the report.
    if not strong and same[:1] in (".", "!", "?") and any(character.isalnum() for character in same):
        return False
    small = strong and last and not below and _in_small_letters(text, closing.start()) and _few_small_words(same)
    return (small or _is_signature(same, strong)) and all(_is_signature(line, strong) for line in below)


def _in_small_letters(text: str, at: int) -> bool:
    before = text[max(0, at - TAIL_CHARS) : at]
    return before == before.lower()


def _few_small_words(line: str) -> bool:
    words = line.strip(" ,.!").split()
    return len(words) <= MAX_SMALL_WORDS and all(word.isalpha() and word not in SENTENCE_WORDS for word in words)


def _is_signature(line: str, strong: bool) -> bool:
    """Return whether a line is a name, a role, a company, an address or numbers to call; after strong words any role, "Ann, tax adviser"."""
    if len(line) > MAX_LINE_CHARS:
        return False
    left = _POSTAL.sub(" ", _CONTACT.sub(" ", line))
    if any(character.isdigit() for character in left) or _NAMES_ONLY.fullmatch(left) is None:
        return False
    name, _, role = left.lstrip(" ,.!").partition(",")
    words, role_words = _NAME_WORD.findall(name), _NAME_WORD.findall(role)
    free = strong and bool(words) and len(role_words) <= MAX_ROLE_WORDS
    return (
        len(words) + len(role_words) <= MAX_NAME_WORDS
        and all(map(_is_part_of_name, words))
        and all(_is_part_of_name(word) or (free and word.lower() not in SENTENCE_WORDS) for word in role_words)
    )


def _is_part_of_name(word: str) -> bool:
    lower = word.lower().strip(".'’-")
    return lower not in SENTENCE_WORDS and (word[0].isupper() or lower in ROLES or is_courtesy(lower))


def _blank(text: str) -> str:
    return _VISIBLE.sub(" ", text)
