# The operator's pages.
status-lead = How this installation is.
status-fine = Everything is as it should be.
status-server = This server
status-address = Address
status-version = Version
status-since = Running since
status-open = Open organisation databases
tally-organisations = { $count ->
    [one] organisation
   *[other] organisations
}
tally-gateways = { $count ->
    [one] gateway
   *[other] gateways
}
tally-gateways-online = { $count ->
    [one] gateway online
   *[other] gateways online
}
organisations-lead = Each has a database of its own and sees nothing of the others.
organisation-add = Add an organisation
organisation-add-do = Add the organisation
organisation-add-lead = It gets a database of its own. Afterwards, enter it and invite its admin.
organisation-change-heading = Change { $name }
organisation-access = Access
suspend = Suspend the organisation
suspend-lead = Suspending shuts everybody but operators out, and all its devices are cut off. Nothing is deleted.
resume = Resume the organisation
resume-lead = The organisation is suspended. Resuming lets people and devices in again.
gateways-lead = The processes that carry the traffic. One may serve many organisations; they never meet on it.
gateways-empty = No gateway yet
gateways-empty-lead = A gateway carries the traffic of your networks. “warren up” starts one on this host where it may; others join with one command.
gateway-add = Add a gateway
gateway-add-do = Add and show the command
gateway-add-lead = On another host. Afterwards you get the command that makes that host the gateway.
gateway-name-hint = Such as the place where it stands: “fra-1”.
endpoint-host-hint = The name or address by which devices reach it from outside.
endpoint-host-change-hint = Devices that are set up already keep the earlier one until they get a new configuration.
first-port-hint = UDP. The first network uses this port, later ones count up; open them in the firewall.
gateway-about = About this gateway
gateway-backend = WireGuard runs
gateway-software = Software
gateway-more = Join and remove
gateway-loopback-of = Devices are told to reach { $name } at an address that only this server itself can reach. Phones and laptops will not find it.
gateway-loopback-mend = Change the address
gateway-remove = Remove the gateway
gateway-remove-question = Remove { $name }?
gateway-remove-consequence = Its host can no longer connect. It can be removed only when it carries no network.
gateway-remove-do = Remove
join-heading = Make a host the gateway { $name }
join-lead = Run this as root on that host, where Warren is installed:
join-once = The command is shown this once and works once. It works until
join-renew = Make a new join command
join-renew-hint = For a host that is to take this gateway’s place, or when the earlier command has expired.
status-gateways-away = { $count ->
    [one] One gateway is not online.
   *[other] { $count } gateways are not online.
}
