# Warum etwas abgelehnt wurde oder scheiterte, und was zu tun ist.
thing-organisation = Diese Organisation
thing-person = Diese Person
thing-network = Dieses Netz
thing-device = Dieses Gerät
thing-gateway = Dieses Gateway
thing-page = Diese Seite
thing-job = Diesen Auftrag
thing-file = Diese Datei
thing-schedule = Diesen Zeitplan
thing-webhook = Diesen Webhook
thing-delivery = Diese Zustellung
thing-mail = Diesen Brief
thing-dependency = Diese Abhängigkeit
problem-invalid-title = Einige Angaben sind nicht brauchbar
problem-invalid-detail = Berichtigen Sie, was genannt ist, und senden Sie es noch einmal.
problem-file-title = Die Datei ist nicht brauchbar
problem-file-detail = Berichtigen Sie sie und senden Sie sie noch einmal.
problem-not-signed-in-title = Sie sind nicht angemeldet
problem-not-signed-in-detail = Melden Sie sich an und versuchen Sie es noch einmal.
problem-sign-in-refused-title = Das passte nicht zusammen
problem-sign-in-refused-detail = Die E-Mail-Adresse oder das Passwort ist falsch. Prüfen Sie beides und versuchen Sie es noch einmal.
problem-forbidden-title = Dazu fehlt Ihnen ein Recht
problem-forbidden-detail = Wenden Sie sich an die Verwaltung Ihrer Organisation oder an den Betreiber dieser Installation.
problem-not-found-title = Nicht gefunden
problem-not-found-detail = { $thing } gibt es nicht oder ist für Sie nicht sichtbar. Vielleicht wurde etwas entfernt, oder die Adresse enthält einen Tippfehler.
problem-conflict-title = Das widerspricht dem, was da ist
problem-stale-title = Jemand war schneller
problem-stale-detail = Dies wurde geändert, seit Sie es geladen haben. Laden Sie es neu und wiederholen Sie Ihre Änderung.
problem-link-spent-title = Dieser Link gilt nicht mehr
problem-link-spent-detail = Er wurde benutzt, durch einen neueren ersetzt oder ist abgelaufen. Bitten Sie die Person, von der Sie ihn haben, um einen neuen.
problem-suspended-title = Diese Organisation ist stillgelegt
problem-suspended-detail = Wenden Sie sich an den Betreiber dieser Installation.
problem-idempotency-mismatch-title = Derselbe Anfrageschlüssel stand für etwas anderes
problem-idempotency-mismatch-detail = Ein Idempotency-Key darf nur mit derselben Anfrage wiederholt werden. Nehmen Sie einen neuen.
problem-secret-gone-title = Das wurde schon einmal gezeigt
problem-secret-gone-detail = Was Sie verlangten, wurde angelegt, und sein Geheimnis wurde damals gezeigt. Es ist nirgends aufbewahrt. Ist es verloren, widerrufen Sie es und legen Sie Neues an.
problem-busy-title = Zu viel auf einmal
problem-busy-detail = Versuchen Sie es in { $seconds ->
    [one] einer Sekunde
   *[other] { $seconds } Sekunden
} noch einmal.
problem-unavailable-title = Gerade nicht möglich
problem-unavailable-detail = Die Datenbank ist gerade nicht benutzbar; geändert wurde nichts. Versuchen Sie es in { $seconds ->
    [one] einer Sekunde
   *[other] { $seconds } Sekunden
} noch einmal.
problem-internal-title = Hier ging etwas schief
problem-internal-detail = Es liegt nicht an Ihnen. Versuchen Sie es noch einmal; bleibt es dabei, nennen Sie dem Betreiber die Nummer dieser Anfrage.
problem-malformed-title = Der Inhalt ist nicht lesbar
problem-malformed-detail = Er ist kein vollständiges JSON. Siehe Zeile { $line }, Spalte { $column }.
problem-too-large-title = Das ist zu viel auf einmal
problem-too-large-detail = Höchstens { $max } KiB werden gelesen.
problem-file-too-large-title = Die Datei ist zu groß
problem-file-too-large-detail = Gelesen werden höchstens { $max } MiB. Teilen Sie sie auf mehrere auf.
problem-upload-broken-title = Die Datei kam nicht ganz an
problem-upload-broken-detail = Es kam nichts mehr, oder in einer Form, die sich nicht lesen lässt; behalten wurde nichts. Senden Sie sie noch einmal; kommt { $seconds } Sekunden lang nichts, wird abgebrochen.
problem-media-type-title = Der Inhalt hat eine andere Form, als hier gelesen wird
problem-media-type-detail = Senden Sie ihn als { $expected }.
problem-cross-origin-title = Das kam nicht von Warrens eigener Seite
problem-cross-origin-detail = Die Anfrage kam von einer anderen Website und wurde zu Ihrem Schutz abgelehnt. Öffnen Sie Warrens eigene Seite und tun Sie es dort.
problem-too-many-attempts-title = Zu viele Versuche
problem-too-many-attempts-detail = Warten Sie { $seconds ->
    [one] eine Sekunde
   *[other] { $seconds } Sekunden
} und versuchen Sie es noch einmal.
problem-time-limit-title = Das hat zu lange gedauert
problem-time-limit-detail = Es wurde nach { $limit ->
    [one] einer Sekunde
   *[other] { $limit } Sekunden
} aufgegeben. Versuchen Sie es in { $seconds ->
    [one] einer Sekunde
   *[other] { $seconds } Sekunden
} noch einmal.
problem-precondition-missing-title = Der Stand fehlt
problem-precondition-missing-detail = Sagen Sie in If-Match, welchen Stand Sie ändern wollen, wie ihn das ETag nannte, oder „*“ für jeden.
problem-method-title = Diese Adresse tut das nicht
problem-method-detail = Sie nimmt nur die Methoden, die im Kopf Allow stehen.
problem-credential-title = Der Ausweis des Gateways ist nicht bekannt
problem-credential-detail = Er fehlt, wurde ersetzt oder ist abgelaufen. Erstellen Sie einen neuen Beitrittsbefehl für das Gateway.
problem-upgrade-title = Diese Adresse spricht WebSocket
problem-upgrade-detail = Hier verbinden sich nur Gateways.
conflict-slug-taken = Eine andere Organisation hat diesen Kurznamen. Wählen Sie einen anderen.
conflict-network-name-taken = Ein anderes Netz heißt schon so. Wählen Sie einen anderen Namen.
conflict-gateway-name-taken = Ein anderes Gateway heißt schon so. Wählen Sie einen anderen Namen.
conflict-person-already-there = Jemand mit dieser E-Mail-Adresse ist schon hier.
conflict-public-key-taken = Ein anderes Gerät hat diesen Schlüssel. Erzeugen Sie einen neuen.
conflict-addresses-exhausted = Das Netz hat keine freie Adresse mehr. Widerrufen Sie Geräte, die nicht mehr gebraucht werden, oder legen Sie ein größeres Netz an.
conflict-ports-exhausted = Das Gateway hat keinen freien Port mehr. Wählen Sie ein anderes Gateway.
conflict-prefixes-overlap = Der Bereich überschneidet sich mit { $prefix } des Netzes { $other }. Wählen Sie einen anderen.
conflict-prefixes-in-use = Die Bereiche lassen sich nicht ändern, solange { $devices ->
    [one] ein Gerät eine Adresse
   *[other] { $devices } Geräte Adressen
} darin hat. Widerrufen Sie zuerst, was darin ist, oder legen Sie ein anderes Netz an.
conflict-network-in-use = Das Netz hat noch { $devices ->
    [one] ein Gerät
   *[other] { $devices } Geräte
}. Widerrufen Sie zuerst, was übrig ist.
conflict-gateway-in-use = Das Gateway trägt noch { $networks ->
    [one] ein Netz
   *[other] { $networks } Netze
}. Entfernen Sie zuerst, was übrig ist.
conflict-networks-exhausted = Mehr als { $max } Netze sind hier nicht möglich.
conflict-no-gateway = Es gibt noch kein Gateway, das das Netz tragen könnte. Bitten Sie den Betreiber, eines hinzuzufügen.
conflict-gateway-ambiguous = Es gibt mehrere Gateways. Sagen Sie, welches das Netz tragen soll.
conflict-last-admin = Eine Organisation braucht eine Verwaltung. Geben Sie die Rolle zuerst jemand anderem.
conflict-device-revoked = Das Gerät wurde widerrufen, und das gilt für immer. Fügen Sie es neu hinzu.
conflict-already-set-up = Warren ist schon eingerichtet. Melden Sie sich an.
conflict-already-joined = Diese Person ist schon beigetreten und braucht keine Einladung.
conflict-job-ended = Der Auftrag ist schon beendet.
conflict-job-not-ended = Nur ein Auftrag, der endgültig gescheitert ist oder abgebrochen wurde, kann wiederholt werden. Dieser ist es nicht.
conflict-mail-is-off = E-Mail ist hier ausgeschaltet. Starten Sie Warren mit --smtp-url, oder mit --keep-mail, um Briefe anzusehen, ohne sie zu senden.
conflict-file-not-whole = Die Datei wird noch geschrieben. Warten Sie, bis ihr Auftrag fertig ist.
conflict-webhook-disabled = Der Webhook ist ausgeschaltet. Schalten Sie ihn zuerst ein.
conflict-webhooks-exhausted = Mehr als { $max } Webhooks sind hier nicht möglich. Entfernen Sie zuerst einen.
conflict-schedules-exhausted = Mehr als { $max } Zeitpläne sind hier nicht möglich. Entfernen Sie zuerst einen.
invalid-empty = Bitte ausfüllen.
invalid-too-long = Zu lang: { $length } Zeichen; erlaubt sind höchstens { $max }.
invalid-too-short = Zu kurz: { $length ->
    [one] ein Zeichen
   *[other] { $length } Zeichen
}; nötig sind mindestens { $min }.
invalid-control-character = Enthält einen Zeilenumbruch oder ein unsichtbares Zeichen. Tippen Sie es neu.
invalid-slug = Nur Kleinbuchstaben a bis z, Ziffern und einzelne Bindestriche; am Anfang und Ende ein Buchstabe oder eine Ziffer.
invalid-email = Keine E-Mail-Adresse wie name@example.org.
invalid-identifier = Keine Kennung (eine UUID wie 0192f3a4-…).
invalid-key = Kein WireGuard-Schlüssel: 44 Zeichen, die mit „=“ enden.
invalid-weak-key = Ein schwacher Schlüssel, mit dem sich kein Geheimnis vereinbaren lässt. Erzeugen Sie einen neuen.
invalid-prefix = Kein Bereich wie 10.20.0.0/24 oder fd12:3456:789a::/64.
invalid-host-bits = Rechts von der Länge sind Bits gesetzt. Meinten Sie { $meant }?
invalid-reserved-range = Liegt in { $range }, das eine eigene Bedeutung hat. Wählen Sie einen anderen Bereich.
invalid-prefix-length = Hat die Länge /{ $length }; sie muss zwischen /{ $min } und /{ $max } liegen.
invalid-family = Gehört zur anderen Art: IPv4 und IPv6 sind vertauscht.
invalid-no-prefix = Mindestens ein Bereich ist nötig: IPv4, IPv6 oder beide.
invalid-address = Keine IP-Adresse wie 10.20.0.53 oder fd12::53.
invalid-domain = Kein Domänenname wie corp.example.org.
invalid-host = Kein Rechnername und keine IP-Adresse, wie vpn.example.org.
invalid-out-of-range = { $value } ist nicht möglich; der Wert muss zwischen { $min } und { $max } liegen.
invalid-too-many = Zu viele: { $length }; erlaubt sind höchstens { $max }.
invalid-repeated = Nennt { $item } zweimal.
invalid-past = Liegt in der Vergangenheit. Wählen Sie einen späteren Zeitpunkt.
invalid-unknown = Keines von: { $known }.
invalid-cursor = Diese Seite der Liste ist nicht zu finden. Beginnen Sie mit der ersten.
invalid-common-password = Gehört zu den Passwörtern, die zuerst erraten werden. Wählen Sie ein anderes.
invalid-url = Keine Web-Adresse wie https://example.org/hook.
invalid-not-https = Muss mit https:// beginnen, damit unterwegs niemand mitlesen oder etwas ändern kann.
invalid-user-in-url = Darf keinen Benutzer und kein Passwort enthalten.
invalid-url-port = Der Port { $port } geht hier nicht. Lassen Sie ihn weg, oder nehmen Sie einen ab { $first }.
invalid-private-host = { $host } ist nicht im öffentlichen Internet.
invalid-unknown-field = Dieses Feld gibt es nicht. Prüfen Sie die Schreibweise.
invalid-missing-field = Dieses Feld ist nötig.
invalid-repeated-field = Dieses Feld steht zweimal da.
invalid-type = Erwartet wurde { $expected }.
