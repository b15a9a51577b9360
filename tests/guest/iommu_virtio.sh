# tests/guest/iommu_virtio.sh - the same as iommu.sh behind a virtio IOMMU: drivers, a hostile one among them; iommud is killed under them.
# qemu: -device virtio-iommu-pci,boot-bypass=off -device edu,dma_mask=0xffffffff -device edu,dma_mask=0xffffffff
# disk: nvme:16M
# disk: sata:16M
. /tests/lib/tap.sh
. /tests/lib/svc.sh
. /tests/lib/iommu.sh
