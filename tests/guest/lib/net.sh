# tests/guest/lib/net.sh - two cards on one wire: . /tests/lib/net.sh
#
# wire_test DRIVER DRIVER [KILLED]      frames of all sizes both ways between eth0 and eth1, which these drive; all, or the instances that
#                                       match KILLED, are killed meanwhile
appears() {
	tries=0
	while ! grep -q "^$1\$" /scheme/ethernet; do
		tries=$((tries + 1))
		[ $tries -lt 100 ] || return 1
		sleep 0.1
	done
}
drivers_of() { svc list | awk '/^(virtio_net|e1000|rtl8139)@/ { print $1 }'; }
frames=/tests/native/frames

killed_of() { drivers_of | grep "$killed"; }

# Kills the drivers in turn, some times; each is waited for, so that it has begun to work.
kill_both() {
	for round in 1 2 3 4; do
		for driver in $(killed_of); do
			before=$(restarts $driver)
			svc kill $driver
			tries=0
			while [ "$(restarts $driver)" = "$before" ] || [ "$(state $driver)" != ready ]; do
				tries=$((tries + 1))
				[ $tries -lt 100 ] || break
				sleep 0.02
			done
		done
	done
}

wire_test() {
	killed=${3:-.}
	for card in eth0 eth1; do
		yes "$card is there" appears $card
	done
	is "they are driven by" "$(drivers_of | sed 's/@.*//' | tr '\n' ' ')" "$1 $2 "
	yes "2,000 frames of 60 bytes pass both ways" $frames eth0 eth1 2000 60 60
	yes "and of 1,514" $frames eth0 eth1 2000 1514 1514
	yes "and 10,000 of all sizes" $frames eth0 eth1 10000 60 1514
	kill_both &
	yes "while their drivers are killed none is changed, doubled or swapped, and few are lost" $frames eth0 eth1 15000 60 1514 4000
	wait
	is "each was killed four times" "$(for driver in $(killed_of); do restarts $driver; done | sort -u)" 4
	yes "and after that none is lost" $frames eth0 eth1 2000 60 1514
}
