# tests/guest/linux_files.sh - tests/linux/files.c, static with musl and with glibc.
. /tests/lib/tap.sh
include /tests/linux/files-musl
include /tests/linux/files-glibc
finish
