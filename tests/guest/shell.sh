# tests/guest/shell.sh - the shell's own language, which leans on fork, pipes, signals and wait.
. /tests/lib/tap.sh
cd /tmp || exit 1

is "a pipe joins two commands" "$(echo hello | tr a-z A-Z)" HELLO
is "a long pipe passes all" "$(seq 1000 | cat | cat | cat | cat | tail -n 1)" 1000
is "the last command's status is the pipe's" "$(false | true; echo $?)" 0
is "a here-document is input" "$(cat <<END
one $((1 + 1))
END
)" "one 2"
is "a quoted here-document is not expanded" "$(cat <<'END'
$x
END
)" '$x'
is "large here-documents arrive whole" "$(wc -c <<END
$(seq 20000)
END
)" 108894
is "command substitution nests" "$(echo $(echo $(echo deep)))" deep
is "a subshell's variables are its own" "$(x=1; (x=2); echo $x)" 1
is "a subshell's status comes back" "$( (exit 42); echo $?)" 42
is "redirections open, append and duplicate" "$(echo a >f; echo b >>f; { echo c; echo d >&2; } >>f 2>&1; cat f)" "a
b
c
d"
is "a descriptor can be kept open" "$(exec 5>f; echo x >&5; echo y >&5; exec 5>&-; cat f)" "x
y"
is "noclobber refuses to overwrite" "$( (set -C; echo 1 >f) 2>/dev/null; echo $?)" 1
is "a background job runs and is waited for" "$(sleep 1 & wait $!; echo $?)" 0
is "wait brings a job's status" "$( (exit 7) & wait $!; echo $?)" 7
is "jobs run side by side" "$(start=$(date +%s); sleep 2 & sleep 2 & sleep 2 & wait; end=$(date +%s); [ $((end - start)) -le 5 ] && echo yes)" yes
is "a trap runs on exit" "$(trap 'echo bye' EXIT; echo hi)" "hi
bye"
is "a trap catches a signal" "$(sh -c 'trap "echo caught" TERM; kill -TERM $$; echo on')" "caught
on"
is "a killed job has 128 and its signal" "$(sleep 100 & kill -9 $!; wait $! 2>/dev/null; echo $?)" 137
is "a command not found is 127" "$(no-such-command 2>/dev/null; echo $?)" 127
is "a file that cannot be executed is 126" "$(echo x >plain; chmod 644 plain; ./plain 2>/dev/null; echo $?)" 126
is "set -e ends at the first failure" "$(sh -e -c 'echo a; false; echo b'; echo $?)" "a
1"
is "arithmetic is right" "$((7 * 6 - 0x10 / 3 % 4 << 2))" 164
is "loops break and continue" "$(for i in 1 2 3 4 5; do [ $i = 2 ] && continue; [ $i = 4 ] && break; echo $i; done)" "1
3"
is "case matches patterns" "$(case abc.txt in *.c) echo c ;; a*.txt) echo text ;; esac)" text
is "functions take arguments and return" "$(f() { echo "$2"; return 3; }; f a b; echo $?)" "b
3"
is "globs are sorted" "$(mkdir g; cd g; touch b a c .h; echo *; cd ..; rm -r g)" "a b c"
is "parameters are trimmed and defaulted" "$(x=path/to/file.c; echo ${x##*/} ${x%.c} ${y:-none} ${#x})" "file.c path/to/file none 14"
is "read splits a line" "$(echo 'a b  c d' | { read x y z; echo "$z|$y|$x"; })" "c d|b|a"
is "a while loop reads a file line by line" "$(seq 300 >f; n=0; while read line; do n=$((n + line)); done <f; echo $n)" 45150
is "exec replaces the shell" "$(sh -c 'exec echo replaced; echo not')" replaced
is "the process id is the shell's" "$(sh -c 'test $$ = $(sh -c "echo \$PPID") && echo yes')" yes
is "a script with #! is run" "$(printf '#!/bin/sh\necho "$0 $1"\n' >s; chmod 755 s; ./s x)" "./s x"
is "timeout ends a command" "$(timeout 1 sleep 100; echo $?)" 143
is "xargs runs four at a time" "$(seq 20 | xargs -P4 -n1 echo | sort -n | tr '\n' ' ')" "$(seq 20 | tr '\n' ' ')"
is "a pipe's reader that ends early ends the writer" "$(command yes | head -n 2)" "y
y"
is "three hundred commands in a row" "$(i=0; while [ $i -lt 300 ]; do /bin/true || echo bad; i=$((i + 1)); done; echo $i)" 300
rm -f f plain s
finish
