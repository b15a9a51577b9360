# tests/guest/tools.sh - Debian's busybox does its work: text, archives, checksums, trees.
. /tests/lib/tap.sh
mkdir -p /tmp/tools && cd /tmp/tools || exit 1

is "checksums agree with the standard" "$(printf abc | sha256sum)" "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad  -"
is "md5 too" "$(printf abc | md5sum)" "900150983cd24fb0d6963f7d28e17f72  -"
is "awk adds up" "$(seq 1000 | awk '{ s += $1 } END { print s, NR }')" "500500 1000"
is "awk has floating point" "$(echo 2 | awk '{ printf "%.6f\n", $1 / 3 }')" 0.666667
is "sed substitutes" "$(echo 'the cat sat' | sed -E 's/(c|s)at/[&]/g')" "the [cat] [sat]"
is "sort sorts numbers and text" "$(printf '10\n9\n2\n' | sort -n | tr '\n' ' ')$(printf 'b\na\n' | sort -r | tr '\n' ' ')" "2 9 10 b a "
is "uniq counts" "$(printf 'a\na\nb\n' | uniq -c | tr -s ' ')" " 2 a
 1 b"
is "grep finds and counts" "$(seq 100 | grep -c 7)" 19
is "cut and tr and rev" "$(echo a:b:c | cut -d: -f2,3 | tr : - | rev)" "c-b"
is "bc calculates" "$(echo '2^100' | bc)" 1267650600228229401496703205376
is "dd copies blocks and seeks" "$(printf 0123456789 | dd bs=1 skip=3 count=4 2>/dev/null)" 3456
is "od dumps" "$(printf 'AB\n' | od -An -tx1 | tr -d ' ')" 41420a
is "diff tells files apart" "$(seq 3 >a; printf '1\n3\n' >b; diff a b >d; echo $?)" 1
is "patch repairs" "$(diff -u a b >d; cp a c; patch c <d >/dev/null; cmp b c && echo same)" same

mkdir -p tree/sub/deep && seq 5000 >tree/numbers && echo x >tree/sub/x && ln -s ../numbers tree/sub/link && ln tree/numbers tree/hard && chmod 750 tree/sub
sum=$(find tree -type f | sort | xargs cat | sha256sum)
is "find sees every kind" "$(find tree | wc -l) $(find tree -type l | wc -l) $(find tree -type d | wc -l)" "7 1 3"
is "an archive goes through gzip and back" "$(tar c tree | gzip | gunzip | (mkdir -p out; cd out; tar x); cd out; find tree -type f | sort | xargs cat | sha256sum)" "$sum"
is "the archive keeps modes and links" "$(stat -c %a out/tree/sub; readlink out/tree/sub/link; stat -c %h out/tree/hard)" "750
../numbers
2"
is "cp -a copies a tree" "$(cp -a tree copy; diff -r tree copy && echo same)" same
is "mv renames a tree" "$(mv copy moved; ls moved; ls copy 2>/dev/null)" "$(ls tree)"
is "rm -r removes it" "$(rm -r moved out; ls)" "a
b
c
d
tree"
is "du and wc agree on sizes" "$(wc -c <tree/numbers)" 23893
is "bzip2 and xz undo themselves" "$(bzip2 -c tree/numbers | bunzip2 | cmp - tree/numbers && echo same)" same
is "a loop of a hundred files" "$(for i in $(seq 100); do echo $i >n$i; done; cat n* | sort -n | tail -n 1; rm n*)" 100
is "head and tail and nl" "$(seq 10 | head -n 5 | tail -n 1)" 5
is "expr and test" "$(expr 6 \* 7; test 5 -gt 3 && echo yes)" "42
yes"
is "date prints a fixed time" "$(TZ=UTC date -d @1000000000 '+%F %T')" "2001-09-09 01:46:40"
is "env passes an environment" "$(env -i A=1 sh -c 'echo $A$HOME')" 1
is "uname names the machine" "$(uname -m)" x86_64
is "vi edits too" "$(printf 'one\ntwo\n' >v; vi -c 's/one/1/' -c wq v </dev/null >/dev/null 2>&1; cat v)" "1
two"
cd / && rm -rf /tmp/tools
finish
