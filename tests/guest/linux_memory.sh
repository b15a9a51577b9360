# tests/guest/linux_memory.sh - tests/linux/memory.c, static with musl and with glibc.
. /tests/lib/tap.sh
include /tests/linux/memory-musl
include /tests/linux/memory-glibc
finish
