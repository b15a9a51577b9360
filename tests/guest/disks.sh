# tests/guest/disks.sh - disks of three kinds: read, written, divided, their drivers killed while they work.
# cpus: 1 4
# timeout: 300
# disk: virtio:24M
# disk: nvme:24M
# disk: sata:24M
. /tests/lib/tap.sh
. /tests/lib/svc.sh

# Drivers come up beside us.
appears() {
	tries=0
	while [ ! -b "$1" ]; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		sleep 0.1
	done
}
driver_of() { svc list | awk -v kind="$1@" 'index($1, kind) == 1 { print $1 }'; }
sum_of() { md5sum | cut -d ' ' -f 1; }
# Bytes of which no two blocks are the same.
seq 1000000 9999999 | head -c 3m >/tmp/data
seq 5000000 9999999 | head -c 4m >/tmp/other

disks="vda nvme0n1 sda"
for d in $disks; do
	yes "$d is there" appears /dev/$d
done
is "each has its size" "$(for d in $disks; do blockdev --getsize64 /dev/$d; done | sort -u)" 25165824
is "and sectors" "$(blockdev --getss /dev/vda)" 512
is "the list has them all" "$(cat /scheme/disk 2>/dev/null | sort | tr '\n' ' ')" "nvme0n1 sda vda "
is "an ordinary user opens none" "$(su user -c 'head -c 1 /dev/vda' 2>&1 | grep -c 'denied')" 1

for d in $disks; do
	dd if=/tmp/data of=/dev/$d bs=64k 2>/dev/null
	sync
	yes "$d: what was written is read" cmp -n 3145728 /tmp/data /dev/$d
	is "$d: also in small parts" "$(dd if=/dev/$d bs=512 count=200 2>/dev/null | sum_of)" "$(head -c 102400 /tmp/data | sum_of)"
	is "$d: also at odd places" "$(dd if=/dev/$d bs=3000 iflag=skip_bytes skip=1000001 count=1 2>/dev/null | sum_of)" "$(tail -c +1000002 /tmp/data | head -c 3000 | sum_of)"
	printf 'abc' | dd of=/dev/$d bs=1 seek=777 conv=notrunc 2>/dev/null
	is "$d: a few bytes are written within a sector" "$(head -c 790 /dev/$d | tail -c 20)" "$(head -c 777 /tmp/data | tail -c 7)abc$(head -c 790 /tmp/data | tail -c 10)"
	is "$d: the end is the end" "$(dd if=/dev/$d bs=1M skip=23 2>/dev/null | wc -c)" 1048576
	no "$d: nothing is beyond" dd if=/dev/zero of=/dev/$d bs=1M seek=24 count=1
done

printf 'o\nn\np\n1\n64\n+4M\nn\np\n2\n16384\n\nw\n' | fdisk -u /dev/vda >/dev/null 2>&1
blockdev --rereadpt /dev/vda
yes "partitions appear" appears /dev/vda2
is "with their sizes" "$(blockdev --getsize64 /dev/vda1) $(blockdev --getsize64 /dev/vda2)" "4194304 16777216"
echo "in the first" | dd of=/dev/vda1 conv=notrunc 2>/dev/null
is "a partition begins where the table says" "$(dd if=/dev/vda bs=512 skip=64 count=1 2>/dev/null | head -c 12)" "in the first"
is "and ends there" "$(dd if=/dev/vda1 bs=1M 2>/dev/null | wc -c)" 4194304
no "nothing of the next can be written through it" dd if=/dev/zero of=/dev/vda1 bs=512 seek=8192 count=1

for kind in virtio_blk:vda2 nvme:nvme0n1 ahci:sda; do
	name=${kind%:*} d=${kind#*:} driver=$(driver_of ${kind%:*})
	before=$(restarts $driver)
	(dd if=/tmp/other of=/dev/$d bs=2k 2>/dev/null; echo $? >/tmp/status) &
	copy=$!
	kills=0
	# Slower than what init takes for a crash loop.
	while kill -0 $copy 2>/dev/null; do
		sleep 0.$((kills % 5))
		svc kill $driver 2>/dev/null && kills=$((kills + 1))
		sleep 1
	done
	wait $copy
	is "$name: a copy ends well while its driver is killed again and again" "$(cat /tmp/status)" 0
	yes "$name: nothing of it is lost" cmp -n 4194304 /tmp/other /dev/$d
	yes "$name: the driver did die ($kills times)" test "$(restarts $driver)" -gt "$before"
done
svc kill diskd
is "a new diskd knows the disks" "$(dd if=/dev/vda bs=512 skip=64 count=1 2>/dev/null | head -c 12)" "in the first"
finish
