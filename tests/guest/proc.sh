# tests/guest/proc.sh - what /proc tells ps, top, free and scripts.
. /tests/lib/tap.sh

yes "ps shows init" sh -c "ps | grep -q init"
yes "ps shows this shell's children" sh -c 'sleep 50 & p=$!; ps | grep -q "^ *$p .*sleep"; s=$?; kill $p; exit $s'
is "a command line can be read" "$(sleep 50 & p=$!; sleep 1; tr '\0' ' ' </proc/$p/cmdline; kill $p)" "sleep 50 "
is "a status has name and state" "$(sleep 50 & sleep 1; grep -E '^(Name|State)' /proc/$!/status | tr '\t\n' '  '; kill $!)" "Name: sleep State: S (sleeping) "
is "a working directory can be followed" "$(cd /tmp; sleep 50 & readlink /proc/$!/cwd; kill $!)" /tmp
# Redirections are made by the child: wait until it has become the program.
is "open files can be listed" "$(sleep 50 </dev/null & until grep -q sleep /proc/$!/comm; do :; done; readlink /proc/$!/fd/0; kill $!)" /dev/null
yes "memory adds up" awk '/MemTotal/ { t = $2 } /MemFree/ { f = $2 } END { exit !(t > 32768 && f > 0 && f < t) }' /proc/meminfo
yes "free prints it" sh -c "free | grep -q Mem"
is "every CPU is listed" "$(grep -c ^processor /proc/cpuinfo)" "$(nproc)"
yes "uptime goes forward" sh -c 'a=$(cut -d. -f1 /proc/uptime); sleep 2; b=$(cut -d. -f1 /proc/uptime); [ $b -gt $a ]'
yes "top prints a page" sh -c "top -b -n 1 | grep -q -i 'mem'"
yes "mounts have a root" grep -q ' / ' /proc/mounts
no "a process that is gone has no folder" test -e /proc/99999
yes "a load average is there" grep -qE '^[0-9.]+ [0-9.]+ [0-9.]+ ' /proc/loadavg
yes "a map of the memory is there" grep -q 'r-xp' /proc/self/maps
is "pids are found by name" "$(sleep 50 & until grep -q sleep /proc/$!/comm; do :; done; pidof sleep | grep -cw $!; kill $!)" 1
finish
