# The overview of an organisation.
suspended-notice = This organisation is suspended: nobody but operators can work in it, and its devices reach nothing.
tally-online = { $count ->
    [one] device connected now
   *[other] devices connected now
}
tally-active = { $count ->
    [one] active device
   *[other] active devices
}
tally-networks = { $count ->
    [one] network
   *[other] networks
}
tally-people = { $count ->
    [one] person
   *[other] people
}
path = Three steps to a connection
path-network = Make a network
path-network-lead = A network is a private range of addresses behind a gateway. Good values are filled in for you.
path-network-wait = An admin makes the network.
path-device = Add a device
path-device-lead = Each laptop or phone has a key and a configuration of its own.
path-connect = Connect
path-connect-lead = Import the configuration into the WireGuard app and switch it on. This page shows when it is there.
recent = Seen most recently
devices-mine = My devices
devices-all = All devices
networks-all = All networks
networks-none-yet = No network yet.
presence-online = Connected
presence-offline = Not connected
state-active = Active
state-disabled = Disabled
state-expired = Expired
state-revoked = Revoked
organisation-state-active = Active
organisation-state-suspended = Suspended
gateway-state-online = Online
gateway-state-offline = Offline
gateway-state-pending = Waiting to join
role-member = Member
role-admin = Admin
role-hint-member = Sees the networks and keeps devices of their own.
role-hint-admin = Manages the people, networks and devices.
standing-invited = Invited
standing-joined = Joined
backend-userspace = In user space
backend-kernel = In the kernel
tunnel-split = Only the network
tunnel-full = Everything
device-traffic-allowed = Devices reach each other
device-traffic-blocked = Devices do not reach each other
gateway-state-faulty = Faulty
settings-lead = What admins decide about the organisation itself.
settings-about = About this organisation
settings-name-hint = Everybody in it sees the name. It can be changed at any time.
settings-slug-note = The short name stands in addresses and never changes.
