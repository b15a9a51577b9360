# tests/guest/lib/tap.sh - TAP for shell tests: . /tests/lib/tap.sh
#
# is "the rule" "$got" "$wanted"     the two are the same
# yes "the rule" COMMAND...          the command succeeds
# no "the rule" COMMAND...           it fails
# include PROGRAM [ARGUMENT...]      the points of a program that prints TAP itself become ours
# skip "the rule" "why"
# finish                             last of all
tap_count=0 tap_failed=0

tap_point() {
	tap_count=$((tap_count + 1))
	if [ "$1" = 0 ]; then
		echo "ok $tap_count - $2"
	else
		echo "not ok $tap_count - $2"
		tap_failed=$((tap_failed + 1))
	fi
}

is() {
	[ "$2" = "$3" ]
	tap_status=$?
	[ $tap_status = 0 ] || { echo "# got:"; echo "$2" | sed 's/^/#   /'; echo "# wanted:"; echo "$3" | sed 's/^/#   /'; }
	tap_point $tap_status "$1"
}

yes() {
	tap_rule=$1
	shift
	"$@"
	tap_point $? "$tap_rule"
}

no() {
	tap_rule=$1
	shift
	! "$@"
	tap_point $? "$tap_rule"
}

skip() {
	tap_count=$((tap_count + 1))
	echo "ok $tap_count - $1 # SKIP $2"
}

include() {
	"$@" >/tmp/tap.$$ 2>&1
	tap_status=$? tap_points=0
	while IFS= read -r tap_line; do
		case $tap_line in
		"ok "* | "not ok "*)
			tap_points=$((tap_points + 1))
			tap_result=0
			[ "${tap_line#not }" = "$tap_line" ] || tap_result=1
			tap_point $tap_result "${1##*/}: ${tap_line#*- }"
			;;
		1..*) [ "$tap_line" = "1..$tap_points" ] || tap_status=99 ;;
		*) echo "# $tap_line" ;;
		esac
	done </tmp/tap.$$
	rm -f /tmp/tap.$$
	[ $tap_points -gt 0 ] && [ $tap_status -le 1 ] || { echo "# exit status $tap_status after $tap_points points"; tap_point 1 "${1##*/} ends well"; }
}

finish() {
	echo "1..$tap_count"
	[ $tap_failed = 0 ]
	exit
}
