# tests/guest/lib/iommu.sh - drivers behind an IOMMU, a hostile one among them; iommud and pcid are killed under them. With two edu devices, an NVMe and a SATA disk.

appears() {
	tries=0
	until [ -b "$1" ]; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		sleep 0.1
	done
}

is "iommud and pcid are ready" "$(svc list | awk '$1 == "iommud" || $1 == "pcid" { print $2 }' | tr '\n' ' ')" "ready ready "
include /tests/native/iommu
include /tests/native/edu

seq 1000000 9999999 | head -c 2m >/tmp/data
for d in nvme0n1 sda; do
	yes "$d is there" appears /dev/$d
	dd if=/tmp/data of=/dev/$d bs=32k 2>/dev/null &
	copy=$!
	sleep 0.1
	svc kill iommud
	wait $copy
	is "$d is written while iommud is killed" "$?" 0
	sync
	yes "$d has what was written" cmp -n 2097152 /tmp/data /dev/$d
done
is "their functions are isolated" "$(lspci | grep -c ' isolated$')" 2

/tests/native/iommu >/tmp/killed &
for server in iommud pcid iommud pcid; do
	sleep 0.2
	svc kill $server
done
wait $!
is "what runs goes on when iommud and pcid are killed" "$(grep -v '^ok' /tmp/killed)" "1..6"
include /tests/native/iommu
finish
