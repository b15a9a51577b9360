# tests/guest/linux_deadlines.sh - 10,000 periods of 5 ms beside four hogs, none missed; and exact shares (tests/linux/scheduling.c).
# cpus: 1
# icount: 3
. /tests/lib/tap.sh
export EXACT=10000
include /tests/linux/scheduling-glibc
finish
