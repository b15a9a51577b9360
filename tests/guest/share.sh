# tests/guest/share.sh - a folder of the host: names, bytes, permissions, programs run from it, its driver killed while it works.
# cpus: 1 2 4
# timeout: 200
# share: new
. /tests/lib/tap.sh
. /tests/lib/svc.sh

appears() {
	tries=0
	while [ ! -d "$1" ]; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		sleep 0.1
	done
}
sum_of() { sha256sum "$1" | cut -d ' ' -f 1; }
seq 1000000 9999999 | head -c 3000001 >/tmp/data

yes "the folder is there" appears /host
yes "an empty one can be listed" test "$(ls -A /host | wc -l)" = 0

# Bytes.
cp /tmp/data /host/data
is "what was written is read" "$(sum_of /host/data)" "$(sum_of /tmp/data)"
is "its length is told" "$(stat -c %s /host/data)" 3000001
is "also in small parts" "$(dd if=/host/data bs=777 count=1000 2>/dev/null | sha256sum)" "$(head -c 777000 /tmp/data | sha256sum)"
printf 'abc' | dd of=/host/data bs=1 seek=1000 conv=notrunc 2>/dev/null
(head -c 1000 /tmp/data; printf 'abc'; tail -c +1004 /tmp/data) >/tmp/patched
yes "a few bytes are written within" cmp /host/data /tmp/patched
truncate -s 10 /host/data
is "truncated" "$(cat /host/data)" "$(head -c 10 /tmp/data)"
truncate -s 20 /host/data
is "and grown with zeros" "$(tail -c 10 /host/data | od -An -tx1 | tr -d ' \n')" "00000000000000000000"
echo one >/host/log; echo two >>/host/log; (echo three; echo four) >>/host/log
is "appended" "$(cat /host/log | tr '\n' ' ')" "one two three four "
dd if=/dev/zero of=/host/large bs=1M count=64 2>/dev/null
printf 'end' | dd of=/host/large bs=1 seek=67108864 conv=notrunc 2>/dev/null
is "64 MiB and a bit" "$(stat -c %s /host/large) $(tail -c 3 /host/large)" "67108867 end"
# Of 64 MiB of zeros.
is "read as they were written" "$(head -c 67108864 /host/large | sha256sum)" "3b6a07d0d404fab4e23b6d34bc6696a6a312dd92821332385e5af7c01c421351  -"
rm /host/large

# Names.
mkdir /host/many
i=0; while [ $i -lt 1000 ]; do : >/host/many/file$i; i=$((i + 1)); done
is "a thousand names" "$(ls /host/many | wc -l) $(ls /host/many | sort -u | wc -l)" "1000 1000"
rm -r /host/many
no "removed with all that was in it" test -e /host/many
odd="$(printf 'a \303\251\n\001"\\\377b')"
echo odd >"/host/$odd"
is "odd bytes in a name" "$(cat "/host/$odd")" odd
is "as they were" "$(ls /host | grep -c b)" 1
rm "/host/$odd"
long=$(head -c 255 /dev/zero | tr '\0' n)
echo long >/host/$long
is "a name of 255 bytes" "$(cat /host/$long)" long
no "none of 256" sh -c ": >/host/${long}n" 2>/dev/null
rm /host/$long
mkdir -p /host/d/e/f
echo deep >/host/d/e/f/g
is "a path with dots" "$(cat /host/d/./e/../e/f//g)" deep
is "and one that climbs out and in" "$(cat /host/d/../../host/d/e/f/g)" deep
is "a working directory there" "$(cd /host/d/e && pwd && cat f/g ../e/f/g ../../../host/d/e/f/g | tr '\n' ' ')" "/host/d/e
deep deep deep "
mv /host/d/e /host/moved
is "moved" "$(cat /host/moved/f/g; ls /host/d)" deep
no "a directory that is not empty stays" rmdir /host/moved
no "nothing is made in what is not there" mkdir /host/none/new
no "a file is no directory" cat /host/log/x
ln /host/log /host/linked
is "two names of one file" "$(stat -c '%h %i' /host/log)" "2 $(stat -c %i /host/linked)"
mv /host/linked /tmp/linked
is "moved to another file system" "$(wc -l </tmp/linked) $(stat -c %h /host/log)" "4 1"

