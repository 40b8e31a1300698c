# What tests/cut_off.sh and tests/cut_off_datasets.sh share: they source it once `run FOLDER` goes on with the work in that folder, and
# `kept FOLDER` tells what there is of it.

work=$(mktemp -d)
trap 'umount "$work/small" 2>/dev/null || true; rm -rf "$work"' EXIT

# Begin the work in a folder ten times, and kill it each time at a random moment of the so many milliseconds that it takes.
killed_ten_times() {
    local kill wait_ms
    for kill in 1 2 3 4 5 6 7 8 9 10; do
        run "$1" >/dev/null &
        wait_ms=$((RANDOM * $2 / 8 / 32768))
        sleep "$(printf '%d.%03d' $((wait_ms / 1000)) $((wait_ms % 1000)))"
        # The job is a subshell: the program is its child.
        pkill -KILL -P $! || true
        wait $! 2>/dev/null || true
        echo "kill -9 number $kill after $wait_ms ms: $(kept "$1")"
    done
}

# A folder on a disk of 1 MB, on which the work must end with a message; then the disk grows to this size. False where this user may not
# mount one.
on_a_full_disk() {
    mkdir "$work/small"
    mount -t tmpfs -o size=1m none "$work/small" 2>/dev/null || return 1
    if run "$work/small/out" >/dev/null; then echo "it was to be full"; exit 1; fi
    echo "on a full disk: $(tail -n 1 "$work/said")"
    mount -o remount,size="$1" "$work/small" || exit 1
}
