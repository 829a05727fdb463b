"""Words that stand in signatures beside names, and words that no name has: they make a sentence of a line."""

# Beside names in a signature or in a form of address: what somebody is, where, and the small words of names and companies.
_ROLES = """
    accounting accounts administration administrator administrators admin analyst architect architecture assistant associate branch bureau care
    centre center chair chief clerk colleague company consultant coordinator council counter customer data department deputy desk developer
    developers direction director division editor editors engineer engineering engineers estates executive expert finance floor folks friend friends
    group guys head helpdesk hotel hr human infrastructure inspector intern it junior lab lead leader liaison library logistics maintenance
    management manager managers marketing member network night nurse office officer operations operator parts people platform porter principal
    procurement project purchasing reception recruiter recruiting regional registry research resources retired sales school secretary security
    senior service services shift site software specialist staff supervisor support system systems teacher team teams technical technician
    technology trainee underwriting university vice volunteer warehouse web webmaster whoever mail
    abteilung allerseits alle allemaal ihr ihre it-abteilung kollege kollegin kolleginnen kollegen leiter leiterin leitung miteinander sachbearbeiter
    vertrieb zusammen collègue collègues directeur directrice équipe tous toutes responsable service mensen collega collega's iedereen
    afdeling hoofd compañero compañera compañeros equipo todos todas señor señora señores director directora departamento
    of at the and for from in on an der die das von van vom zu de du des la le les d del y et e und en ter ten den dem il el da dos bin al
    a à au ltd inc gmbh ag kg llc sa bv co plc mbh se mr mrs ms dr prof
"""
_SENTENCE_WORDS = """
    am are be been but can cannot can't could did didn't do does doesn't don't had has have he how i i'm if is isn't it's me my need needs no not
    nothing now our she should since still that then there they this today tomorrow was wasn't we were what when where which while why will
    with without won't would you your yet again also because before after only until please ps error fails failed broken
    aber bitte da dass es fehler funktioniert geht habe haben hat ich ist kann kein keine mein meine nicht noch seit sind war wenn wir wird wurde
    ai avons c'est depuis est il j'ai je mais mon ne nous pas quand qui sont sa votre vous
    als dat het ik jij kan maar mijn niet nog sinds staat wij
    desde está están funciona hay mi no nos pero porque puedo que se soy tengo
"""
# Every closing begins with one of these.
_CLOSING_BEGINS = """
    with my our the very kind kindest best warm warmest friendly sincere yours sincerely most all mit viele vielen beste besten liebe lieber lieben
    freundliche freundlichen schöne schönen herzliche herzlichen mfg hochachtungsvoll bien très cordialement sincères meilleures cordiales salutations
    met vriendelijke hartelijke hartelijk mvg hoogachtend un cordial afectuoso saludo saludos atentamente many and thanks thank thx regards rgds
    cheers greetings cordially respectfully warmly faithfully take ta kr br schon dank danke gruß gruss grüße grüsse lg vg grand mille merci alvast
    bij heel bedankt groet groeten groetjes muchas mil gracias
"""
ROLES, SENTENCE_WORDS, CLOSING_BEGINS = (frozenset(words.split()) for words in (_ROLES, _SENTENCE_WORDS, _CLOSING_BEGINS))
