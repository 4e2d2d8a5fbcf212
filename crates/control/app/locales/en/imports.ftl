# What came of a line.
result-would-invite = would be invited
result-would-renew = would get a new link
result-invited = invited
result-renewed = new link
result-person-there = is here already
result-would-enrol = would be added
result-enrolled = added
result-there = is there already
result-bad = not done
