# tests/guest/linux_process_rules.sh - tests/linux/process_rules.c, static with musl and with glibc.
. /tests/lib/tap.sh
include /tests/linux/process_rules-musl
include /tests/linux/process_rules-glibc
finish
