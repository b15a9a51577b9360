# tests/guest/net_mixed.sh - a card that copies (rtl8139) and one that reaches its client's memory (e1000) on one wire.
# timeout: 120
# qemu: -netdev hubport,id=h0,hubid=0 -device rtl8139,netdev=h0,mac=52:54:00:00:00:01
# qemu: -netdev hubport,id=h1,hubid=0 -device e1000,netdev=h1,mac=52:54:00:00:00:02
. /tests/lib/tap.sh
. /tests/lib/svc.sh
. /tests/lib/net.sh

wire_test rtl8139 e1000
finish
