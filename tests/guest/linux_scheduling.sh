# tests/guest/linux_scheduling.sh - tests/linux/scheduling.c on a clock that a busy host disturbs; linux_deadlines.sh has the exact one.
. /tests/lib/tap.sh
include /tests/linux/scheduling-musl
finish
