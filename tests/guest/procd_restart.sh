# tests/guest/procd_restart.sh - procd is killed again and again, and those whose parents and jobs it keeps do not notice.
. /tests/lib/tap.sh

kill_procd() {
	old=$(pidof procd)
	kill -9 $old 2>/dev/null
	for tries in 1 2 3 4 5 6 7 8 9 10; do
		new=$(pidof procd) && [ "$new" != "$old" ] && return 0
		sleep 1
	done
	return 1
}

sleep 1000 &
job=$!
su user -c 'sleep 1000' &
users=$!
cp /bin/busybox /tmp/busybox-setuid
chmod 4755 /tmp/busybox-setuid
cat >/tmp/execute.sh <<'X'
until [ -e /tmp/enough ]; do
	/tmp/busybox-setuid true
	status=$?
	# 137: both were between the old process and the new one.
	case $status in 0 | 137) echo $status ;; *) echo wrong: $status ;; esac
done
X
su user -c 'sh /tmp/execute.sh' >/tmp/executed 2>/dev/null &
executes=$!
for round in 1 2 3 4 5; do
	yes "round $round: a new procd comes" kill_procd
	is "round $round: a child's status arrives" "$(sh -c "exit $round"; echo $?)" $round
	is "round $round: the child is still its parent's" "$(awk '/^PPid/ { print $2 }' /proc/$job/status)" $$
	is "round $round: a user is still that user" "$(awk '/^Uid/ { print $2 }' /proc/$users/status)" 1000
done
touch /tmp/enough
wait $executes
is "set-uid programs run, or are killed, while procd is" "$(grep wrong /tmp/executed | sort | uniq -c)" ""
is "and run again" "$(su user -c '/tmp/busybox-setuid echo again')" again
echo "# $(sort /tmp/executed | uniq -c | tr '\n' ' ')"
rm /tmp/enough /tmp/execute.sh /tmp/executed /tmp/busybox-setuid
mkfifo /tmp/go
sh -c 'exec 3<>/tmp/go; sh -c "exit 9" & read go <&3; wait $!; exit $?' &
waiter=$!
for tries in 1 2 3 4 5 6 7 8 9 10; do
	zombie=$(awk '$3 == "Z" && $4 == '$waiter' { print $1 }' /proc/[0-9]*/stat 2>/dev/null)
	[ -n "$zombie" ] && break
	sleep 1
done
yes "a new procd comes while a child waits to be waited for" kill_procd
is "it is a zombie still" "$(awk '/^State/ { print $2 }' /proc/$zombie/status)" Z
echo >/tmp/go
wait $waiter
is "its status arrives" $? 9
kill $job $users
wait $job
is "a child from before is waited for" $? 143
no "nothing is left of it" test -e /proc/$job
finish