# Symbolic links are the guest's to follow.
ln -s moved /host/link
ln -s /etc/passwd /host/absolute
ln -s ../../../etc/group /host/climbing
ln -s loop /host/loop
is "a link" "$(readlink /host/link) $(cat /host/link/f/g)" "moved deep"
is "an absolute one leads to the guest's own file" "$(sum_of /host/absolute)" "$(sum_of /etc/passwd)"
is "one that climbs as well" "$(sum_of /host/climbing)" "$(sum_of /etc/group)"
is "a circle is an error" "$(cat /host/loop 2>&1 | grep -c 'symbolic')" 1
is "a link from here leads in" "$(ln -s /host/moved /tmp/in; cat /tmp/in/f/g)" deep

# Who may what.
chmod 600 /host/log
no "what others may not read they do not read" su user -c 'cat /host/log'
is "and are told why" "$(su user -c 'cat /host/log' 2>&1 | grep -c 'denied')" 1
chmod 700 /host/moved
no "nor what lies behind a closed directory" su user -c 'cat /host/moved/f/g'
no "nor make names in others' directories" su user -c ': 2>/dev/null >/host/mine'
chmod 777 /host/d
su user -c 'echo mine >/host/d/mine; chmod 640 /host/d/mine'
is "theirs they make where they may" "$(stat -c '%U %a' /host/d/mine)" "user 640"
no "of others they change nothing" su user -c 'chmod 777 /host/log'
touch -d '2020-02-03 04:05:06' /host/log
is "times are set" "$(stat -c %y /host/log | cut -c 1-19)" "2020-02-03 04:05:06"

# Unlinked while open.
exec 5>/host/open 4</host/open
echo first >&5
rm /host/open
echo second >&5
no "unlinked while it is open" test -e /host/open
is "it still has its bytes" "$(cat <&4 | tr '\n' ' ')" "first second "
exec 4<&- 5>&-

# Programs.
cp /tests/linux/files-musl /host/program
is "a program is run from there" "$(/host/program nothing_of_that_name 2>&1 | tail -n 1)" "$(/tests/linux/files-musl nothing_of_that_name 2>&1 | tail -n 1)"
printf '#!/bin/sh\necho "$0" "$1"\n' >/host/script
chmod 755 /host/script
is "and a script" "$(/host/script word)" "/host/script word"
chmod 644 /host/script
no "one that may not be run is not" sh -c /host/script 2>/dev/null

# The driver is killed while it works.
driver=$(svc list | awk 'index($1, "virtio_9p@") == 1 { print $1 }')
exec 6</host/moved/f/g 7>>/host/log
before=$(restarts $driver)
for i in 1 2 3 4 5 6 7 8 9 10; do cat /tmp/data; done | head -c 16m >/tmp/large
(cp /tmp/large /host/large; echo $? >/tmp/status1) &
(i=0; while [ $i -lt 200 ] && mkdir /host/d/dir$i && mv /host/d/dir$i /host/d/new$i && echo x >>/host/appended && rmdir /host/d/new$i; do i=$((i + 1)); done; echo $i >/tmp/status2) &
kills=0
while [ $kills -lt 20 ]; do
	was=$(restarts $driver)
	svc kill $driver
	kills=$((kills + 1))
	tries=0
	while [ "$(restarts $driver)" = "$was" ] && [ $tries -lt 1000 ]; do sleep 0.02; tries=$((tries + 1)); done
	sleep 0.02
done
wait
is "killed twenty times" "$(($(restarts $driver) - before))" 20
is "a copy went on" "$(cat /tmp/status1)" 0
is "and is right" "$(sum_of /host/large)" "$(sum_of /tmp/large)"
is "two hundred directories were made, moved and removed, each once" "$(cat /tmp/status2) $(ls /host/d | grep -c new)" "200 0"
is "two hundred lines were appended, each once" "$(wc -l </host/appended)" 200
is "what was open is open" "$(cat <&6; echo five >&7; tail -n 1 /host/log)" "deep
five"
is "a program runs on" "$(/host/program nothing_of_that_name 2>&1 | tail -n 1)" "$(/tests/linux/files-musl nothing_of_that_name 2>&1 | tail -n 1)"
finish
