# tests/guest/iommu.sh - drivers behind Intel's IOMMU, a hostile one among them; iommud and pcid are killed under them.
# qemu: -machine q35,kernel-irqchip=split -device intel-iommu,intremap=on,caching-mode=on -device edu,dma_mask=0xffffffff -device edu,dma_mask=0xffffffff
# disk: nvme:16M
# disk: sata:16M
. /tests/lib/tap.sh
. /tests/lib/svc.sh
. /tests/lib/iommu.sh
