#!/usr/bin/env bash
# How much faster a batch is on several cores: --jobs 1 against --jobs 2, 3, ... up to all cores. The two of a pair run one right
# after the other, by turns first, so that whatever else the machine does meets both; medians over the pairs.
# On an idle machine the speed-up counts; on a busy one only the CPU time, which should stay that of one job.
# Usage: tests/scaling.sh [FORETHOUGHT] [PAIRS] [BATCH...]
set -euo pipefail
cd "$(dirname "$0")/.."
program=${1:-target/release/forethought}
pairs=${2:-5}
if [ $# -gt 2 ]; then batch=("${@:3}"); else batch=(two_rooms --episodes 400 --seed 1000); fi
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT
TIMEFORMAT='%U %S'

# A run with so many jobs: steps a second by the batch's own clock, CPU seconds, digest.
run() {
    { time "$program" batch "${batch[@]}" --jobs "$1" --json >"$work/said" 2>"$work/errors"; } 2>"$work/spent"
    sed -n 's/.*"env_steps_per_sec":\([0-9.e]*\).*"digest":"\([0-9a-f]*\)".*/\1 \2/p' "$work/said" |
        awk -v spent="$(cat "$work/spent")" '{ split(spent, s, " "); print $1, s[1] + s[2], $2 }'
}
median() { sort -g | awk '{ of[NR] = $1 } END { print (of[int((NR + 1) / 2)] + of[int(NR / 2) + 1]) / 2 }'; }

echo "batch ${batch[*]}: $pairs pairs for each number of jobs, load $(cut -d' ' -f1 /proc/loadavg) at the start"
echo "jobs  steps/s with 1  with all  speed-up (lowest - highest)  CPU time against 1 job"
for jobs in $(seq 2 "$(nproc)"); do
    : >"$work/pairs"
    for pair in $(seq "$pairs"); do
        if [ $((pair % 2)) = 1 ]; then one=$(run 1) && many=$(run "$jobs"); else many=$(run "$jobs") && one=$(run 1); fi
        if [ "${one##* }" != "${many##* }" ]; then echo "the digests differ: $one, $many" && exit 1; fi
        echo "$one $many" | awk '{ print $1, $4, $4 / $1, $5 / $2 }' >>"$work/pairs"
    done
    of() { cut -d' ' -f"$1" "$work/pairs"; }
    printf '%4d  %14.0f  %8.0f  %8.2f (%.2f - %.2f)  %22.2f\n' "$jobs" "$(of 1 | median)" "$(of 2 | median)" "$(of 3 | median)" \
        "$(of 3 | sort -g | head -n 1)" "$(of 3 | sort -g | tail -n 1)" "$(of 4 | median)"
done
