# tests/guest/net_virtio.sh - two virtio cards on one wire.
# timeout: 120
# qemu: -netdev hubport,id=h0,hubid=0 -device virtio-net-pci,netdev=h0,mac=52:54:00:00:00:01
# qemu: -netdev hubport,id=h1,hubid=0 -device virtio-net-pci,netdev=h1,mac=52:54:00:00:00:02
. /tests/lib/tap.sh
. /tests/lib/svc.sh
. /tests/lib/net.sh

wire_test virtio_net virtio_net
no "an ordinary user gets no frames" su user -c 'head -c 1 /scheme/ethernet/eth0/capture/96'
finish
