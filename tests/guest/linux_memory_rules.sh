# tests/guest/linux_memory_rules.sh - tests/linux/memory_rules.c, static with musl and with glibc.
. /tests/lib/tap.sh
include /tests/linux/memory_rules-musl
include /tests/linux/memory_rules-glibc
finish
