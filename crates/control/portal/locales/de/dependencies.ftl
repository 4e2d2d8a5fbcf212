# Was Warren braucht und wovon es nicht weiß, ob es da ist.
dependencies-lead = Was Warren braucht und wovon es nicht weiß, ob es da ist. Was versagt oder langsam ist, wird eine Weile in Ruhe gelassen und dann erprobt.
breaker-closed = Wird gefragt
breaker-open = In Ruhe gelassen
breaker-half-open = Wird erprobt
breaker-forced-open = Von Hand in Ruhe gelassen
breaker-forced-closed = Von Hand gefragt
dependency-next-probe = Wieder erprobt
dependency-window = Beurteilt nach
dependency-window-calls = { $count ->
    [one] einem Aufruf
   *[other] { $count } Aufrufen
}
dependency-window-failed = { $count ->
    [one] einer gescheitert
   *[other] { $count } gescheitert
}
dependency-window-slow = { $count ->
    [one] einer langsam
   *[other] { $count } langsam
}
dependency-refused = { $count ->
    [one] einer unterlassen
   *[other] { $count } unterlassen
}
dependency-calls = Seit dem Start
dependency-usual = Ein Aufruf dauert meist
dependency-in-flight = Unterwegs
dependency-in-line = { $count ->
    [one] einer wartet
   *[other] { $count } warten
}
dependency-last-failure = Letzter Fehler
dependency-changes = Was sich änderte
cause-failures = { $bad } der letzten { $calls } Aufrufe sind gescheitert.
cause-slow-calls = { $bad } der letzten { $calls } Aufrufe haben zu lange gedauert.
cause-wait-over = Die Wartezeit war vorbei, und jemand hat gefragt.
cause-probe-failed = Der zur Probe durchgelassene Aufruf ist gescheitert.
cause-probe-slow = Der zur Probe durchgelassene Aufruf hat zu lange gedauert.
cause-probes-succeeded = Die zur Probe durchgelassenen Aufrufe sind gelungen.
cause-forced = Ein Betreiber hat es so bestimmt.
cause-released = Ein Betreiber lässt es wieder selbst entscheiden.
force-open = In Ruhe lassen
force-open-question = { $name } in Ruhe lassen?
force-open-consequence = Es wird nicht mehr aufgerufen. Was es braucht, wartet, wird anders beantwortet oder abgelehnt, bis Sie es wieder selbst entscheiden lassen oder dieser Prozess endet.
force-closed = In jedem Fall fragen
force-closed-question = { $name } in jedem Fall fragen?
force-closed-consequence = Jeder Aufruf geschieht, auch wenn alle scheitern oder lange dauern, bis Sie es wieder selbst entscheiden lassen oder dieser Prozess endet.
force-release = Selbst entscheiden lassen
force-release-question = { $name } wieder selbst entscheiden lassen?
force-release-consequence = Aufrufe gehen durch und werden von jetzt an beurteilt.
calls-left-alone = in Ruhe gelassen
calls-called = in jedem Fall
calls-released = wie es selbst entscheidet
tasks = Hintergrundarbeit
tasks-lead = Was versagt, wird neu gestartet
tasks-none = Dieser Prozess verrichtet keine Hintergrundarbeit.
task = Aufgabe
task-state-running = Läuft
task-state-waiting = Startet neu
task-restarts = Neu gestartet
