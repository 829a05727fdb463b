"""Whether a resolution note says what was done, so that somebody else could do it again."""

import re
from dataclasses import dataclass

# With a verb of action three telling words make a step ("CNAME p-bridge created"), without one five make an explanation.
# Both were settled on the notes in tests/unit/domain/test_resolution_note.py.
MIN_WORDS_WITH_ACTION = 3
MIN_WORDS_WITHOUT_ACTION = 5
_QUESTION = "What did you change, and where? One sentence that a colleague could follow is enough."
# Of action words in the five languages the first four letters tell which step it is.
_STEM = 4
_WORD = re.compile(r"[^\W_][\w./:\\'’-]*")
_FLAGS = re.IGNORECASE | re.VERBOSE

# Words that hold a sentence together, in English, German, French, Dutch and Spanish.
_FUNCTION = re.compile(
    r"""
    a|an|and|the|or|but|so|as|at|by|for|from|in|into|of|off|on|onto|out|over|per|than|that|then|there|this|to|up|via|with|without|after|before|
    during|since|until|because|again|already|also|just|now|still|once|twice|here|it|its|itself|himself|herself|he|she|they|them|him|her|his|
    their|we|us|our|you|your|i|my|me|who|which|what|when|is|was|are|were|be|been|being|am|has|have|had|do|does|did|can|could|will|would|should|
    may|might|must|not|no|yes|any|all|both|some|more|most|very|too|only|same|own|other|another|else|isn't|wasn't|didn't|doesn't|couldn't|
    und|oder|aber|der|die|das|den|dem|des|ein|eine|einen|einem|einer|mit|ohne|nach|vor|von|vom|zu|zum|zur|im|in|am|an|auf|aus|bei|beim|durch|für|
    über|unter|um|seit|bis|ist|sind|war|waren|wird|wurde|wurden|worden|hat|haben|hatte|kann|konnte|nicht|kein|keine|keinen|jetzt|nun|wieder|schon|auch|
    noch|nur|mehr|alles|alle|er|sie|es|ich|wir|ihm|ihr|ihre|sein|seine|selbst|sich|dann|damit|so|
    et|ou|mais|le|la|les|l|un|une|des|du|de|d|au|aux|en|dans|par|pour|sur|sous|avec|sans|après|avant|depuis|est|sont|était|a|ont|été|être|il|elle|ils|
    elles|on|je|nous|vous|son|sa|ses|ce|cette|ça|cela|c'est|qui|que|ne|pas|plus|rien|tout|tous|tous|toute|déjà|maintenant|encore|se|lui|
    en|of|maar|het|een|de|met|zonder|na|voor|van|naar|te|tot|bij|door|op|om|uit|aan|is|zijn|was|waren|werd|werden|wordt|heeft|hebben|had|kan|kon|niet|
    geen|nu|weer|al|ook|nog|alles|hij|zij|ze|we|ik|hem|haar|zelf|dan|er|die|dat|dit|
    y|o|pero|el|los|las|lo|al|del|con|sin|después|antes|desde|hasta|es|era|fue|fueron|está|están|ha|han|había|ser|estar|él|ella|ya|no|sí|más|nada|
    todo|todos|toda|se|le|les|su|sus|me|yo|que|por|para|ahora|también|sólo|solo|una|
    \w
    """,
    _FLAGS,
)
# Words that say that it is over, who said so and when, but not what was done.
_CLOSURE = re.compile(
    r"""
    fix\w*|resol\w*|solv\w*|done|clos\w*|complet\w*|finish\w*|work\w*|ok|okay|fine|good|great|perfect\w*|well|better|nice|sorted|happy|glad|satisfied|
    confirm\w*|call\w*|phone[ds]?|rang|mail\w*|e-?mail\w*|contact\w*|respon\w*|repl(?:y|ied|ies)|answer\w*|user'?s?|customer\w*|client\w*|caller\w*|
    requester\w*|ticket\w*|issue\w*|problem\w*|incident\w*|case|request\w*|wish|thank\w*|help\w*|handl\w*|took|taken|care|colleague\w*|team|
    today|yesterday|tomorrow|\w+day|morning|afternoon|evening|week\w*|days?|hours?|minutes?|time|moment|while|check\w*|look\w*|see|seen|saw|
    test(?:ed|s|ing)?|verif\w*|monitoring|tried|try|tries|attempt\w*|nothing|anything|something|everything|someone|somebody|everyone|
    error|fault|gone|disappear\w*|went|came|comes?|back|away|longer|anymore|further|needed|needs?|action\w*|required|duplicate\w*|above|below|
    discuss\w*|agree\w*|arrang\w*|explain\w*|inform\w*|told|tell\w*|said|says|advis\w*|noted|pass|passed|forward\w*|handed|personally|onsite|site|
    visit\w*|remote\w*|support|level|quick\w*|short\w*|usual\w*|normal\w*|expected|reproduc\w*|stable|smooth\w*|solution|sent|wait\w*|three|two|several|
    machine|pc|computer|laptop|device|system|got|get|make|made|let|know|don't|shift|described|mentioned|
    problem|störung|fehler|vorfall|ticket|anliegen|sache|repariert|behoben|erledigt|gelöst|geschlossen|fertig|abgeschlossen|geht|läuft|funktioniert|
    funktionier\w*|klappt|gut|prima|bestens|danke|dank|ordnung|benutzer\w*|anwender\w*|kunde\w*|kundin|kolleg\w*|anrufer\w*|rückruf|zurückgerufen|
    angerufen|telefon\w*|gemeldet|meldet|bestätigt|zufrieden|geprüft|getestet|besprochen|wie|geklärt|heute|gestern|morgen|rechner|gerät|antwort|
    problème\w*|incident|panne|demande|dossier|résolu\w*|réglé\w*|réparé\w*|terminé\w*|clos\w*|clôtur\w*|fermé\w*|fonctionn\w*|marche|va|bien|bon|
    parfait|merci|utilisat\w*|client\w*|collègue\w*|appel\w*|rappel\w*|téléphon\w*|confirm\w*|content\w*|satisfait\w*|vérifi\w*|test\w*|fait\w*|ordre|
    hier|aujourd'hui|matin|nouveau|poste|ordinateur|suite|comme|convenu|réponse|
    probleem|storing|melding|opgelost|verholpen|klaar|gedaan|afgehandeld|gesloten|afgesloten|werkt|werken|doet|goed|prima|orde|bedankt|dank|gebruik\w*|
    klant\w*|collega\w*|beller|gebeld|teruggebeld|telefonisch|bevestigd|tevreden|gecontroleerd|getest|besproken|vandaag|gisteren|verzoek|zoals|
    afgesproken|reactie|
    problema\w*|incidencia\w*|avería|petición|resuelt\w*|solucionad\w*|solucionó|arreglad\w*|arregló|listo|hecho|terminad\w*|cerrad\w*|cierra|funcion\w*|
    va|bien|perfecto|gracias|usuari\w*|cliente\w*|compañer\w*|llam\w*|teléfono|confirm\w*|content\w*|satisfech\w*|comprob\w*|revisad\w*|prob\w*|hoy|
    ayer|mañana|equipo|ordenador|según|acordado|correctamente|correcto|respuesta
    """,
    _FLAGS,
)
# Beginnings of words that name a step somebody could repeat.
_ACTION = re.compile(
    r"""
    (?:replac|reset|re-?install|install|uninstall|updat|upgrad|downgrad|chang|switched|clear|remov|delet|creat|added|adding|configur|restor|unlock|
    enabl|disabl|re-?enabl|extend|rais|lower|increas|reduc|moved|swap|exchang|renew|import|export|re-?regist|regist|enrol|re-?enrol|patch|correct|adjust|
    restart|reboot|flush|rebuil|recreat|roll|reconnect|unplug|plugg|clean|opened|blocked|unblock|allow|grant|assign|mapped|mount|format|reimag|revok|
    rotat|kill|stopp|started|re-?ran|resync|synchroni|point|redirect|wip|isolat|quarantin|purg|renam|copied|deploy|pushed|turned|tighten|reseat|freed|
    expand|shrunk|detach|attach|split|merg|edit|modif|convert|isol|disconnect|activat|deactivat|trim|migrat|exclud|order|fitted|fitting|issued|mask|unmask|repoint|reassign|
    ersetz|getausch|tausch|ausgetausch|zurückgesetz|zurücksetz|neu\w*installier|installier|deinstallier|aktualisier|geänder|änder|umgestell|gelösch|lösch|
    entfern|angelegt|erstell|hinzugefüg|eingetrag|konfigurier|gesetzt|eingestell|wiederhergestell|entsperr|freigeschalt|freigegeben|aktivier|
    deaktivier|erhöh|verlänger|erneuer|gestartet|neustart|verschob|umgezog|gesteckt|eingebaut|gereinig|korrigier|umbenann|vergeben|erteilt|
    zugewiesen|geleert|beendet|angeschlossen|eingespielt|abgeschaltet|eingeschaltet|wechsel|gewechsel|nachgefüll|aufgenommen|eingebund|zugeordnet|verbund|
    remplac|réinitialis|désinstall|mis|modifi|supprim|retir|créé|ajout|restaur|déverrouill|débloqu|activ|désactiv|augment|étend|renouvel|
    redémarr|vidé|vidag|nettoy|corrig|renomm|attribu|déplac|branch|rebranch|remis|relanc|bascul|paramétr|rétabli|autoris|recré|
    vervang|geïnstalleerd|bijgewerkt|gewijzigd|aangepast|verwijderd|aangemaakt|toegevoegd|ingesteld|teruggezet|ontgrendeld|ingeschakeld|uitgeschakeld|
    verhoogd|verlengd|vernieuwd|herstart|opnieuw|geleegd|leeggemaakt|schoongemaakt|gecorrigeerd|hernoemd|toegekend|verplaatst|omgezet|omgeruild|
    aangesloten|gekoppeld|gedeblokkeerd|geplaatst|gereset|hersteld|vrijgegeven|
    reemplaz|sustitu|cambi|restablec|instal|desinstal|actualiz|modific|elimin|borr|quit|creó|cread|creamos|añad|agreg|desbloque|habilit|deshabilit|
    desactiv|ampli|aument|renov|reinici|vaci|limpi|renombr|asign|movi|conect|reconect|ajust|concedi)\w*
    |set|put|added|run|ran|took|turn|map|add|mis|mise
    """,
    _FLAGS,
)


