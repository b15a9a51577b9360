# tests/guest/svc.sh - what init does with services that crash, hang, take too much, or are told to start and stop.
# cpus: 1 2 4
# add: tests/guest/lib/svc.rc:/etc/init.rc
. /tests/lib/tap.sh
. /tests/lib/svc.sh
cd /tmp || exit 1

# becomes NAME STATE: waits for that, ten seconds at most.
becomes() {
	tries=0
	while [ "$(state "$1")" != "$2" ]; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		sleep 0.1
	done
}
error_of() { "$@" 2>&1 >/dev/null | sed 's/.*: //'; }

yes "services of /etc/init.rc start" becomes greedy ready
yes "one that crashes again and again is given up" becomes crash failed
is "that many starts were tried" "$(restarts crash)" 3
is "the log says so" "$(svc log crash | grep -c 'given up')" 1
is "who asks it gets an error, and need not wait" "$(error_of cat /scheme/crash/x)" "Connection reset by peer"
svc start crash
yes "started by hand it gets its chances again" test "$(restarts crash)" -ge 4
yes "and is given up again" becomes crash failed

is "one that takes too much gets no more" "$(cat /scheme/greedy/x)" "no space after its quota"
is "others have memory still" "$(head -c 8000000 /dev/zero | wc -c)" 8000000
is "it goes on as before" "$(cat /scheme/greedy/x) $(restarts greedy)" "no space after its quota 0"

is "a page that it cannot have is its end" "$(echo x 2>&1 >/scheme/greedy/x | sed 's/.*: //')" "Connection reset by peer"
yes "and it starts again" becomes greedy ready
is "which is said" "$(svc log greedy | grep -c crashed) $(restarts greedy)" "1 1"

for reader in 1 2 3 4 5 6 7 8; do
	(cat /scheme/slow/x; cat /scheme/slow/x) >slow.$reader &
done
wait
is "one that is slow but works is not killed, though each waits longer than its watchdog" "$(cat slow.* | grep -c slow) $(restarts slow)" "16 0"
rm slow.*

is "one runs" "$(cat /scheme/orderly/x)" here
exec 5</scheme/orderly/x
svc stop orderly
yes "it stops" becomes orderly stopped
is "it was asked to end, and ended by itself" "$(svc log orderly | grep -c 'says goodbye')" 1
is "who asks a stopped one gets an error" "$(error_of cat /scheme/orderly/x)" "Connection reset by peer"
is "who has it open, too" "$(error_of cat <&5)" "Connection reset by peer"
svc stop orderly
is "stopping it again changes nothing" "$(state orderly)" stopped
svc start orderly
yes "it starts again" becomes orderly ready
is "and answers" "$(cat /scheme/orderly/x)" here
is "those who have it open too" "$(cat <&5)" here
exec 5<&-

for round in 1 2 3; do
	svc restart orderly
	is "round $round: clients of a restarted service just wait" "$(cat /scheme/orderly/x)" here
done
svc kill orderly
is "and those of one that was killed" "$(cat /scheme/orderly/x)" here
is "nobody said goodbye then" "$(svc log orderly | grep -c 'was killed')" 1

start=$(date +%s)
svc stop deaf
yes "one that does not hear is ended nevertheless" becomes deaf stopped
is "the log says so" "$(svc log deaf | grep -c 'does not end though it was asked to')" 1

is "one that may have no threads beyond its first, and few handles, runs" "$(cat /scheme/flood/x)" here
is "requests are counted" "$([ "$(field orderly 7)" -ge 6 ] && echo yes)" yes
is "memory is shown" "$([ "$(field greedy 6 | tr -d K)" -ge 20 ] && echo yes)" yes
is "what the system needs is not stopped" "$(svc stop procd 2>&1)" "svc: procd: the system needs it (error 16)"
is "nor what is not there" "$(svc start nobody 2>&1)" "svc: nobody: no such service (error 2)"
is "nor what does not run" "$(svc kill deaf 2>&1)" "svc: deaf: it does not run (error 3)"
is "a user sees them" "$(su user -c '/usr/bin/svc' | grep -c ready)" "$(svc | grep -c ready)"
is "and changes nothing" "$(su user -c '/usr/bin/svc kill randd' 2>&1)" "svc: randd: only root may (error 1)"
is "and reads no log" "$(su user -c '/usr/bin/svc log randd' 2>&1)" "svc: randd: no log to read (error 1)"
is "words that are none are refused" "$(svc frobnicate 2>/dev/null; echo $?)" 2
finish
