# tests/guest/display.sh - the driver of a virtio GPU: its rules, and killed while something is drawn.
# cpus: 1 4
# add: tests/guest/lib/display.rc:/boot/init.rc
# qemu: -device virtio-gpu-pci
. /tests/lib/tap.sh
. /tests/lib/svc.sh

include /tests/native/display
driver=$(svc list | awk '$1 ~ /^virtio_gpu@/ { print $1 }')
/tests/native/display draw 4 >/tmp/drawn &
drawing=$!
for kill in 1 2 3; do
	sleep 0.8
	svc kill $driver
done
wait $drawing
is "who draws while the driver is killed goes on" "$?" 0
is "and gives everything again each time" "$(cat /tmp/drawn)" "drawn, given again 3 times"
is "the driver did die" "$(restarts $driver)" 3
include /tests/native/display
finish
