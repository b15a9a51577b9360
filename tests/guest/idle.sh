# tests/guest/idle.sh - a machine with everything plugged in and nothing to do: what it costs and holds.
# cpus: 1
# icount: 0
# disk: virtio:8M
# qemu: -device virtio-gpu-pci -device virtio-keyboard-pci -device virtio-tablet-pci
# qemu: -audiodev none,id=au -device ich9-intel-hda -device hda-output,audiodev=au -netdev user,id=n -device virtio-net-pci,netdev=n
. /tests/lib/tap.sh

# A tick of the CPU's account is 10 ms, and an instruction 1 ns.
ticks() { awk '/^cpu / { print $2 + $4 }' /proc/stat; }
used() { free | awk '/^Mem:/ { print $3 }'; }

read size </scheme/display/attached
until [ -b /dev/vda ] && input | grep -q ^tablet && play | grep -q device && ethernet | grep -q eth0; do sleep 0.1; done
sleep 3
before=$(ticks)
sleep 500
cost=$(($(ticks) - before))
echo "# $((cost * 20000)) instructions a second, $(used) KiB"
yes "at rest less than 200,000 instructions a second are executed" test $cost -lt 10
yes "and less than 24 MB are used" test $(used) -lt 24576
finish
