# tests/guest/linux_thread_rules.sh - tests/linux/thread_rules.c, static with musl and with glibc.
. /tests/lib/tap.sh
include /tests/linux/thread_rules-musl
include /tests/linux/thread_rules-glibc
finish
