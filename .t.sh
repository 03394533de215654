#!/bin/sh
# usage: .t.sh preset spec [busted args]
p=$1; s=$2; shift 2
MOONPEER_LUA=lua MOONPEER=build/$p/moonpeer timeout 200 busted --lua=${LUA_EXE:-build/$p/moonpeer} --cpath=$PWD/build/$p/?.so --output=${OUT:-plainTerminal} tests/$s "$@"
