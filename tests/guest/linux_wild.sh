# tests/guest/linux_wild.sh - tests/linux/wild.c, static with musl and with glibc.
. /tests/lib/tap.sh
include /tests/linux/wild-musl
include /tests/linux/wild-glibc
finish
