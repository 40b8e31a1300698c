#!/usr/bin/env bash
# A batch of 10,000 episodes is killed ten times at random moments and resumed; then it runs on a disk that is too small.
# Its digest must be that of an undisturbed run. Usage: tests/cut_off.sh [FORETHOUGHT] [EPISODES]
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-target/release/forethought}
episodes=${2:-10000}
work=$(mktemp -d)
trap 'umount "$work/small" 2>/dev/null || true; rm -rf "$work"' EXIT

run() { "$program" batch two_rooms --mode mode-1 --episodes "$episodes" --seed 7 --json --resume --out "$1" 2>"$work/said"; }
digest() { sed 's/.*"digest":"\([0-9a-f]*\)".*/\1/'; }
lines() { if [ -f "$1" ]; then wc -l <"$1"; else echo 0; fi; }

begin=$(date +%s%N)
whole=$(run "$work/whole" | digest)
took_ms=$((($(date +%s%N) - begin) / 1000000))
echo "undisturbed: digest $whole in $took_ms ms"

for kill in 1 2 3 4 5 6 7 8 9 10; do
    run "$work/cut" >/dev/null &
    wait_ms=$((RANDOM * took_ms / 8 / 32768))
    sleep "$(printf '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000)))"
    # The job is a subshell: the program is its child.
    pkill -KILL -P $! || true
    wait $! 2>/dev/null || true
    echo "kill -9 number $kill after $wait_ms ms: $(lines "$work/cut/episodes.jsonl") episodes in the log"
done
cut=$(run "$work/cut" | digest)
echo "after ten kills: digest $cut, $(sort -u "$work/cut/episodes.jsonl" | wc -l) episodes"
[ "$cut" = "$whole" ] && [ "$(lines "$work/cut/episodes.jsonl")" = "$episodes" ]

mkdir "$work/small"
if mount -t tmpfs -o size=1m none "$work/small" 2>/dev/null; then
    if run "$work/small/out" >/dev/null; then echo "it was to be full"; exit 1; fi
    echo "on a full disk: $(tail -n 1 "$work/said")"
    mount -o remount,size=64m "$work/small"
    full=$(run "$work/small/out" | digest)
    echo "with room: digest $full"
    [ "$full" = "$whole" ]
else
    echo "skipped: this user may not mount a small file system"
fi
echo ok
