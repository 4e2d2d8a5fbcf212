# Die Übersicht einer Organisation.
suspended-notice = Diese Organisation ist stillgelegt: Nur Betreiber können in ihr arbeiten, und ihre Geräte erreichen nichts.
tally-online = { $count ->
    [one] Gerät jetzt verbunden
   *[other] Geräte jetzt verbunden
}
tally-active = { $count ->
    [one] aktives Gerät
   *[other] aktive Geräte
}
tally-networks = { $count ->
    [one] Netz
   *[other] Netze
}
tally-people = { $count ->
    [one] Person
   *[other] Personen
}
path = In drei Schritten verbunden
path-network = Ein Netz anlegen
path-network-lead = Ein Netz ist ein privater Adressbereich hinter einem Gateway. Gute Werte sind schon eingetragen.
path-network-wait = Die Verwaltung legt das Netz an.
path-device = Ein Gerät hinzufügen
path-device-lead = Jeder Laptop und jedes Telefon hat einen eigenen Schlüssel und eine eigene Konfiguration.
path-connect = Verbinden
path-connect-lead = Importieren Sie die Konfiguration in die WireGuard-App und schalten Sie sie ein. Diese Seite zeigt, wenn die Verbindung steht.
recent = Zuletzt gesehen
devices-mine = Meine Geräte
devices-all = Alle Geräte
networks-all = Alle Netze
networks-none-yet = Noch kein Netz.
presence-online = Verbunden
presence-offline = Nicht verbunden
state-active = Aktiv
state-disabled = Gesperrt
state-expired = Abgelaufen
state-revoked = Widerrufen
organisation-state-active = Aktiv
organisation-state-suspended = Stillgelegt
gateway-state-online = Online
gateway-state-offline = Offline
gateway-state-pending = Wartet auf Beitritt
role-member = Mitglied
role-admin = Verwaltung
role-hint-member = Sieht die Netze und führt eigene Geräte.
role-hint-admin = Verwaltet Personen, Netze und Geräte.
standing-invited = Eingeladen
standing-joined = Beigetreten
backend-userspace = Im Userspace
backend-kernel = Im Kernel
tunnel-split = Nur das Netz
tunnel-full = Alles
device-traffic-allowed = Geräte erreichen einander
device-traffic-blocked = Geräte erreichen einander nicht
gateway-state-faulty = Gestört
settings-lead = Was die Verwaltung über die Organisation selbst entscheidet.
settings-about = Über diese Organisation
settings-name-hint = Alle in ihr sehen den Namen. Er lässt sich jederzeit ändern.
settings-slug-note = Der Kurzname steht in Adressen und ändert sich nie.
