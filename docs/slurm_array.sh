#!/bin/bash
# A batch as a Slurm array: each task runs one shard, and the last one to end puts them together.
#
#   mkdir -p runs && sbatch docs/slurm_array.sh
#
# A task that is killed or pre-empted is requeued and goes on where it was. To run what is still missing, submit it once more.
#SBATCH --job-name=forethought
#SBATCH --array=1-16
#SBATCH --cpus-per-task=8
#SBATCH --mem=4G
#SBATCH --time=04:00:00
#SBATCH --requeue
#SBATCH --output=runs/slurm-%A-%a.log
set -euo pipefail

forethought=${FORETHOUGHT:-target/release/forethought}
name=two_rooms_100k
batch=(two_rooms --episodes 100000 --seed 1)
shard=$SLURM_ARRAY_TASK_ID
shards=$SLURM_ARRAY_TASK_COUNT

"$forethought" batch "${batch[@]}" --jobs "$SLURM_CPUS_PER_TASK" \
    --shard "$shard/$shards" --out "runs/$name.parts/$shard" --resume --json | tail -n 1

# Each shard says that it is complete; whoever finds all of them complete merges. Only one can have the lock of the folder.
touch "runs/$name.parts/$shard.complete"
if [ "$(find "runs/$name.parts" -maxdepth 1 -name '*.complete' | wc -l)" -eq "$shards" ]; then
    parts=()
    for part in $(seq 1 "$shards"); do parts+=("runs/$name.parts/$part"); done
    "$forethought" merge "runs/$name" "${parts[@]}" --resume
fi
