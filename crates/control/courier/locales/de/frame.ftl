# Was in jedem Brief steht.
foot = Warren hat diese Mail geschrieben. Eine Antwort darauf liest niemand.
foot-site = Warren unter { $site } hat diese Mail geschrieben.
otherwise = Wenn die Schaltfläche nichts tut, öffnen Sie diese Adresse:
moment = { $day }. { $month } { $year }, { $clock } Uhr UTC
month-1 = Januar
month-2 = Februar
month-3 = März
month-4 = April
month-5 = Mai
month-6 = Juni
month-7 = Juli
month-8 = August
month-9 = September
month-10 = Oktober
month-11 = November
month-12 = Dezember
