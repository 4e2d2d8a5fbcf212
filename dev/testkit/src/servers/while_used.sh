# Writes one line when a folder is ready, and ends when nobody has held the lock of its file `users` for some seconds. The
# file is gone then, which tells the next one who comes that they are too late.
# $1: the folder; $2: the seconds.
exec 9<"$1/users"
while ! [ -e "$1/ready" ]; do
  # Whoever makes the folder ready was killed.
  flock --nonblock --exclusive 9 && exit
  sleep 0.05
done
echo start
free=0
while sleep 1; do
  if flock --nonblock --exclusive 9; then
    free=$((free + 1))
    if [ "$free" -ge "$2" ]; then
      rm -f "$1/users"
      exit
    fi
    flock --unlock 9
  else
    free=0
  fi
done
