# Was auf jeder Seite steht.
brand = Warren
brand-home = Warren, zur ersten Seite
skip = Zum Inhalt springen
door-word = Private Netze, ein Tunnel von überall.
language = Sprache
theme = Darstellung
theme-light = Hell
theme-dark = Dunkel
theme-system = Wie das System
api-reference = API
ways = Hauptnavigation
person-menu = Ihr Konto
sign-out = Abmelden
place-change = { $place }. Menü öffnen
place-all = Alle Organisationen
place-operator = Installation betreiben
place-installation = Installation
overview = Übersicht
devices = Geräte
networks = Netze
people = Personen
records = Import & Export
activity = Aktivität
status = Zustand
organisations = Organisationen
database = Datenbank
gateways = Gateways
jobs = Aufträge
mail = E-Mail
dependencies = Abhängigkeiten
pager = Seiten
pager-first = Erste Seite
pager-next = Nächste Seite
filter-any = Alle
filter-anyone = Alle
filter-anything = Alles
filter-do = Anwenden
filter-clear = Alle zeigen
copy = Kopieren
copy-this = { $value } kopieren
copied = Kopiert
copy-failed = Der Browser hat das Kopieren abgelehnt. Markieren Sie den Text und kopieren Sie ihn von Hand.
download = Herunterladen
save = Speichern
cancel = Abbrechen
done = Fertig
go-on = Weiter
change = Ändern
change-of = { $name } ändern
actions = Aktionen
more-options = Weitere Möglichkeiten
yes = Ja
no = Nein
none = Keine
never = Nie
unknown = Nicht bekannt
never-seen = Noch nie
last-seen = Zuletzt gesehen
since = Seit
created-at = Angelegt
request = Anfrage
request-id = Nennen Sie diese Nummer, wenn Sie sich an den Betreiber wenden; sie führt zu allem, was diese Anfrage betrifft.
unreachable = Warren ist nicht erreichbar. Prüfen Sie Ihre Verbindung und versuchen Sie es noch einmal.
size-byte = { $amount } B
size-kilobyte = { $amount } kB
size-megabyte = { $amount } MB
size-gigabyte = { $amount } GB
size-terabyte = { $amount } TB
size-petabyte = { $amount } PB
unit-bytes = { $count ->
    [one] { $count } Byte
   *[other] { $count } Byte
}
unit-seconds = { $count ->
    [one] { $count } Sekunde
   *[other] { $count } Sekunden
}
count-devices = { $count ->
    [one] { $count } Gerät
   *[other] { $count } Geräte
}
count-faults = { $count ->
    [one] { $count } Netz mit einem Fehler
   *[other] { $count } Netze mit einem Fehler
}
settings = Einstellungen
