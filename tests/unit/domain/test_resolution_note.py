"""A note is worth an article if a colleague could do it again; judged on notes in five languages."""

import pytest

from smarttriage.domain.resolution_note import assess

CONTENT_FREE = [
    "fixed",
    "Resolved.",
    "done, thx",
    "User called back, works now.",
    "rebooted",
    "Restarted the PC, all good again.",
    "Issue went away by itself, closing.",
    "No response from the user after three attempts, ticket closed.",
    "Handled by a colleague, see above.",
    "Customer is happy, thanks for the quick help!",
    "Discussed by phone, everything is fine now.",
    "Duplicate of INC0012345",
    "Could not reproduce the problem, closing for now.",
    "Closed at the request of the user.",
    "Checked, no error any more.",
    "Erledigt.",
    "Problem gelöst, Benutzer zufrieden.",
    "Wurde telefonisch geklärt, läuft wieder.",
    "Nach Neustart geht es wieder, danke!",
    "Résolu, merci.",
    "L'utilisatrice confirme que tout fonctionne à nouveau.",
    "Problème réglé par téléphone hier matin.",
    "Opgelost, gebruiker tevreden.",
    "Werkt weer na herstart, melding gesloten.",
    "Solucionado, gracias.",
    "El usuario confirma que ya funciona bien.",
    "Should be fine now, let me know if not.",
    "User found the solution herself.",
    "Rebooté, ça remarche.",
    "Passed to second line who sorted it out.",
    "All good after a restart of the laptop.",
    "Hat sich von selbst erledigt.",
    "Gebruiker belde terug, alles werkt weer naar behoren.",
    "Ya está todo en orden, se cierra el ticket.",
    "Spoke to Maria, no further action needed from our side.",
    "Problem no longer occurs, monitoring for a few days.",
    "",
    "...",
]
ACTIONABLE = [
    "Reset the TPM and re-enrolled BitLocker.",
    "Replaced the fuser of PRN-4F-02 and reset the page counter.",
    "CNAME p-bridge created",
    "Restarted the spooler service on print server PS01.",
    "Unlocked the AD account and removed the old password from the phone's mail profile.",
    "fixed: cleared the Outlook autocomplete cache, works now",
    "DHCP scope was full; extended the range by 60 addresses.",
    "Rolled back driver 31.0.101.5333, user happy",
    "netsh winsock reset, then rejoined the domain",
    "Added her to GG-Finance-RW after approval.",
    "The certificate of the proxy had expired on Sunday, renewed it and reloaded nginx.",
    "Duplex mismatch between switch and carrier router; both set to auto.",
    "Grey means that the order is not yet approved by purchasing.",
    "Netzteil getauscht, Firmware auf 2.14 aktualisiert.",
    "Leserecht über Gruppe GG-Einkauf erteilt.",
    "VPN-Profil gelöscht und neu angelegt, danach Zertifikat importiert.",
    "Cache du navigateur vidé et extension de traduction désactivée.",
    "Remplacement du câble entre la prise et le commutateur du 2e étage.",
    "Mot de passe du compte de service mis à jour dans le planificateur.",
    "Quotum verhoogd naar 30 GB na akkoord.",
    "Printerstuurprogramma verwijderd en opnieuw geïnstalleerd met versie 6.1.",
    "Se cerró SSH al exterior, queda solo por VPN.",
    "Se cambió el tóner y se limpió el rodillo de arrastre.",
    "Cuota ampliada a 10 GB en el buzón.",
    "Swapped the SFP in te1/1/1, CRC counter stays at zero.",
    "Re-added the shared calendar under Account Settings > Advanced.",
    "Killed session 71 that held the lock on ORDERS.",
    "Raised mailbox quota to 60 GB.",
    "Port 12 was in VLAN 30 instead of 120.",
    "Toner nachgefüllt und Trommel gewechselt.",
    "Règle de pare-feu ajoutée pour le port 8443.",
    "DNS-record aangepast naar 10.2.4.8, TTL verlaagd.",
    "Se reinició el servicio de colas en el servidor APP02.",
    "Turn off SIP ALG on the router, then one-way audio is gone.",
]


@pytest.mark.parametrize("note", CONTENT_FREE)
def test_note_that_only_says_it_is_over_asks_what_was_changed(note: str) -> None:
    quality = assess(note)
    assert not quality.actionable
    assert quality.question is not None
    assert "What did you change" in quality.question


@pytest.mark.parametrize("note", ACTIONABLE)
def test_note_that_a_colleague_could_follow_asks_nothing(note: str) -> None:
    quality = assess(note)
    assert quality.actionable
    assert quality.question is None


def test_saying_the_same_word_often_does_not_make_a_note_actionable() -> None:
    assert not assess("replaced replaced REPLACED toner toner.").actionable


def test_long_note_is_judged_quickly() -> None:
    assert assess("router " * 50_000 + "replaced line card").actionable
