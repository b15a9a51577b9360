# tests/guest/net_intel.sh - Intel's gigabit cards, old (by their interrupt line) and new (by messages), on one wire.
# timeout: 120
# qemu: -netdev hubport,id=h0,hubid=0 -device e1000,netdev=h0,mac=52:54:00:00:00:01
# qemu: -netdev hubport,id=h1,hubid=0 -device e1000e,netdev=h1,mac=52:54:00:00:00:02
. /tests/lib/tap.sh
. /tests/lib/svc.sh
. /tests/lib/net.sh

# QEMU (7.2, e1000e_core.c:169) ends when a message of the 82574 is held back while MSI-X is switched off, which pcid does after a kill.
wire_test e1000 e1000 :01.0
finish
