# tests/guest/audio_users.sh - what users of audio: cannot do to one another: take all streams, or keep others from hearing the end of theirs.
# timeout: 120
# cpus: 1 4
# qemu: -audiodev none,id=none -device AC97,audiodev=none
. /tests/lib/tap.sh
. /tests/lib/svc.sh
cd /tmp || exit 1

appears() {
	tries=0
	while ! grep -q "$1" /scheme/audio; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		sleep 0.1
	done
}
streams() { grep -c ^stream /scheme/audio; }
# As many as he gets; they stay for the seconds.
take_streams() { su user -c "for i in $(seq 1 40 | tr '\n' ' '); do sleep $1 >/scheme/audio/play 2>/dev/null & done; wait" 2>/dev/null; }

yes "there is a device" appears ^device
take_streams 20 &
yes "a user gets some streams" appears ^stream
sleep 2
is "not more than his share" "$(streams)" 8
svc kill audiod
take_streams 4 &
sleep 2
is "the next instance knows whose those are, and gives him no more" "$(streams)" 0
yes "others still get one" sh -c 'true >/scheme/audio/play'
wait
/usr/bin/play -r 48000 - </dev/zero &
endless=$!
yes "somebody plays without end" appears ^stream
head -c 38400 /dev/zero >/tmp/short
yes "who plays beside him hears the end of it" timeout 10 /usr/bin/play -r 48000 /tmp/short
kill $endless
finish
