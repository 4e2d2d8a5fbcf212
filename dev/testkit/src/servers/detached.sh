# Runs a server that outlives whoever starts it, for as long as tests use it.
# $1: the seconds without use after which it ends; the rest: what guardian.sh takes.
seconds=$1
shift
sh "$1/while_used.sh" "$1" "$seconds" | sh "$1/guardian.sh" "$@"
