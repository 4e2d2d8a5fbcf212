# Aufträge und ihre Warteschlangen.
jobs-lead = Arbeit, die außerhalb der Anfrage geschieht, die um sie bat, und was daraus wurde.
jobs-tally-ready = { $count ->
    [one] kann beginnen
   *[other] können beginnen
}
jobs-tally-running = { $count ->
    [one] läuft
   *[other] laufen
}
jobs-tally-waiting = { $count ->
    [one] ist noch nicht fällig
   *[other] sind noch nicht fällig
}
jobs-tally-dead = { $count ->
    [one] ist endgültig gescheitert
   *[other] sind endgültig gescheitert
}
jobs-paused = Die Warteschlange { $queue } ist angehalten; ihre Aufträge warten.
jobs-resume = Weiterlaufen lassen
jobs-dead-notice = { $count ->
    [one] Ein Auftrag ist endgültig gescheitert. Zu sehen in der Warteschlange
   *[other] { $count } Aufträge sind endgültig gescheitert. Zu sehen in der Warteschlange
}
jobs-replay-queue = Noch einmal ausführen
jobs-queues = Warteschlangen
jobs-ready = Bereit
jobs-running = Laufen
jobs-waiting = Warten
jobs-dead = Gescheitert
jobs-delay = Ältester wartet
jobs-waited = Gewartet
jobs-ran = Gedauert
jobs-pause = Anhalten
jobs-pause-this = Die Warteschlange { $queue } anhalten
jobs-is-paused = Angehalten
jobs-all = Alle Aufträge
jobs-filter = Aufträge auswählen
jobs-none = Es gibt keinen Auftrag. Erledigte werden eine Woche aufbewahrt, endgültig gescheiterte einen Monat.
jobs-none-fit = Kein Auftrag passt.
jobs-workers = Wer daran arbeitet
jobs-places-here = Dieser Prozess: { $places } Plätze belegt
jobs-no-worker = Kein Prozess arbeitet an Aufträgen.
queue-mail = E-Mail
queue-webhooks = Webhooks
queue-records = Importe und Exporte
queue-reports = Berichte
job-state-waiting = Wartet
job-state-ready = Bereit
job-state-running = Läuft
job-state-stopping = Hält an
job-state-done = Erledigt
job-state-dead = Endgültig gescheitert
job-state-cancelled = Abgebrochen
job-priority = Vorrang
job-priority-urgent = Dringend
job-priority-normal = Normal
job-priority-low = Niedrig
job-progress = Fortschritt
job-kind = Art
job-attempts = Versuche
job-asked-for = Angefordert
job-due = Fällig
job-begun = Zuletzt begonnen
job-ended = Beendet
job-deadline = Nicht nach
job-worker = Arbeiter
job-id = Auftrag
job-host = Rechner
job-process = Prozess
job-places = Plätze
job-about = Über diesen Auftrag
job-failed = Der letzte Versuch ist gescheitert
job-result = Was daraus wurde
job-cancel = Abbrechen
job-cancel-lead = Ein Auftrag, der noch nicht begonnen hat, beginnt nie. Einer, der läuft, hält an, sobald er an eine gute Stelle kommt.
job-replay = Noch einmal ausführen
job-replay-lead = Er ist sofort bereit und hat wieder alle Versuche vor sich.
