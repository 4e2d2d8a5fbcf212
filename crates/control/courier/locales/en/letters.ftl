# What each letter says.
invitation-subject = Your invitation to { $organisation }
invitation-lead =
    { $role ->
        [admin] You are invited to join { $organisation } as an admin, who manages its people, networks and devices.
       *[member] You are invited to join { $organisation }: add your devices, and reach its networks from anywhere.
    }
invitation-lead-from =
    { $role ->
        [admin] { $from } invites you to join { $organisation } as an admin, who manages its people, networks and devices.
       *[member] { $from } invites you to join { $organisation }: add your devices, and reach its networks from anywhere.
    }
invitation-do = Accept the invitation
invitation-expires = The link works once, until { $moment }.
invitation-unexpected = You did not expect this? Then leave it alone; nothing happens without the link.
report-subject = { $report } – { $organisation }
report-lead = The report “{ $report }” of { $organisation } is ready.
report-attached =
    { $count ->
        [one] It is attached to this mail.
       *[other] It is attached to this mail, in { $count } files.
    }
report-do = Open the report
export-subject = The export of { $organisation } is ready
export-lead = The export of everything that belongs to { $organisation } is ready.
export-lead-person = The export of what { $organisation } keeps about { $person } is ready.
export-size = Size
export-do = Download the export
export-expires = It can be downloaded until { $moment }.
export-care = It holds personal data. Keep it where nobody else reads it.
import-subject = “{ $file }” is imported – { $organisation }
import-lead = The import of “{ $file }” is done; every line of it.
import-subject-skipped = “{ $file }” is imported in part – { $organisation }
import-lead-skipped = The import of “{ $file }” is done. Lines that were wrong were left out; the page tells which and why.
import-subject-refused = “{ $file }” is not imported – { $organisation }
import-lead-refused = Nothing of “{ $file }” was imported, as lines of it are wrong. The page tells which and why.
import-created = New
import-changed = Changed
import-skipped = Left out
import-refused = Wrong
import-do = See every line
alert-subject = Warren: { $what }
alert-since = Since
alert-advice = What to do
alert-do = Open the status page
test-subject = A test mail from Warren
test-lead = Mail works: Warren wrote this one on { $moment }, and it reached you.
