# What stands on every page.
brand = Warren
brand-home = Warren, to the first page
skip = Skip to the content
door-word = Private networks, one tunnel from anywhere.
language = Language
theme = Appearance
theme-light = Light
theme-dark = Dark
theme-system = As the system
api-reference = API
ways = Main navigation
person-menu = Your account
sign-out = Sign out
place-change = { $place }. Open the menu
place-all = All organisations
place-operator = Operate the installation
place-installation = Installation
overview = Overview
devices = Devices
networks = Networks
people = People
records = Import & export
activity = Activity
status = Status
organisations = Organisations
database = Database
gateways = Gateways
jobs = Jobs
mail = Mail
dependencies = Dependencies
pager = Pages
pager-first = First page
pager-next = Next page
filter-any = Any
filter-anyone = Anyone
filter-anything = Anything
filter-do = Apply
filter-clear = Show all
copy = Copy
copy-this = Copy { $value }
copied = Copied
copy-failed = Copying was refused by the browser. Select the text and copy it by hand.
download = Download
save = Save
cancel = Cancel
done = Done
go-on = Continue
change = Change
change-of = Change { $name }
actions = Actions
more-options = More options
yes = Yes
no = No
none = None
never = Never
unknown = Not known
never-seen = Never yet
last-seen = Last seen
since = Since
created-at = Created
request = Request
request-id = Give this number to whoever operates Warren; it leads to everything about this request.
unreachable = Warren could not be reached. Check your connection and try again.
size-byte = { $amount } B
size-kilobyte = { $amount } kB
size-megabyte = { $amount } MB
size-gigabyte = { $amount } GB
size-terabyte = { $amount } TB
size-petabyte = { $amount } PB
unit-bytes = { $count ->
    [one] { $count } byte
   *[other] { $count } bytes
}
unit-seconds = { $count ->
    [one] { $count } second
   *[other] { $count } seconds
}
count-devices = { $count ->
    [one] { $count } device
   *[other] { $count } devices
}
count-faults = { $count ->
    [one] { $count } network with a fault
   *[other] { $count } networks with a fault
}
settings = Settings
