# tests/guest/linux_stress.sh - random system calls of an unprivileged user leave kernel and init standing.
# cpus: 4
# timeout: 300
. /tests/lib/tap.sh
include /tests/linux/stress-musl
is "the shell answers afterwards" "$(seq 100 | tail -n 1)" 100
finish
