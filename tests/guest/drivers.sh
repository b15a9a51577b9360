# tests/guest/drivers.sh - drivers' instances: devices that come, go and misbehave, with a pcid and drivers that only play (tests/native/service.c).
# cpus: 1 4
# add: tests/guest/lib/drivers.rc:/boot/init.rc
# add: tests/guest/lib/manifest/fake-any:/boot/manifest/fake-any
# add: tests/guest/lib/manifest/fake-blk:/boot/manifest/fake-blk
# add: tests/guest/lib/manifest/fake-broken:/boot/manifest/fake-broken
. /tests/lib/tap.sh
. /tests/lib/svc.sh

tell() { echo "$*" >/scheme/pci/control; }
becomes() {
	tries=0
	while [ "$(state "$1")" != "$2" ]; do
		tries=$((tries + 1))
		[ $tries -lt 50 ] || return 1
		sleep 0.1
	done
}
# shows WANTED COMMAND...: it prints that, after two seconds at most.
shows() {
	wanted=$1
	shift
	tries=0
	while [ "$("$@" 2>&1)" != "$wanted" ]; do
		tries=$((tries + 1))
		[ $tries -lt 20 ] || { "$@" 2>&1 | sed 's/^/# got: /'; return 1; }
		sleep 0.1
	done
}
instances() { svc list | grep -c @; }
first=fake-blk@0000:00:04.0 second=fake-blk@0000:01:02.3 other=fake-any@0000:00:05.0

is "nothing is driven before a device comes" "$(instances)" 0
is "the name of what a driver will serve says so" "$(cat /scheme/blk 2>&1 | sed 's/.*: //')" "No such file or directory"
tell came 0000:00:04.0 1234:0001
yes "a device gets a driver" becomes $first ready
yes "which has claimed it" shows "claims 1
0000:00:04.0 claimed" cat /scheme/pci/control
yes "and is attached to disk: as the first of its kind" shows "$first 0" cat /scheme/disk/x
tell came 0000:01:02.3 1234:0002
yes "a second one gets its own instance" becomes $second ready
tell came 0000:00:05.0 1234:0009
yes "one that only its class matches gets that driver" becomes $other ready
yes "the second of its kind is the second in disk:" shows "$first 0
$second 1" cat /scheme/disk/x
is "a manifest with a mistake loses its driver only" "$(svc log /boot/manifest/fake-broken:3 | grep -c 'no such word: frobnicate')" 1

exec 5<>/scheme/blk
svc kill $first
is "a driver that was killed is there again for who has it open" "$(head -c 3 <&5)" "vd "
yes "with a new claim" shows "claims 4
0000:00:04.0 claimed
0000:01:02.3 claimed
0000:00:05.0 claimed" cat /scheme/pci/control
svc kill disk
is "a new disk: has all drivers from its start" "$(cat /scheme/disk/x)" "$first 0
$second 1"

svc stop $second
yes "its disks are flushed before a driver is stopped" shows 1 sh -c "/usr/bin/svc log $second | grep -c 'was flushed'"
yes "and its device can be claimed by others" shows "0000:01:02.3 free" grep 01:02 /scheme/pci/control
svc start $second
yes "it starts again" becomes $second ready

tell fault 0000:00:05.0
yes "a device that reaches too far ends its driver" test "$(sleep 0.3; restarts $other)" = 1
tell fault 0000:01:02.3
sleep 0.5
tell fault 0000:01:02.3
sleep 0.5
tell fault 0000:01:02.3
yes "and for good after too many times" becomes $second failed
is "which is said" "$(svc log $second | grep -c 'had a device that faulted 3 times: given up')" 1
is "with the address" "$(svc log $second | grep -c 'its device tried to reach 0xdead000')" 3

tell went 0000:00:04.0
yes "a device that goes takes its driver along" shows "" state $first
is "who has it open is told that it is gone" "$(cat <&5 2>&1 | sed 's/.*: //')" "No such device"
exec 5<&-
yes "its disks are gone too" shows "$second 1" cat /scheme/disk/x
tell came 0000:00:04.0 1234:0001
yes "another one in its place is driven anew" becomes $first ready
yes "under the free name" shows "$first 0
$second 1" cat /scheme/disk/x
is "which answers" "$(head -c 3 /scheme/blk)" "vd "

svc kill pci
yes "what a new pcid does not know has gone" shows 0 instances
finish
