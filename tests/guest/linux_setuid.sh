# tests/guest/linux_setuid.sh - tests/linux/setuid.c and setuid_forged.c, static with musl and with glibc.
. /tests/lib/tap.sh
include /tests/linux/setuid-musl
include /tests/linux/setuid-glibc
include /tests/linux/setuid_forged-musl
include /tests/linux/setuid_forged-glibc
cp /bin/busybox /tmp/busybox-setuid
chmod 4755 /tmp/busybox-setuid
cat >/tmp/loop.sh <<'X'
for i in 1 2 3 4 5 6 7 8 9 10; do /tmp/busybox-setuid true || exit 1; done
X
yes "a user runs a set-uid busybox again and again" su user -c 'sh /tmp/loop.sh'
is "it keeps its number in pipes and jobs" "$(su user -c '/tmp/busybox-setuid echo one | /tmp/busybox-setuid cat; /tmp/busybox-setuid sleep 100 & kill %1; wait %1; echo $?')" "one
143"
rm /tmp/busybox-setuid /tmp/loop.sh
finish
