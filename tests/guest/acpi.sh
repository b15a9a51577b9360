# tests/guest/acpi.sh - interrupts come by the lines that the firmware's table names; acpid is killed and asked at once.
# cpus: 1 4
# qemu: -device pci-serial,addr=5 -device pci-serial,addr=6 -device pci-bridge,id=bridge,chassis_nr=1,addr=9 -device pci-serial,bus=bridge,addr=6
. /tests/lib/tap.sh
. /tests/lib/svc.sh

becomes_ready() {
	tries=0
	until [ "$(state "$1")" = ready ]; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		sleep 0.1
	done
}
# Where pcid says that a function's pin leads, and what ICH9 does with one (QEMU, hw/i386/acpi-build.c: slots 0 to 24 share the lines 20 to 23).
register() { echo $((0x$(lspci -x "$1" | awk '/^30:/ { print $14 }'))); }
ich9() { echo $((20 + ($1 + $2 - 1) % 4)); }

yes "acpid is ready" becomes_ready acpid
is "a pin leads where the firmware says" "$(register 0000:00:05.0)" "$(ich9 5 1)"
is "another slot's leads elsewhere" "$(register 0000:00:06.0)" "$(ich9 6 1)"
is "behind a bridge pins are turned by the slot" "$(register 0000:01:06.0)" "$(ich9 9 3)"
for place in 0000:00:05.0 0000:00:06.0 0000:01:06.0; do
	include /tests/native/line $place
done

acpi >/tmp/first
while :; do
	acpi >/tmp/seen || echo failed >>/tmp/failures
	[ -e /tmp/enough ] && break
done &
for i in 1 2 3 4 5 6 7 8 9 10; do
	tries=0
	until svc kill acpid 2>/dev/null || [ $((tries += 1)) -gt 50 ]; do
		sleep 0.1
	done
	sleep 0.0$((i % 4))
done
touch /tmp/enough
wait
yes "acpid is there again after it was killed ten times" becomes_ready acpid
is "and nobody who asked meanwhile was refused" "$(cat /tmp/failures 2>/dev/null)" ""
is "it says what it said" "$(acpi)" "$(cat /tmp/first)"
is "lines are as they were" "$(register 0000:00:05.0)" "$(ich9 5 1)"
include /tests/native/line 0000:00:05.0
finish
