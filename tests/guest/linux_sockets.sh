# tests/guest/linux_sockets.sh - tests/linux/sockets.c, static with musl and with glibc; and unixd's end.
. /tests/lib/tap.sh
cd /tmp
include /tests/linux/sockets-musl
include /tests/linux/sockets-glibc
finish
