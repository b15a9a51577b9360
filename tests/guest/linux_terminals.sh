# tests/guest/linux_terminals.sh - tests/linux/terminals.c, static with musl and with glibc.
. /tests/lib/tap.sh
include /tests/linux/terminals-musl
include /tests/linux/terminals-glibc
finish
