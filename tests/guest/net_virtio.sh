# tests/guest/net_virtio.sh - two virtio cards on one wire.
# timeout: 120
# qemu: -netdev hubport,id=h0,hubid=0 -device virtio-net-pci,netdev=h0,mac=52:54:00:00:00:01
# qemu: -netdev hubport,id=h1,hubid=0 -device virtio-net-pci,netdev=h1,mac=52:54:00:00:00:02
. /tests/lib/tap.sh
. /tests/lib/svc.sh
. /tests/lib/net.sh

wire_test virtio_net virtio_net
no "what is no card is not listened to" capture eth7 -c 1
capture eth1 -c 50 -s 60 -n >/tmp/pcap 2>/tmp/note &
listener=$!
tries=0
until grep -q listening /tmp/note || [ $tries = 100 ]; do sleep 0.05; tries=$((tries + 1)); done
yes "frames pass while somebody listens" $frames eth0 eth1 500 200 200
yes "who wants 50 frames ends with them" wait $listener
is "the file has a header and the beginning of each" "$(wc -c </tmp/pcap)" $((24 + 50 * 76))
is "it says what it is" "$(head -c 4 /tmp/pcap | od -An -tx1 | tr -d ' ')" 4d3cb2a1
is "the cards say what they are" "$(ethernet | awk '{ print $1, $2, $3 }' | tr '\n' ' ')" "eth0 52:54:00:00:00:01 up eth1 52:54:00:00:00:02 up "
is "and what they did" "$(ethernet eth0 | grep -c ' sent [1-9]')" 1
yes "an ordinary user may ask" su user -c "ethernet eth0 >/dev/null"
no "an ordinary user gets no frames" su user -c 'head -c 1 /scheme/ethernet/eth0/capture/96'
finish
