# The page that goes with an archive.
export-readme-organisation = This archive holds what Warren keeps of the organisation, as it was read from { $at } on.

    organisation  its name and state
    people        who belongs to it, joined or invited
    networks      its networks and their settings
    devices       every device, revoked ones too
    usage         what passed through each device’s tunnel since it was enrolled
    activity      the audit trail, newest first

    Each table is there as .csv, for spreadsheets, and as .json, for programs. Moments are in UTC.
    A ' before a value in .csv keeps spreadsheets from taking it for a formula; it is no part of the value.
    manifest.json lists the files with the number of their lines and their SHA-256 hashes.
    Private keys, passwords and other secrets are not part of it.
export-readme-person = This archive holds what one organisation keeps of one person, as it was read from { $at } on.

    person    the membership
    devices   the person’s devices, revoked ones too
    usage     what passed through their tunnels since they were enrolled
    activity  what the person did, and what was done to them or to their devices

    Each table is there as .csv, for spreadsheets, and as .json, for programs. Moments are in UTC.
    A ' before a value in .csv keeps spreadsheets from taking it for a formula; it is no part of the value.
    manifest.json lists the files with the number of their lines and their SHA-256 hashes.
    Private keys, passwords and other secrets are not part of it.
export-readme-own = This archive holds what Warren keeps of you, as it was read from { $at } on.

    account      your sign-in
    memberships  the organisations that you belong to
    sessions     the browsers in which you are or were signed in lately
    activity     when you signed in and out, and what you did to the installation

    For each organisation there is a folder with your devices, their usage, and what you did or was done to you there.
    { $missing ->
        [0] None is missing.
       *[other] Missing, because they are suspended or could not be opened: { $left_out }
    }

    Each table is there as .csv, for spreadsheets, and as .json, for programs. Moments are in UTC.
    A ' before a value in .csv keeps spreadsheets from taking it for a formula; it is no part of the value.
    manifest.json lists the files with the number of their lines and their SHA-256 hashes.
    Private keys, passwords and other secrets are not part of it.
