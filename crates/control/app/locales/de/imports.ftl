# Was aus einer Zeile wurde.
result-would-invite = würde eingeladen
result-would-renew = bekäme einen neuen Link
result-invited = eingeladen
result-renewed = neuer Link
result-person-there = ist schon hier
result-would-enrol = würde hinzugefügt
result-enrolled = hinzugefügt
result-there = ist schon da
result-bad = nicht ausgeführt
