# tests/guest/linux_threads.sh - tests/linux/threads.c, static with musl and with glibc.
. /tests/lib/tap.sh
include /tests/linux/threads-musl
include /tests/linux/threads-glibc
finish
