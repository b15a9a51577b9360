# tests/guest/kills.sh - every driver and server but init, procd and ramfs is killed at random moments while disks and a shell are used.
# cpus: 1 4
# timeout: 600
# disk: virtio:24M
# disk: nvme:24M
# disk: sata:24M
. /tests/lib/tap.sh
. /tests/lib/svc.sh

kills=30
[ "$(nproc)" -lt 4 ] || kills=200
disks="vda nvme0n1 sda"
servers="pcid iommud diskd randd logd unixd ptyd console"
stop=/tmp/stop faults=/tmp/faults
: >$faults
seq 1000000 9999999 | head -c 3m >/tmp/data
for d in $disks; do
	until [ -b /dev/$d ]; do sleep 0.1; done
done
drivers=$(svc list | awk '/@/ { print $1 }')
# Each user of the machine tells its rounds to a file of its own, and what went wrong to $faults.
rounds() {
	who=$1 n=0
	shift
	while [ ! -e $stop ]; do
		"$@" >/tmp/said.$who 2>&1 || sed "s/^/$who: /" /tmp/said.$who >>$faults
		n=$((n + 1))
	done
	echo $n >/tmp/rounds.$who
}
copies() { dd if=/tmp/data of=/dev/$1 bs=16k conv=fsync && cmp -n 3145728 /tmp/data /dev/$1; }
shell() { ls -l /etc | grep -q passwd && [ "$(head -c 100 /dev/urandom | wc -c)" = 100 ] && [ "$(echo x | cat)" = x ]; }

for d in $disks; do
	rounds $d copies $d &
done
rounds shell shell &
done=0
while [ $done -lt $kills ]; do
	for victim in $drivers $servers; do
		svc kill $victim 2>/dev/null && done=$((done + 1))
		sleep 0.$((RANDOM % 30 + 10))
	done
done
touch $stop
wait
echo "# $done kills; rounds: vda $(cat /tmp/rounds.vda), nvme0n1 $(cat /tmp/rounds.nvme0n1), sda $(cat /tmp/rounds.sda), shell $(cat /tmp/rounds.shell)"
is "nobody got an error or other bytes" "$(cat $faults)" ""
for who in $disks shell; do
	yes "$who went on all the time" test "$(cat /tmp/rounds.$who)" -ge 2
done
# Who was killed just now may be about to start.
settles() {
	tries=0
	while [ "$(state $1)" != ready ]; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		sleep 0.1
	done
}
for victim in $drivers $servers; do
	yes "${victim%@*} is there again" settles $victim
	yes "${victim%@*} did die" test "$(restarts $victim)" -ge 2
done
finish
