#!/usr/bin/env bash
# A batch of 10,000 episodes is killed ten times at random moments and resumed; then it runs on a disk that is too small.
# Its digest must be that of an undisturbed run. Usage: tests/cut_off.sh [FORETHOUGHT] [EPISODES]
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-target/release/forethought}
episodes=${2:-10000}

run() { "$program" batch two_rooms --mode mode-1 --episodes "$episodes" --seed 7 --json --resume --out "$1" 2>"$work/said"; }
digest() { sed 's/.*"digest":"\([0-9a-f]*\)".*/\1/'; }
kept() { echo "$(lines "$1/episodes.jsonl") episodes in the log"; }
lines() { if [ -f "$1" ]; then wc -l <"$1"; else echo 0; fi; }
. tests/cut_off_common.sh

begin=$(date +%s%N)
whole=$(run "$work/whole" | digest)
took_ms=$((($(date +%s%N) - begin) / 1000000))
echo "undisturbed: digest $whole in $took_ms ms"

killed_ten_times "$work/cut" "$took_ms"
cut=$(run "$work/cut" | digest)
echo "after ten kills: digest $cut, $(sort -u "$work/cut/episodes.jsonl" | wc -l) episodes"
[ "$cut" = "$whole" ] && [ "$(lines "$work/cut/episodes.jsonl")" = "$episodes" ]

if on_a_full_disk 64m; then
    full=$(run "$work/small/out" | digest)
    echo "with room: digest $full"
    [ "$full" = "$whole" ]
else
    echo "skipped: this user may not mount a small file system"
fi
echo ok
