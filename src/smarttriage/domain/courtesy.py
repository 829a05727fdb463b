"""Texts that hold courtesy only: a greeting, thanks, a signature's words, and nothing about any work."""

import re

_LANGUAGES = {
    "en": "a all am and are as at be best for from good have hello here hey hi i in is it kind lot many mr mrs ms my much nice of on our "
    "please regards see sent sincerely sir team thank thanks thx ty the this to us very warm we with yours you your madam dear morning "
    "afternoon evening day weekend week cheers ok okay yes no fyi br rgds advance support helpdesk service desk colleagues everyone "
    "re fw fwd aw wg",
    "de": "hallo guten tag morgen abend liebe lieber liebes sehr geehrte geehrter geehrtes damen herren herr frau und mit freundlichen "
    "freundliche grüßen grüssen grüße grüsse viele vielen dank danke bitte mfg lg vg im voraus kollegen",
    "fr": "bonjour bonsoir cher chère madame monsieur merci beaucoup cordialement bien à vous salutations par avance d s il plaît",
    "es": "hola buenos días buenas tardes estimado estimada gracias muchas un saludo saludos cordial atentamente por favor",
    "it": "buongiorno ciao gentile grazie mille cordiali saluti distinti per favore",
    "nl": "beste geachte hartelijk dank bedankt met vriendelijke groet groeten alvast",
}
_WORDS = frozenset(word for words in _LANGUAGES.values() for word in words.split())
_SENT_FROM = re.compile(
    r"\b(?:sent from|gesendet von|envoyé de|enviado desde|inviato da|verzonden vanaf) (?:my|meinem|mon|mi|mio|mijn)\b.{0,30}",
    re.IGNORECASE,
)
_WORD = re.compile(r"\w+")
_ADDRESS = re.compile(r"https?://\S+|\S+@\S+")


def says_nothing(text: str) -> bool:
    """Return whether the text has neither a letter nor a digit."""
    return not any(character.isalnum() for character in text)


def courtesy_only(text: str) -> bool:
    """Return whether every word is a courtesy of English, German, French, Spanish, Italian or Dutch, or an address."""
    words = _WORD.findall(_ADDRESS.sub(" ", _SENT_FROM.sub(" ", text.lower())))
    return not says_nothing(text) and all(word in _WORDS for word in words)


def is_courtesy(word: str) -> bool:
    """Return whether a lower-case word is one of the courtesies."""
    return word in _WORDS


def n_telling(text: str, *, at_most: int) -> int:
    """Return how many words are no courtesy, counted no further than `at_most`."""
    n = 0
    for match in _WORD.finditer(text):
        n += match.group().lower() not in _WORDS
        if n == at_most:
            break
    return n
