# Runs a server for as long as somebody holds this script's standard input open, then takes its folder away.
# Every line that arrives starts the server: the first time, and again after it was ended.
# $1: the folder; $2: the signal that ends the server at once; the rest: the server's command line.
folder=$1
ending=$2
shift 2
server=
while read -r _; do
  # The kernel ends the server when this script is killed.
  setpriv --pdeathsig "$ending" -- "$@" </dev/null &
  server=$!
  echo "$server" >"$folder/process"
done
if [ -n "$server" ]; then
  kill -s "$ending" "$server" 2>/dev/null
  tries=0
  while [ "$tries" -lt 50 ] && kill -0 "$server" 2>/dev/null; do
    sleep 0.1
    tries=$((tries + 1))
  done
  kill -s KILL "$server" 2>/dev/null
  wait "$server"
fi
# A killed test may have left a program that still makes the data.
flock --exclusive --timeout 30 "$folder" true
rm -rf "$folder"
