# tests/guest/linux_jobs.sh - tests/linux/jobs.c, static with musl and with glibc.
. /tests/lib/tap.sh
include /tests/linux/jobs-musl
include /tests/linux/jobs-glibc
finish
