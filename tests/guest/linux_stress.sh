# tests/guest/linux_stress.sh - random system calls of an unprivileged user leave kernel and init standing.
# cpus: 4
# timeout: 300
. /tests/lib/tap.sh

# Through a pipe: a file as its output would be truncated, extended by terabytes and read back by those calls.
stress() { /tests/linux/stress-musl | cat; }

include stress
is "the shell answers afterwards" "$(seq 100 | tail -n 1)" 100
finish
