# tests/guest/linux_waiting.sh - tests/linux/waiting.c, static with musl and with glibc.
. /tests/lib/tap.sh
include /tests/linux/waiting-musl
include /tests/linux/waiting-glibc
finish
