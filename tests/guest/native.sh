# tests/guest/native.sh - the native programs of tests/native: our own interfaces, without Linux between.
# qemu: -device edu
. /tests/lib/tap.sh

for program in /tests/native/*; do
	# A client of a display driver: tests/guest/display.sh gives it one.
	[ "$program" = /tests/native/display ] || include "$program"
done
finish
