# tests/guest/linux_signal_rules.sh - tests/linux/signal_rules.c, static with musl and with glibc.
. /tests/lib/tap.sh
include /tests/linux/signal_rules-musl
include /tests/linux/signal_rules-glibc
finish
