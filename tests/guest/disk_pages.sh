# tests/guest/disk_pages.sh - tests/linux/disk.c on disks of three kinds.
# timeout: 200
# disk: virtio:24M
# disk: nvme:24M
# disk: sata:24M
. /tests/lib/tap.sh
. /tests/lib/svc.sh

for d in vda nvme0n1 sda; do
	until [ -b /dev/$d ]; do sleep 0.1; done
	export DISK=/dev/$d
	include /tests/linux/disk-musl
done
finish
