# tests/guest/full.sh - a user who fills the file system gets an error; the machine goes on, and all comes back.
# cpus: 1
# memory: 128
. /tests/lib/tap.sh
cd /tmp || exit 1

as_user() { su user -c "$1"; }
free_blocks() { stat -f -c %a /tmp; }

before=$(free_blocks)
is "a file that fills everything ends with an error" "$(as_user 'dd if=/dev/zero of=/tmp/big bs=64k 2>&1 | grep -c "No space left"')" 1
is "what was written until then is there" "$(as_user 'dd if=/tmp/big bs=1M 2>/dev/null | tr -d "\000" | wc -c; [ $(stat -c %s /tmp/big) -gt 50000000 ] && echo much')" "0
much"
is "no space is left to write" "$(stat -f -c %a /tmp)" 0
yes "a file can still be made, renamed and removed" sh -c ': > a && mv a b && rm b'
is "programs still run" "$(ls / | grep -c bin)" 2
is "an image file cannot be changed, but read" "$(echo x >> /etc/hosts 2>/dev/null; grep -c localhost /etc/hosts)" "$(grep -c localhost /etc/hosts)"
rm big
is "the space comes back" "$([ $((before - $(free_blocks))) -lt 100 ] && echo yes)" yes
is "many small files end with an error too" "$(as_user 'mkdir /tmp/m; cd /tmp/m; seq 1 20000 | xargs touch 2>&1 | grep -q "No space left" && [ $(ls | wc -l) -gt 10000 ] && echo many')" many
rm -r m
yes "and then files can be made again" sh -c 'echo x > c && [ "$(cat c)" = x ]'
finish
