# tests/guest/servers.sh - servers that are killed come back, and their clients go on.
# cpus: 1 4
# add: tests/guest/lib/init.rc:/etc/init.rc
. /tests/lib/tap.sh
. /tests/lib/svc.sh
cd /tmp || exit 1

# Waits until a service has been started again more often than $2 times and is ready.
await() {
	tries=0
	while [ "$(restarts "$1")" -le "$2" ] || [ "$(state "$1")" != ready ]; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		sleep 0.1
	done
}

restart() {
	before=$(restarts "$1")
	svc restart "$1" && await "$1" "$before"
}

# Who is not waited for at the start has a moment.
tries=0
while svc list | grep -v '^missing ' | grep -Eq 'starting|running' && [ $tries -lt 50 ]; do
	tries=$((tries + 1))
	sleep 0.1
done
is "every service is ready" "$(svc list | awk 'NR > 1 && $1 != "missing" && $2 != "ready" && $2 != "done"')" ""
is "one that is described wrongly is not run" "$(state mistaken)" ""
is "one that cannot be started is given up" "$(sleep 1; state missing)" failed
for server in logd randd ptyd unixd console; do
	yes "$server comes back" restart $server
done
# Nothing may be under way that only the old procd knew: a command whose output or status is being waited for.
svc restart procd
sleep 1
yes "procd comes back" await procd 0
is "a shell goes on after procd was killed" "$( (exit 7); echo $?)" 7
is "its children are waited for" "$(sh -c 'sleep 0.1 & wait $!; echo done')" done
is "signals arrive after procd was killed" "$(sh -c 'kill -TERM $$'; echo $?)" 143
is "random bytes come from the new randd" "$(head -c 1000 /dev/urandom | wc -c)" 1000

exec 5</dev/urandom
yes "randd comes back while it is open" restart randd
is "what was open goes on" "$(head -c 16 <&5 | wc -c)" 16
exec 5<&-

before=$(restarts randd)
kill -KILL "$(pid randd)"
yes "a server killed by signal comes back" await randd "$before"

head -c 3000000 /dev/urandom | wc -c >count &
for i in 1 2 3 4 5; do
	svc restart randd
	sleep 0.05
done
wait $!
is "reads go on while their server is killed again and again" "$(cat count)" 3000000

# File work, random bytes, pipes and children, while every server but the two that hold files and processes dies again and again.
work() {
	for i in 1 2 3 4 5 6; do
		head -c 100000 /dev/urandom >work.a || echo "no random bytes"
		cp work.a work.b && mv work.b work.c && cmp work.a work.c || echo "not the same"
		[ "$(cat work.c | wc -c)" = 100000 ] || echo "not all of it"
		(exit 3)
		[ $? = 3 ] || echo "a status was lost"
		rm work.a work.c
	done
}
work >worked 2>&1 &
worker=$!
kills=0
while kill -0 $worker 2>/dev/null || [ $kills -lt 20 ]; do
	for server in logd randd ptyd unixd console; do
		svc kill $server 2>/dev/null && kills=$((kills + 1))
		sleep 0.05
	done
	[ $kills -lt 40 ] || break
done
wait $worker
is "nobody who works notices that servers are killed" "$(cat worked)" ""
echo "# $kills kills"
for server in logd randd ptyd unixd console; do
	yes "$server is ready in the end" await $server 0
done

is "a service that nobody knows is refused" "$(svc restart nobody 2>/dev/null; echo $?)" 1
is "a user restarts nothing" "$(su user -c '/usr/bin/svc restart logd' 2>/dev/null; echo $?)" 1
is "a user powers nothing off" "$(su user -c 'poweroff -f' 2>/dev/null; echo $?)" 1
is "a user kills no server" "$(su user -c "kill -KILL $(pid procd)" 2>/dev/null; echo $?)" 1
kill -STOP "$(pid stuck)"
yes "a server that answers nobody is killed and comes back" await stuck 0
is "all are ready in the end" "$(svc list | awk 'NR > 1 && $1 != "missing" && $2 != "ready" && $2 != "done"')" ""
finish
