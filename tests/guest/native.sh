# tests/guest/native.sh - the native programs of tests/native: our own interfaces, without Linux between.
# qemu: -device edu
. /tests/lib/tap.sh

for program in /tests/native/*; do
	case ${program##*/} in
	# A client of a display driver, and one of a serial card: tests/guest/display.sh and acpi.sh give them what they need.
	display | line) ;;
	*) include "$program" ;;
	esac
done
finish
