"""The one question that is asked when a resolution note says nothing: in the note's language, about what it leaves out."""

from enum import StrEnum

from smarttriage.domain.note_features import names_others, restarts, says_no
from smarttriage.domain.resolution_note import words_of


class Missing(StrEnum):
    """What a note leaves out. Stable codes."""

    CHANGE = "change"
    CAUSE_OF_RESTART = "cause_of_restart"
    WORK_OF_OTHERS = "work_of_others"
    CAUSE_UNKNOWN = "cause_unknown"
    OBJECT = "object"


QUESTIONS: dict[str, dict[Missing, str]] = {
    "en": {
        Missing.CHANGE: "What did you change, and where? One sentence that a colleague could follow is enough.",
        Missing.CAUSE_OF_RESTART: "What exactly did you restart, and what did you change besides? If nothing: what hung?",
        Missing.WORK_OF_OTHERS: "What did they change, and where? One sentence from whoever did the work is enough.",
        Missing.CAUSE_UNKNOWN: "What changed before it stopped (a restart, an update, a setting)? If nothing did, what was checked?",
        Missing.OBJECT: "Which setting, file, device or account did you change, from what to what?",
    },
    "de": {
        Missing.CHANGE: "Was haben Sie geändert, und wo? Ein Satz, dem eine Kollegin folgen könnte, genügt.",
        Missing.CAUSE_OF_RESTART: "Was genau wurde neu gestartet, und was wurde außerdem geändert? Wenn nichts: was hing?",
        Missing.WORK_OF_OTHERS: "Was wurde dort geändert, und wo? Ein Satz von denen, die es getan haben, genügt.",
        Missing.CAUSE_UNKNOWN: "Was hat sich vorher geändert (Neustart, Update, Einstellung)? Wenn nichts: was wurde geprüft?",
        Missing.OBJECT: "Welche Einstellung, Datei, welches Gerät oder Konto wurde geändert, von was auf was?",
    },
    "fr": {
        Missing.CHANGE: "Qu'avez-vous modifié, et où ? Une phrase qu'un collègue pourrait suivre suffit.",
        Missing.CAUSE_OF_RESTART: "Qu'avez-vous redémarré exactement, et qu'avez-vous modifié d'autre ? Sinon, qu'est-ce qui bloquait ?",
        Missing.WORK_OF_OTHERS: "Qu'ont-ils modifié, et où ? Une phrase de ceux qui l'ont fait suffit.",
        Missing.CAUSE_UNKNOWN: "Qu'est-ce qui a changé avant (redémarrage, mise à jour, réglage) ? Sinon, qu'a-t-on vérifié ?",
        Missing.OBJECT: "Quel réglage, fichier, appareil ou compte a été modifié, de quoi en quoi ?",
    },
    "nl": {
        Missing.CHANGE: "Wat hebt u gewijzigd, en waar? Eén zin die een collega kan volgen is genoeg.",
        Missing.CAUSE_OF_RESTART: "Wat is er precies herstart, en wat is er verder gewijzigd? Zo niets: wat hing er?",
        Missing.WORK_OF_OTHERS: "Wat hebben zij gewijzigd, en waar? Eén zin van wie het deed is genoeg.",
        Missing.CAUSE_UNKNOWN: "Wat veranderde er vooraf (herstart, update, instelling)? Zo niets: wat is er nagekeken?",
        Missing.OBJECT: "Welke instelling, welk bestand, apparaat of account is gewijzigd, van wat naar wat?",
    },
    "es": {
        Missing.CHANGE: "¿Qué cambió, y dónde? Basta una frase que un compañero pueda seguir.",
        Missing.CAUSE_OF_RESTART: "¿Qué se reinició exactamente, y qué más se cambió? Si nada: ¿qué estaba bloqueado?",
        Missing.WORK_OF_OTHERS: "¿Qué cambiaron, y dónde? Basta una frase de quien lo hizo.",
        Missing.CAUSE_UNKNOWN: "¿Qué cambió antes (reinicio, actualización, ajuste)? Si nada: ¿qué se comprobó?",
        Missing.OBJECT: "¿Qué ajuste, archivo, equipo o cuenta se cambió, de qué a qué?",
    },
}


def missing(note: str) -> Missing:
    """Return what a note without content leaves out."""
    if restarts(note):
        return Missing.CAUSE_OF_RESTART
    if names_others(note):
        return Missing.WORK_OF_OTHERS
    if says_no(note):
        return Missing.CAUSE_UNKNOWN
    return Missing.OBJECT if words_of(note).acts else Missing.CHANGE


def question(note: str, language: str | None) -> str:
    """Return the question in that language, in English where it is another or not known."""
    return QUESTIONS.get(language or "en", QUESTIONS["en"])[missing(note)]
