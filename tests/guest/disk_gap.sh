# tests/guest/disk_gap.sh - tests/linux/disk_gap.c: how long a killed block driver is missed, in the machine's own time.
# cpus: 1
# icount: 3
# timeout: 200
# disk: virtio:24M
# disk: nvme:24M
. /tests/lib/tap.sh
. /tests/lib/svc.sh

for kind in virtio_blk:vda nvme:nvme0n1; do
	name=${kind%:*} export DISK=/dev/${kind#*:}
	until [ -b $DISK ]; do sleep 0.1; done
	export DRIVER="$(svc list | awk -v kind="$name@" 'index($1, kind) == 1 { print $1 }')"
	include /tests/linux/disk_gap-musl
	yes "$name did die each time" test "$(restarts $DRIVER)" -ge 10
done
finish
