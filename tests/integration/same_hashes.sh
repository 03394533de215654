#!/usr/bin/env bash
# same_hashes - plays every simulated spec in processes of its own and demands
# that the same happened in each, byte for byte.
#   same_hashes.sh [executable ...]
# Each executable (of one build or of several) plays everything; one alone,
# $MOONPEER when none is given, plays it twice.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/../.."
[ $# -gt 0 ] || set -- "$MOONPEER"
[ $# -gt 1 ] || set -- "$1" "$1"
folder=$(mktemp -d)
trap 'rm -r "$folder"' EXIT

# The hashes of all plays, by name: files are played in order, what is in one
# need not be.
play() {
  MOONPEER_HASHES=$2 "${BUSTED:-busted}" --lua="$1" \
    --cpath="$(dirname "$1")/?.so" --filter=in.a.world \
    --output=plainTerminal tests/lua >"$folder/out" 2>&1 ||
    { cat "$folder/out" >&2; exit 1; }
  sort -k2 -o "$2" "$2"
}

n=0
for executable; do
  n=$((n + 1))
  # a different place in memory, length of the environment and time zone
  export TZ="UTC+$n" MOONPEER_PADDING=$(printf "%$((n * 777))s")
  play "$executable" "$folder/$n"
  if ! diff "$folder/1" "$folder/$n" >&2; then
    echo "not the same: $1 and $executable (run $n)" >&2
    exit 1
  fi
done
lines=$(wc -l <"$folder/1")
[ "$lines" -gt 50 ] || { echo "only $lines plays were hashed" >&2; exit 1; }
echo "$lines plays, $n processes: the same"
