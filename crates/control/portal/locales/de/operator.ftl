# Die Seiten des Betreibers.
status-lead = Wie es dieser Installation geht.
status-fine = Alles ist, wie es sein soll.
status-server = Dieser Server
status-address = Adresse
status-version = Version
status-since = Läuft seit
status-open = Offene Datenbanken von Organisationen
tally-organisations = { $count ->
    [one] Organisation
   *[other] Organisationen
}
tally-gateways = { $count ->
    [one] Gateway
   *[other] Gateways
}
tally-gateways-online = { $count ->
    [one] Gateway online
   *[other] Gateways online
}
organisations-lead = Jede hat eine eigene Datenbank und sieht nichts von den anderen.
organisation-add = Organisation hinzufügen
organisation-add-do = Die Organisation hinzufügen
organisation-add-lead = Sie bekommt eine eigene Datenbank. Betreten Sie sie danach und laden Sie ihre Verwaltung ein.
organisation-change-heading = { $name } ändern
organisation-access = Zugang
suspend = Organisation stilllegen
suspend-lead = Stilllegen schließt alle außer den Betreibern aus, und alle Geräte werden getrennt. Gelöscht wird nichts.
resume = Organisation wieder freigeben
resume-lead = Die Organisation ist stillgelegt. Freigeben lässt Personen und Geräte wieder herein.
gateways-lead = Die Prozesse, die den Verkehr tragen. Eines kann vielen Organisationen dienen; auf ihm begegnen sie sich nie.
gateways-empty = Noch kein Gateway
gateways-empty-lead = Ein Gateway trägt den Verkehr Ihrer Netze. „warren up“ startet eines auf diesem Rechner, wo es darf; weitere treten mit einem Befehl bei.
gateway-add = Gateway hinzufügen
gateway-add-do = Hinzufügen und Befehl zeigen
gateway-add-lead = Auf einem anderen Rechner. Danach bekommen Sie den Befehl, der jenen Rechner zum Gateway macht.
gateway-name-hint = Etwa der Ort, an dem es steht: „fra-1“.
endpoint-host-hint = Der Name oder die Adresse, unter der Geräte es von außen erreichen.
endpoint-host-change-hint = Schon eingerichtete Geräte behalten die frühere, bis sie eine neue Konfiguration bekommen.
first-port-hint = UDP. Das erste Netz nutzt diesen Port, spätere zählen weiter; öffnen Sie sie in der Firewall.
gateway-about = Über dieses Gateway
gateway-backend = WireGuard läuft
gateway-software = Software
gateway-more = Beitreten und entfernen
gateway-loopback-of = Geräte sollen { $name } unter einer Adresse erreichen, die nur dieser Server selbst erreicht. Telefone und Laptops werden es nicht finden.
gateway-loopback-mend = Adresse ändern
gateway-remove = Gateway entfernen
gateway-remove-question = { $name } entfernen?
gateway-remove-consequence = Sein Rechner kann sich nicht mehr verbinden. Es lässt sich nur entfernen, wenn es kein Netz trägt.
gateway-remove-do = Entfernen
join-heading = Einen Rechner zum Gateway { $name } machen
join-lead = Führen Sie dies als root auf jenem Rechner aus, auf dem Warren installiert ist:
join-once = Der Befehl wird nur dieses eine Mal gezeigt und gilt einmal. Er gilt bis
join-renew = Neuen Beitrittsbefehl erstellen
join-renew-hint = Für einen Rechner, der an die Stelle dieses Gateways treten soll, oder wenn der frühere Befehl abgelaufen ist.
status-gateways-away = { $count ->
    [one] Ein Gateway ist nicht online.
   *[other] { $count } Gateways sind nicht online.
}
