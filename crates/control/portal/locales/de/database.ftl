# Wie es den Datenbanken geht.
database-lead = Verbindungen, Wartezeiten und Anweisungen seit dem Start. Von selbst wird hier nichts abgebrochen.
database-again = Noch einmal nachsehen
database-of-system = Systemdatenbank
database-fine-notice = Niemand wartet auf eine Verbindung.
database-waiting-notice = In diesem Augenblick wartet jemand auf eine Verbindung. Das ist noch nichts; eine Warnung wird daraus, wenn die Wartenden kaum vorankommen.
database-short-pool = Die Verbindungen zur Datenbank von { $name } gehen aus
database-short-server = Die Verbindungen, die der Datenbankserver haben darf, gehen aus
database-short-open = Die Plätze für offene Datenbanken gehen aus
database-sign-line = Wer wartet, kommt kaum voran.
database-sign-long-waits = Mehr als einer von hundert hat zu lange gewartet.
database-sign-refusals = Manche haben vergeblich gewartet.
database-tally-active = { $count ->
    [one] Verbindung in Gebrauch
   *[other] Verbindungen in Gebrauch
}
database-tally-waiting = { $count ->
    [one] wartet auf eine
   *[other] warten auf eine
}
database-tally-open = offen, von höchstens { $count } Datenbanken
database-tally-suspicions = { $count ->
    [one] Verdacht seit dem Start
   *[other] Verdachtsfälle seit dem Start
}
database-pools = Verbindungen
database-half-most = Zeiten: die Hälfte bis zur ersten, 99 von 100 bis zur zweiten
database-pool = Vorrat
database-in-use = In Gebrauch
database-in-use-mean = Im Mittel in Gebrauch
database-in-line = Wartend
database-waited = Gewartet
database-kept = Behalten
database-refused = Vergeblich
database-broken = Abgerissen
database-state-fine = In Ordnung
database-state-waiting = Wartend
database-state-running-out = Geht aus
database-kind-system = Systemdatenbank
database-kind-tenant = Datenbanken der Organisationen
database-role-write = zum Schreiben
database-role-read = zum Lesen
database-role-both = zum Lesen und Schreiben
database-busiest = Die meistbeschäftigten Organisationen
database-lately = In den letzten zehn Sekunden
database-none-open = Keine Datenbank einer Organisation ist offen.
database-organisation = Organisation
database-acquired = Ausgegeben
database-mean-wait = Im Mittel gewartet
database-suspicions = Was lange dauert
database-no-suspicion = Nichts hat länger gedauert, als es soll.
database-suspicion-statement = Eine Anweisung läuft lange
database-suspicion-idle-in-hand = Eine Verbindung wird gehalten, ohne dass etwas mit ihr geschieht; vielleicht wurde sie vergessen
database-suspicion-transaction = Eine Transaktion ist lange offen
database-ongoing = bisher { $span }
database-over = vorbei nach { $span }
database-slow = Langsame Anweisungen
database-no-slow = Keine Anweisung war langsam.
database-work-system = Arbeit an der Systemdatenbank
database-work-tenant = Arbeit an den Datenbanken der Organisationen
database-attempts = Anläufe zu Transaktionen
database-took = Eine Transaktion dauert
database-end-committed = Abgeschlossen
database-end-failed = Rückgängig, weil etwas fehlschlug
database-end-timed-out = Rückgängig, weil es zu lange dauerte
database-end-dropped = Rückgängig, weil niemand mehr wartete
database-end-given-up = Nach vielen Anläufen aufgegeben
database-end-unknown = Unbekannt, ob abgeschlossen
database-retry-deadlock = Neuer Anlauf nach einer Verklemmung
database-retry-serialisation = Neuer Anlauf, weil anderes dazwischenkam
database-retry-busy = Neuer Anlauf, weil die Datenbank beschäftigt war
database-retry-disconnected = Neuer Anlauf nach einer abgerissenen Verbindung
database-statements = Die Anweisungen, die zusammen am längsten dauerten
database-statement = Anweisung
database-count = Anzahl
database-total = Zusammen
database-mean = Im Mittel
database-most = 99 von 100 bis
database-where = Wo sie stehen
database-engine = Datenbank
database-engine-sqlite = SQLite
database-engine-mariadb = MariaDB
database-engine-postgresql = PostgreSQL
database-place = Systemdatenbank
database-server = Verbindungen zum Server
database-looked = Nachgesehen
