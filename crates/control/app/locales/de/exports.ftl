# Die Seite, die zu einem Archiv gehört.
export-readme-organisation = Dieses Archiv enthält, was Warren von der Organisation führt, gelesen ab { $at }.

    organisation  Name und Zustand
    people        wer dazu gehört, beigetreten oder eingeladen
    networks      die Netze und ihre Einstellungen
    devices       jedes Gerät, auch widerrufene
    usage         was seit der Aufnahme durch den Tunnel jedes Geräts ging
    activity      das Protokoll, das Neueste zuerst

    Jede Tabelle gibt es als .csv für Tabellenkalkulationen und als .json für Programme. Zeiten sind UTC.
    Ein ' vor einem Wert in .csv verhindert, dass er für eine Formel gehalten wird; es gehört nicht zum Wert.
    manifest.json nennt die Dateien mit der Zahl ihrer Zeilen und ihren SHA-256-Prüfsummen.
    Private Schlüssel, Passwörter und andere Geheimnisse sind nicht dabei.
export-readme-person = Dieses Archiv enthält, was eine Organisation von einer Person führt, gelesen ab { $at }.

    person    die Mitgliedschaft
    devices   die Geräte der Person, auch widerrufene
    usage     was seit der Aufnahme durch ihre Tunnel ging
    activity  was die Person tat, und was ihr oder ihren Geräten geschah

    Jede Tabelle gibt es als .csv für Tabellenkalkulationen und als .json für Programme. Zeiten sind UTC.
    Ein ' vor einem Wert in .csv verhindert, dass er für eine Formel gehalten wird; es gehört nicht zum Wert.
    manifest.json nennt die Dateien mit der Zahl ihrer Zeilen und ihren SHA-256-Prüfsummen.
    Private Schlüssel, Passwörter und andere Geheimnisse sind nicht dabei.
export-readme-own = Dieses Archiv enthält, was Warren von Ihnen führt, gelesen ab { $at }.

    account      Ihr Konto
    memberships  die Organisationen, zu denen Sie gehören
    sessions     die Browser, in denen Sie angemeldet sind oder zuletzt waren
    activity     wann Sie sich an- und abgemeldet haben, und was Sie an der Installation taten

    Für jede Organisation gibt es einen Ordner mit Ihren Geräten, deren Nutzung, und was Sie dort taten oder was Ihnen geschah.
    { $missing ->
        [0] Keine fehlt.
       *[other] Es fehlen, weil sie gesperrt sind oder sich nicht öffnen ließen: { $left_out }
    }

    Jede Tabelle gibt es als .csv für Tabellenkalkulationen und als .json für Programme. Zeiten sind UTC.
    Ein ' vor einem Wert in .csv verhindert, dass er für eine Formel gehalten wird; es gehört nicht zum Wert.
    manifest.json nennt die Dateien mit der Zahl ihrer Zeilen und ihren SHA-256-Prüfsummen.
    Private Schlüssel, Passwörter und andere Geheimnisse sind nicht dabei.
