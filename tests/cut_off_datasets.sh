#!/usr/bin/env bash
# A dataset is killed ten times at random moments and resumed; then it is collected on a disk that is too small.
# Its files must be those of an undisturbed run. Usage: tests/cut_off_datasets.sh [FORETHOUGHT] [EPISODES]
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-target/release/forethought}
episodes=${2:-2000}
work=$(mktemp -d)
trap 'umount "$work/small" 2>/dev/null || true; rm -rf "$work"' EXIT

run() {
    "$program" collect two_rooms --explore --set training.steps=40 --episodes "$episodes" --seed 7 --format parquet,hdf5 \
        --frames 16x16 --json --resume --out "$1" 2>"$work/said"
}
same() {
    for file in trajectories.parquet trajectories.h5 episodes.jsonl summary.json; do
        cmp "$work/whole/$file" "$1/$file"
    done
    [ ! -e "$1/collected.spool" ]
}
size() { stat -c %s "$1" 2>/dev/null || echo 0; }

begin=$(date +%s%N)
run "$work/whole" >/dev/null
took_ms=$((($(date +%s%N) - begin) / 1000000))
echo "undisturbed: $took_ms ms, $(size "$work/whole/trajectories.parquet") and $(size "$work/whole/trajectories.h5") bytes"

for kill in 1 2 3 4 5 6 7 8 9 10; do
    run "$work/cut" >/dev/null &
    wait_ms=$((RANDOM * took_ms / 8 / 32768))
    sleep "$(printf '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000)))"
    # The job is a subshell: the program is its child.
    pkill -KILL -P $! || true
    wait $! 2>/dev/null || true
    echo "kill -9 number $kill after $wait_ms ms: $(size "$work/cut/collected.spool") bytes are kept"
done
run "$work/cut" >/dev/null
same "$work/cut"
echo "after ten kills: the same files"

mkdir "$work/small"
if mount -t tmpfs -o size=1m none "$work/small" 2>/dev/null; then
    if run "$work/small/out" >/dev/null; then echo "it was to be full"; exit 1; fi
    echo "on a full disk: $(tail -n 1 "$work/said")"
    mount -o remount,size=256m "$work/small"
    run "$work/small/out" >/dev/null
    same "$work/small/out"
    echo "with room: the same files"
else
    echo "without the right to mount: the full disk was left out"
fi
