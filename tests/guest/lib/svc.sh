# tests/guest/lib/svc.sh - what svc says, by field: . /tests/lib/svc.sh (busybox has an svc of its own, which its shell would take)
svc() { /usr/bin/svc "$@"; }
field() { svc list | awk -v name="$1" -v field="$2" '$1 == name { print $field }'; }
state() { field "$1" 2; }
pid() { field "$1" 3; }
restarts() { field "$1" 5; }
