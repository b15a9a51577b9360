# tests/guest/users.sh - what an unprivileged user may not, and what he cannot do to others.
# timeout: 900
. /tests/lib/tap.sh
cd /tmp || exit 1

as_user() { su user -c "$1"; }

is "su becomes the user" "$(as_user 'id -u; id -g; cd; pwd')" "1000
1000
/home/user"
is "a user cannot write to the system" "$(as_user 'echo x >/etc/passwd' 2>/dev/null; echo $?)" 1
is "a user cannot read what is root's" "$(echo s >secret; chmod 600 secret; as_user 'cat /tmp/secret' 2>/dev/null; echo $?)" 1
is "a user writes at home" "$(as_user 'echo mine >/home/user/f && cat /home/user/f')" mine
is "a user cannot kill root's processes" "$(sleep 100 & as_user "kill $!" 2>/dev/null; echo $?; kill $!)" 1
is "a user cannot become root" "$(as_user 'busybox su root -c id' </dev/null 2>/dev/null | grep -c uid=0)" 0
is "a user cannot make devices" "$(as_user 'mknod /tmp/dev c 1 3' 2>/dev/null; test -e /tmp/dev; echo $?)" 1
is "a user cannot stop the machine" "$(as_user 'poweroff -f' 2>/dev/null; echo still here)" "still here"
yes "a memory hog of a user ends with an error" sh -c "! su user -c 'head -c 2000000000 /dev/zero | tail -c 1999999999 | wc -c' 2>/dev/null | grep -q 1999999999"
is "root's shell still answers" "$(echo alive | cat)" alive
as_user 'bomb() { bomb | bomb & }; bomb' >/dev/null 2>&1 &
sleep 5
is "root's shell answers beside a fork bomb" "$(echo alive | cat)" alive
for round in 1 2 3 4 5 6 7 8 9 10; do
	su user -c 'kill -9 -1' 2>/dev/null
	[ "$(ps -o user,pid | grep -c '^user')" = 0 ] && break
	sleep 1
done
is "the fork bomb can be ended" "$(ps -o user,pid | grep -c '^user')" 0
is "a busy job leaves others their share" "$(sh -c 'while :; do :; done' & p=$!; start=$(date +%s); i=0; while [ $i -lt 50 ]; do /bin/true; i=$((i + 1)); done; end=$(date +%s); kill $p; [ $((end - start)) -le 20 ] && echo yes)" yes
rm -f secret /home/user/f
finish
