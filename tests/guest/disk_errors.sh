# tests/guest/disk_errors.sh - disks with a bad sector: who touches it has an error, and nobody else.
# cpus: 1 4
# qemu: -blockdev driver=null-co,node-name=n1,size=8388608,read-zeroes=on -blockdev driver=blkdebug,node-name=b1,image=n1,config=tests/guest/lib/blkdebug.conf -blockdev driver=raw,node-name=r1,file=b1 -device virtio-blk-pci,disable-legacy=on,drive=r1
# qemu: -blockdev driver=null-co,node-name=n2,size=8388608,read-zeroes=on -blockdev driver=blkdebug,node-name=b2,image=n2,config=tests/guest/lib/blkdebug.conf -blockdev driver=raw,node-name=r2,file=b2 -device nvme,serial=errors,drive=r2
# qemu: -blockdev driver=null-co,node-name=n3,size=8388608,read-zeroes=on -blockdev driver=blkdebug,node-name=b3,image=n3,config=tests/guest/lib/blkdebug.conf -blockdev driver=raw,node-name=r3,file=b3 -device ide-hd,bus=ide.0,drive=r3
. /tests/lib/tap.sh
. /tests/lib/svc.sh

reads() { dd if=/dev/$1 of=/dev/null bs=512 skip=$2 count=$3 2>/dev/null; }
writes() { dd if=/dev/zero of=/dev/$1 bs=512 seek=$2 count=$3 conv=fsync 2>/dev/null; }
for d in vda nvme0n1 sda; do
	until [ -b /dev/$d ]; do sleep 0.1; done
	no "$d: what cannot be read is an error" reads $d 800 1
	yes "$d: what lies behind it can" reads $d 801 300
	no "$d: what cannot be written is an error" writes $d 1600 1
	yes "$d: what lies behind it can" writes $d 1601 300
	no "$d: a large read with it in the middle is an error" dd if=/dev/$d of=/dev/null bs=256k count=4
	yes "$d: the rest of the disk can be read" dd if=/dev/$d of=/dev/null bs=64k skip=16
	# Many at once, one of them bad: the others have what they asked for.
	for i in 1 2 3 4 5 6; do
		(reads $d $((i * 1700)) 1000 || echo "$i" >>/tmp/failed.$d) &
	done
	no "$d: also among others" reads $d 700 200
	wait
	no "$d: which have none" test -e /tmp/failed.$d
done
is "no driver died of it" "$(svc list | awk '/@/ { print $5 }' | sort -u)" 0
finish