@dataclass(frozen=True, slots=True)
class NoteQuality:
    """Whether a note is worth an article, and what to ask if it is not."""

    actionable: bool
    question: str | None


@dataclass(frozen=True, slots=True)
class NoteWords:
    """A note's words, sorted by what they are good for.

    Attributes:
        n_words: How many there are.
        n_closing: How many only say that it is over.
        n_binding: How many only hold the sentence together.
        telling: The others, each once, in lower case.
        acts: Whether one of them names a step that can be repeated.
    """

    n_words: int
    n_closing: int
    n_binding: int
    telling: frozenset[str]
    acts: bool

    @property
    def follows_rules(self) -> bool:
        """Whether the note holds enough telling words for an action or, without one, for an explanation."""
        return len(self.telling) >= (MIN_WORDS_WITH_ACTION if self.acts else MIN_WORDS_WITHOUT_ACTION)


def words_of(note: str) -> NoteWords:
    """Return the words of a note."""
    words = [word.rstrip(".:/\\-'’").lower() for word in _WORD.findall(note)]
    # A note of a hundred thousand words holds far fewer different ones, and the patterns are long.
    binding = {word for word in set(words) if _FUNCTION.fullmatch(word)}
    closing = {word for word in set(words) - binding if _CLOSURE.fullmatch(word)}
    telling = frozenset(words) - binding - closing
    acts = any(_ACTION.fullmatch(word) for word in telling)
    return NoteWords(len(words), sum(w in closing for w in words), sum(w in binding for w in words), telling, acts)


def actions_of(note: str) -> frozenset[str]:
    """Return the beginnings of the words that name a step: "restart" and "restarted" are one, "start" and "stop" are two."""
    return frozenset(word[:_STEM] for word in words_of(note).telling if _ACTION.fullmatch(word))


def assess(note: str) -> NoteQuality:
    """Return whether the note holds an action that can be repeated, or an explanation that can be given again, by rules alone.

    Words that only say that it is over ("fixed", "user called back, works now") do not count, nor does an action without
    its object ("rebooted the PC").
    """
    actionable = words_of(note).follows_rules
    return NoteQuality(actionable, None if actionable else _QUESTION)
