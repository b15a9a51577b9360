# tests/guest/native.sh - the native programs of tests/native: our own interfaces, without Linux between.
# qemu: -device edu
. /tests/lib/tap.sh

for program in /tests/native/*; do
	include "$program"
done
finish
