# tests/guest/linux_processes.sh - tests/linux/processes.c, static with musl and with glibc.
. /tests/lib/tap.sh
include /tests/linux/processes-musl
include /tests/linux/processes-glibc
finish
