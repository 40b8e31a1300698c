#!/usr/bin/env bash
# A dataset is killed ten times at random moments and resumed; then it is collected on a disk that is too small.
# Its files must be those of an undisturbed run. Usage: tests/cut_off_datasets.sh [FORETHOUGHT] [EPISODES]
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-target/release/forethought}
episodes=${2:-2000}

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
kept() { echo "$(size "$1/collected.spool") bytes are kept"; }
size() { stat -c %s "$1" 2>/dev/null || echo 0; }
. tests/cut_off_common.sh

begin=$(date +%s%N)
run "$work/whole" >/dev/null
took_ms=$((($(date +%s%N) - begin) / 1000000))
echo "undisturbed: $took_ms ms, $(size "$work/whole/trajectories.parquet") and $(size "$work/whole/trajectories.h5") bytes"

killed_ten_times "$work/cut" "$took_ms"
run "$work/cut" >/dev/null
same "$work/cut"
echo "after ten kills: the same files"

if on_a_full_disk 256m; then
    run "$work/small/out" >/dev/null
    same "$work/small/out"
    echo "with room: the same files"
else
    echo "without the right to mount: the full disk was left out"
fi
