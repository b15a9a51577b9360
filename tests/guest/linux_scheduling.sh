# tests/guest/linux_scheduling.sh - tests/linux/scheduling.c, static with musl and with glibc.
. /tests/lib/tap.sh
include /tests/linux/scheduling-musl
include /tests/linux/scheduling-glibc
finish
