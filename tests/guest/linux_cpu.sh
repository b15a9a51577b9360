# tests/guest/linux_cpu.sh - tests/linux/cpu.c, static with musl and with glibc.
. /tests/lib/tap.sh
include /tests/linux/cpu-musl
include /tests/linux/cpu-glibc
finish
