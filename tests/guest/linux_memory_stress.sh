# tests/guest/linux_memory_stress.sh - tests/linux/memory_stress.c, static with musl and with glibc.
. /tests/lib/tap.sh
include /tests/linux/memory_stress-musl
include /tests/linux/memory_stress-glibc
finish
