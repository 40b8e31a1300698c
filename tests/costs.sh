#!/usr/bin/env bash
# What steps and episodes cost, for docs/billion_steps.md: CPU time (user and system, which other load hardly changes) and bytes on
# disk, each the difference between a large batch and a small one, so that a process's start does not count.
# Usage: tests/costs.sh [FORETHOUGHT]
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-target/release/forethought}
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
TIMEFORMAT='%U %S'

# CPU seconds of a command.
cpu() { { time "$@" >"$work/said" 2>"$work/errors"; } 2>&1 | awk '{ print $1 + $2 }'; }
# A batch of so many episodes: CPU seconds, episodes, steps, bytes of the log, bytes of the table.
run() {
    rm -rf "$work/out"
    local spent
    spent=$(cpu "$program" batch "${@:2}" --episodes "$1" --seed 1000 --jobs 1 --json --out "$work/out")
    echo "$spent $1 $(sed -n 's/.*"env_steps":\([0-9]*\).*/\1/p' "$work/said")" \
        "$(stat -c %s "$work/out/episodes.jsonl") $(stat -c %s "$work/out/episodes.parquet")"
}

echo "                                            steps an  CPU time   steps a second  log, bytes  table, bytes"
echo "                                             episode  a step, us     of a core   an episode    an episode"
row() {
    echo "$(run "$1" "${@:3}") $(run "$2" "${@:3}")" | awk -v words="${*:3}" '{
        cpu = $6 - $1; episodes = $7 - $2; steps = $8 - $3
        printf "%-42s %9.1f %10.1f %16.0f %12.0f %12.0f\n", words, steps / episodes, cpu / steps * 1e6, steps / cpu,
            ($9 - $4) / episodes, ($10 - $5) / episodes
    }'
}
row 200 2000 two_rooms --actor random
row 400 8000 two_rooms --mode mode-1
row 20 220 two_rooms
row 20 420 two_rooms --horizon 20 --critic true --mode mixed
row 2 22 foraging --actor random
row 2 22 foraging --mode mode-1
row 1 5 foraging

# Shards of 20,000 short episodes in all: what a process's start costs, and what a merge costs an episode.
short=(two_rooms --actor random --set "episode.max_steps=1" --seed 1 --jobs 1)
for shard in 1 2; do
    "$program" batch "${short[@]}" --episodes 20000 --out "$work/part$shard" --shard "$shard/2" --json >/dev/null 2>&1
done
for try in 1 2 3 4 5 6 7 8 9 10; do cpu "$program" batch "${short[@]}" --episodes 1; done |
    awk '{ sum += $1 } END { printf "a process starts in %.3f CPU seconds\n", sum / NR }'
cpu "$program" merge "$work/merged" "$work/part1" "$work/part2" |
    awk '{ printf "a merge takes %.0f CPU seconds for a million episodes\n", $1 / 20000 * 1e6 }'
gzip -3 -c "$work/merged/episodes.jsonl" | wc -c |
    awk -v whole="$(stat -c %s "$work/merged/episodes.jsonl")" '{ printf "compressed, as it travels on Ray, a log has %.2f of its size\n", $1 / whole }'
