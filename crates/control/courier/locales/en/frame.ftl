# What stands in every letter.
foot = Warren wrote this mail. Nobody reads an answer to it.
foot-site = Warren at { $site } wrote this mail.
otherwise = If the button does nothing, open this address:
moment = { $day } { $month } { $year }, { $clock } UTC
month-1 = January
month-2 = February
month-3 = March
month-4 = April
month-5 = May
month-6 = June
month-7 = July
month-8 = August
month-9 = September
month-10 = October
month-11 = November
month-12 = December
