# tests/guest/linux_records.sh - tests/linux/records.c, static with musl and with glibc.
. /tests/lib/tap.sh
include /tests/linux/records-musl
include /tests/linux/records-glibc
finish
