# Was jeder Brief sagt.
invitation-subject = Ihre Einladung zu { $organisation }
invitation-lead =
    { $role ->
        [admin] Sie sind eingeladen, { $organisation } zu verwalten: Personen, Netze und Geräte.
       *[member] Sie sind zu { $organisation } eingeladen: Fügen Sie Ihre Geräte hinzu, und erreichen Sie die Netze von überall.
    }
invitation-lead-from =
    { $role ->
        [admin] { $from } lädt Sie ein, { $organisation } zu verwalten: Personen, Netze und Geräte.
       *[member] { $from } lädt Sie zu { $organisation } ein: Fügen Sie Ihre Geräte hinzu, und erreichen Sie die Netze von überall.
    }
invitation-do = Einladung annehmen
invitation-expires = Der Link gilt einmal, bis zum { $moment }.
invitation-unexpected = Sie haben das nicht erwartet? Dann lassen Sie es liegen; ohne den Link geschieht nichts.
report-subject = { $report } – { $organisation }
report-lead = Der Bericht „{ $report }“ von { $organisation } ist fertig.
report-attached =
    { $count ->
        [one] Er hängt an dieser Mail.
       *[other] Er hängt an dieser Mail, in { $count } Dateien.
    }
report-do = Bericht öffnen
export-subject = Der Export von { $organisation } ist fertig
export-lead = Der Export von allem, was zu { $organisation } gehört, ist fertig.
export-lead-person = Der Export dessen, was { $organisation } über { $person } aufbewahrt, ist fertig.
export-size = Größe
export-do = Export herunterladen
export-expires = Er lässt sich bis zum { $moment } herunterladen.
export-care = Er enthält persönliche Daten. Bewahren Sie ihn auf, wo ihn sonst niemand liest.
import-subject = „{ $file }“ ist importiert – { $organisation }
import-lead = Der Import von „{ $file }“ ist fertig, jede Zeile davon.
import-subject-skipped = „{ $file }“ ist zum Teil importiert – { $organisation }
import-lead-skipped = Der Import von „{ $file }“ ist fertig. Fehlerhafte Zeilen wurden ausgelassen; die Seite sagt, welche und warum.
import-subject-refused = „{ $file }“ ist nicht importiert – { $organisation }
import-lead-refused = Von „{ $file }“ wurde nichts importiert, weil Zeilen darin fehlerhaft sind. Die Seite sagt, welche und warum.
import-created = Neu
import-changed = Geändert
import-skipped = Ausgelassen
import-refused = Fehlerhaft
import-do = Jede Zeile ansehen
alert-subject = Warren: { $what }
alert-since = Seit
alert-advice = Was zu tun ist
alert-do = Statusseite öffnen
test-subject = Eine Testmail von Warren
test-lead = Die Mail funktioniert: Warren hat diese am { $moment } geschrieben, und sie ist bei Ihnen.
