# tests/guest/linux_signals.sh - tests/linux/signals.c, static with musl and with glibc.
. /tests/lib/tap.sh
include /tests/linux/signals-musl
include /tests/linux/signals-glibc
finish
