# tools/setup.sh - what host packages a command needs; installs them when it may (sourced by ./cathode).
#
# A line of setup_table: the commands that need it (build: all that build), a program or a file that
# shows that it is there, the Debian package, and why it is needed.
PATH=/usr/bin:/bin:/usr/sbin:/sbin:$PATH
export PATH

setup_table() {
	cat <<'END'
help  python3                            python3              the tools behind ./cathode
build clang                              clang                compiles kernel and programs
build ld.lld                             lld                  links them
build llvm-objcopy                       llvm                 archives and strips them
build make                               make                 runs the build
build apt-get                            apt                  fetches busybox and other packages
build qemu-system-x86_64                 qemu-system-x86      the machine
build mformat                            mtools               makes the disk image for UEFI
build /usr/share/OVMF/OVMF_CODE_4M.fd    ovmf                 UEFI firmware
test  gcc                                gcc                  the second compiler that must accept the code
test  /usr/include/stdio.h               libc6-dev            host tests
test  asan                               libclang-rt-14-dev   sanitizers of host tests
test  musl-gcc                           musl-tools           static Linux test programs
test  spin                               spin                 tries every course of the models
bench gcc                                gcc                  static Linux benchmarks
bench musl-gcc                           musl-tools           static Linux benchmarks
trace gcc                                gcc                  the operations that it explains
trace musl-gcc                           musl-tools           the operations that it explains
gdb   gdb                                gdb                  the debugger
END
}

setup_has() {
	case $1 in
	/*) [ -e "$1" ] ;;
	asan) [ -e "$(clang -print-file-name=libclang_rt.asan-x86_64.a 2>/dev/null)" ] ;;
	*) command -v "$1" >/dev/null 2>&1 ;;
	esac
}

# Prints "package reason" for all that COMMAND lacks.
setup_missing() {
	setup_table | while read -r need probe package reason; do
		case $need:$1 in
		help:* | build:run | build:exec | build:test | build:bench | build:trace | build:gdb | build:build | "$1:$1") ;;
		*) continue ;;
		esac
		setup_has "$probe" || echo "$package $reason"
	done
}

setup_for() {
	missing=$(setup_missing "$1")
	[ -n "$missing" ] || return 0
	packages=$(echo "$missing" | sed 's/ .*//' | sort -u | tr '\n' ' ')
	line="apt-get install -y --no-install-recommends $packages"
	{
		echo "cathode: these Debian packages are needed and not installed:"
		echo "$missing" | sed 's/^\([^ ]*\) /  \1: /'
	} >&2
	if [ "$(id -u)" != 0 ] || ! command -v apt-get >/dev/null; then
		echo "cathode: install them as root with: $line" >&2
		exit 125
	fi
	echo "cathode: installing them with: $line" >&2
	{ apt-get update -q && DEBIAN_FRONTEND=noninteractive $line; } >&2 </dev/null || {
		echo "cathode: apt could not install them" >&2
		exit 125
	}
}
