# Why something was refused or failed, and what to do about it.
thing-organisation = organisation
thing-person = person
thing-network = network
thing-device = device
thing-gateway = gateway
thing-page = page
thing-job = job
thing-file = file
thing-schedule = schedule
thing-webhook = webhook
thing-delivery = delivery
thing-mail = letter
thing-dependency = dependency
problem-invalid-title = Some values cannot be used
problem-invalid-detail = Correct what is named and send it again.
problem-file-title = The file cannot be used
problem-file-detail = Put it right and send it again.
problem-not-signed-in-title = You are not signed in
problem-not-signed-in-detail = Sign in and try again.
problem-sign-in-refused-title = That did not match
problem-sign-in-refused-detail = The e-mail address or the password is wrong. Check both and try again.
problem-forbidden-title = This takes a right that you do not hold
problem-forbidden-detail = Ask an admin of your organisation, or the operator of this installation.
problem-not-found-title = Not found
problem-not-found-detail = There is no such { $thing }, or none that you may see. It may have been removed, or the address is mistyped.
problem-conflict-title = That contradicts what is there
problem-stale-title = Somebody else was faster
problem-stale-detail = This was changed since you loaded it. Load it again and repeat your change.
problem-link-spent-title = This link no longer works
problem-link-spent-detail = It was used, replaced by a newer one, or has expired. Ask whoever gave it to you for a new one.
problem-suspended-title = This organisation is suspended
problem-suspended-detail = Ask the operator of this installation.
problem-idempotency-mismatch-title = The same request key stood for something else
problem-idempotency-mismatch-detail = An Idempotency-Key may be repeated only with the same request. Take a new one.
problem-secret-gone-title = This was shown once already
problem-secret-gone-detail = What you asked for was made, and its secret was shown then. It is kept nowhere. If it is lost, revoke it and make a new one.
problem-busy-title = Too much at once
problem-busy-detail = Try again in { $seconds ->
    [one] a second
   *[other] { $seconds } seconds
}.
problem-unavailable-title = Not possible right now
problem-unavailable-detail = The database cannot be used now, and nothing was changed. Try again in { $seconds ->
    [one] a second
   *[other] { $seconds } seconds
}.
problem-internal-title = Something went wrong here
problem-internal-detail = It is not your fault. Try again; if it stays so, tell the operator the number of this request.
problem-malformed-title = The body cannot be read
problem-malformed-detail = It is not complete JSON. See line { $line }, column { $column }.
problem-too-large-title = That is too much to send at once
problem-too-large-detail = At most { $max } KiB are read.
problem-file-too-large-title = The file is too large
problem-file-too-large-detail = At most { $max } MiB are read. Divide it into several.
problem-upload-broken-title = The file did not arrive whole
problem-upload-broken-detail = It stopped coming, or came in a form that cannot be read, and nothing of it is kept. Send it again; after { $seconds } seconds in which nothing comes it is given up.
problem-media-type-title = The body has another form than is read here
problem-media-type-detail = Send it as { $expected }.
problem-cross-origin-title = This did not come from Warren’s own page
problem-cross-origin-detail = The request came from another site and was refused for your protection. Open Warren’s own page and do it there.
problem-too-many-attempts-title = Too many attempts
problem-too-many-attempts-detail = Wait { $seconds ->
    [one] a second
   *[other] { $seconds } seconds
} and try again.
problem-time-limit-title = That took too long
problem-time-limit-detail = It was given up after { $limit ->
    [one] a second
   *[other] { $limit } seconds
}. Try again in { $seconds ->
    [one] a second
   *[other] { $seconds } seconds
}.
problem-precondition-missing-title = The version is missing
problem-precondition-missing-detail = Say in If-Match which version you want to change, as its ETag said, or “*” for any.
problem-method-title = This address does not do that
problem-method-detail = It takes only the methods named in the Allow header.
problem-credential-title = The gateway’s credential is not known
problem-credential-detail = It is missing, was replaced or has expired. Make a new join command for the gateway.
problem-upgrade-title = This address speaks WebSocket
problem-upgrade-detail = Only gateways connect here.
conflict-slug-taken = Another organisation has this short name. Choose another one.
conflict-network-name-taken = Another network has this name. Choose another one.
conflict-gateway-name-taken = Another gateway has this name. Choose another one.
conflict-person-already-there = Somebody with this e-mail address is here already.
conflict-public-key-taken = Another device has this key. Make a new one.
conflict-addresses-exhausted = The network has no free address left. Revoke devices that are no longer used, or make a larger network.
conflict-ports-exhausted = The gateway has no free port left. Choose another gateway.
conflict-prefixes-overlap = The range overlaps with { $prefix } of the network { $other }. Choose another one.
conflict-prefixes-in-use = The ranges cannot change while { $devices ->
    [one] a device holds an address
   *[other] { $devices } devices hold addresses
} in them. Revoke the devices first, or make another network.
conflict-network-in-use = The network still has { $devices ->
    [one] a device
   *[other] { $devices } devices
}. Revoke what is left first.
conflict-gateway-in-use = The gateway still carries { $networks ->
    [one] a network
   *[other] { $networks } networks
}. Remove what is left first.
conflict-networks-exhausted = More than { $max } networks are not possible here.
conflict-no-gateway = There is no gateway yet that could carry the network. Ask the operator to add one.
conflict-gateway-ambiguous = There are several gateways. Say which one shall carry the network.
conflict-last-admin = An organisation needs an admin. Make somebody else an admin first.
conflict-device-revoked = The device was revoked, which is for ever. Add it anew.
conflict-already-set-up = Warren is set up already. Sign in.
conflict-already-joined = This person has joined already and needs no invitation.
conflict-job-ended = The job has come to its end already.
conflict-job-not-ended = Only a job that failed for good or was called off can run again. This one has not.
conflict-mail-is-off = Mail is switched off here. Start Warren with --smtp-url, or with --keep-mail to look at letters without sending them.
conflict-file-not-whole = The file is still being written. Wait until its job is done.
conflict-webhook-disabled = The webhook is disabled. Enable it first.
conflict-webhooks-exhausted = More than { $max } webhooks are not possible here. Remove one first.
conflict-schedules-exhausted = More than { $max } schedules are not possible here. Remove one first.
invalid-empty = Fill this in.
invalid-too-long = Too long: { $length } characters, and at most { $max } are allowed.
invalid-too-short = Too short: { $length ->
    [one] one character
   *[other] { $length } characters
}, and at least { $min } are needed.
invalid-control-character = Holds a line break or an invisible character. Type it anew.
invalid-slug = Only lower-case letters a to z, digits and single hyphens; it begins and ends with a letter or digit.
invalid-email = Not an e-mail address such as name@example.org.
invalid-identifier = Not an identifier (a UUID such as 0192f3a4-…).
invalid-key = Not a WireGuard key: 44 characters that end in “=”.
invalid-weak-key = A weak key, with which no secret can be agreed. Make a new one.
invalid-prefix = Not a range such as 10.20.0.0/24 or fd12:3456:789a::/64.
invalid-host-bits = Bits are set to the right of its length. Did you mean { $meant }?
invalid-reserved-range = Lies in { $range }, which has a meaning of its own. Choose another range.
invalid-prefix-length = Has the length /{ $length }; it must lie between /{ $min } and /{ $max }.
invalid-family = Belongs to the other kind: IPv4 and IPv6 are swapped.
invalid-no-prefix = At least one range is needed: IPv4, IPv6 or both.
invalid-address = Not an IP address such as 10.20.0.53 or fd12::53.
invalid-domain = Not a domain name such as corp.example.org.
invalid-host = Not a host name or IP address, such as vpn.example.org.
invalid-out-of-range = { $value } is not possible; it must lie between { $min } and { $max }.
invalid-too-many = Too many: { $length }, and at most { $max } are allowed.
invalid-repeated = Names { $item } twice.
invalid-past = Lies in the past. Choose a later moment.
invalid-unknown = Not one of: { $known }.
invalid-cursor = This page of the list cannot be found. Begin with the first page.
invalid-common-password = Among the passwords that are guessed first. Choose another one.
invalid-url = Not a web address such as https://example.org/hook.
invalid-not-https = Must begin with https://, so that nobody on the way can read or change what is sent.
invalid-user-in-url = Must hold no user and no password.
invalid-url-port = The port { $port } is not for this. Leave it out, or use one from { $first } on.
invalid-private-host = { $host } is not on the public internet.
invalid-unknown-field = There is no such field. Check its spelling.
invalid-missing-field = This field is needed.
invalid-repeated-field = This field stands there twice.
invalid-type = Expected was { $expected }.
