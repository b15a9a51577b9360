# tests/guest/iommu.sh - drivers behind Intel's IOMMU, a hostile one among them; iommud and pcid are killed under them.
# qemu: -machine q35,kernel-irqchip=split -device intel-iommu,intremap=on,caching-mode=on -device edu,dma_mask=0xffffffff -device edu,dma_mask=0xffffffff
. /tests/lib/tap.sh
. /tests/lib/svc.sh

is "iommud and pcid are ready" "$(svc list | awk '$1 == "iommud" || $1 == "pcid" { print $2 }' | tr '\n' ' ')" "ready ready "
include /tests/native/iommu
include /tests/native/edu
/tests/native/iommu >/tmp/killed &
for server in iommud pcid iommud pcid; do
	sleep 0.2
	svc kill $server
done
wait $!
is "what runs goes on when iommud and pcid are killed" "$(grep -v '^ok' /tmp/killed)" "1..5"
include /tests/native/iommu
finish
