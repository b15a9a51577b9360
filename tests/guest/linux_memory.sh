# tests/guest/linux_memory.sh - tests/linux/memory.c and memory_fork.c, static with musl and with glibc.
. /tests/lib/tap.sh
include /tests/linux/memory-musl
include /tests/linux/memory-glibc
include /tests/linux/memory_fork-musl
include /tests/linux/memory_fork-glibc
finish
