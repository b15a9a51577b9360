#!/usr/bin/env python3
"""tests/host/tools_test.py - the small tools: TAP reader, line counter, image maker."""
import os
import stat
import struct
import subprocess
import sys
import tempfile
from pathlib import Path

import tap as harness
sys.path.insert(0, str(harness.ROOT / "tools"))
del sys.modules["tap"]
import tap
import measure
import mkinitfs


def rule_tap_counts_points_and_plan():
    result = tap.read("ok 1 - a\nnot ok 2 - b\nok 3 - c # SKIP no\n1..3\n", 1)
    assert (result.passed, result.skipped, result.failures) == (1, 1, ["b"]), result


def rule_a_tap_that_stops_early_has_failed():
    assert tap.read("1..3\nok 1\n", 0).failures
    assert tap.read("ok 1\n", 0).failures
    assert tap.read("", 0).failures
    assert tap.read("ok 1\n1..1\n", 3).failures
    assert tap.read("Bail out! x\n1..0\n", 0).failures
    assert not tap.read("ok 1\n1..1\n", 0).failures


def rule_comments_and_blanks_are_no_lines():
    text = 'int a; /* one\ntwo */\n\n// three\nchar *b = "/* no comment";\n/* x */ int c;\n'
    assert measure.code_lines(text) == 3, measure.code_lines(text)


def image_of(manifest_text, adds=()):
    """{path: (mode, uid, gid, modified_ns, content)} of an image made so."""
    with tempfile.TemporaryDirectory() as folder:
        manifest, output = Path(folder) / "manifest", Path(folder) / "image"
        manifest.write_text(manifest_text)
        mkinitfs.make_image(output, [manifest], list(adds))
        return read_image(output.read_bytes())


def read_image(data):
    magic, size, count, _, strings = mkinitfs.HEADER.unpack_from(data)
    assert magic == mkinitfs.MAGIC and size == len(data)
    paths, files = [], {}
    for index in range(count):
        parent, name, name_bytes, _, mode, uid, gid, modified, offset, length = mkinitfs.NODE.unpack_from(data, mkinitfs.HEADER.size + index * mkinitfs.NODE.size)
        assert parent < index or index == 0
        paths.append("/" if index == 0 else paths[parent].rstrip("/") + "/" + os.fsdecode(data[strings + name:strings + name + name_bytes]))
        if stat.S_ISREG(mode) and length:
            assert offset % 4096 == 0
        has_bytes = stat.S_ISREG(mode) or stat.S_ISLNK(mode)
        files[paths[-1]] = (mode, uid, gid, modified, data[offset:offset + length] if has_bytes else length)
    return files


def rule_the_image_keeps_modes_owners_links_and_times():
    with tempfile.TemporaryDirectory() as folder:
        tree = Path(folder) / "tree"
        (tree / "sub").mkdir(parents=True)
        (tree / "sub/file").write_bytes(b"x" * 5000)
        (tree / "sub/file").chmod(0o751)
        os.utime(tree / "sub/file", ns=(0, 1234567890123456789))
        (tree / "link").symlink_to("sub/nowhere")
        (tree / "empty").touch()
        files = image_of("dir /a 1777 3:4\nchar /a/n 0666 0:5 1 3\n", [f"{tree}:/a/tree"])
    assert files["/a"][:3] == (stat.S_IFDIR | 0o1777, 3, 4)
    assert files["/a/n"][0] == stat.S_IFCHR | 0o666 and files["/a/n"][4] == 1 << 32 | 3
    assert files["/a/tree/sub/file"] == (stat.S_IFREG | 0o751, 0, 0, 1234567890123456789, b"x" * 5000)
    assert files["/a/tree/link"][4] == b"sub/nowhere" and stat.S_ISLNK(files["/a/tree/link"][0])
    assert files["/a/tree/empty"][4] == b""


def rule_a_later_entry_replaces_an_earlier():
    files = image_of("link /x old\nlink /x new\ndir /d 0700 0:0\ndir /d 0711 1:1\nlink /d/l t\n")
    assert files["/x"][4] == b"new" and files["/d"][:2] == (stat.S_IFDIR | 0o711, 1) and "/d/l" in files


def refused(manifest, adds=()):
    try:
        image_of(manifest, adds)
    except mkinitfs.ImageError as error:
        return str(error)
    raise AssertionError("accepted")


def rule_a_bad_manifest_is_said_with_its_line():
    assert ":2:" in refused("dir /a 0755 0:0\nfile /b\n")
    assert "not a directory" in refused("link /a x\nlink /a/b y\n")
    assert ".." in refused("link /a/../b x\n")
    assert "unknown kind" in refused("dirr /a 0755 0:0\n")
    assert "--add wants" in refused("", ["nonsense"])
    assert "cannot add" in refused("", ["/nonexistent:/x"])


def rule_two_thousand_files_are_packed_quickly():
    import time
    with tempfile.TemporaryDirectory() as folder:
        for index in range(2000):
            (Path(folder) / f"f{index}").write_bytes(bytes(25000))
        start = time.process_time()
        files = image_of("", [f"{folder}:/tree"])
        assert len(files) == 2002
        assert time.process_time() - start < 5


def rule_the_symbol_table_lists_functions_in_order():
    import shutil
    if not shutil.which("clang"):
        raise harness.Skip("no clang")
    with tempfile.TemporaryDirectory() as folder:
        source, elf = Path(folder) / "a.c", Path(folder) / "a.elf"
        source.write_text("int data; int zz(void) { return data; } int aa(void) { return zz(); } void _start(void) { aa(); }\n")
        subprocess.run(["clang", "-nostdlib", "-static", "-fuse-ld=lld", "-O0", source, "-o", elf], check=True)
        text = subprocess.run([sys.executable, harness.ROOT / "tools/ksyms.py", elf], check=True, capture_output=True, text=True).stdout
    names = [line.split('"')[1] for line in text.splitlines() if ".asciz" in line]
    assert names == ["zz", "aa", "_start"], names


def rule_a_trace_becomes_nested_slices():
    import trace
    kinds = {name: number for number, name in trace.Names().kinds.items()}
    operations = {name: number for number, name in trace.Names().operations.items()}
    records = [(0, 7, 0, "SWITCH", 0, 0, 7), (100, 7, 0, "SPAWN", 0, 7, 5), (1000, 7, 0, "CALL_BEGIN", operations["open"], 3, 0),
               (3000, 7, 0, "CALL_END", operations["open"], (1 << 64) - 2, 0), (4000, 9, 1, "CALL_BEGIN", operations["read"], 0, 0),
               (5000, 7, 0, "SWITCH", 1, 7, 0)]
    data = trace.START.pack(trace.MAGIC, 10**9) + b"".join(trace.RECORD.pack(t, tid, cpu, kinds[kind], a, b, c) for t, tid, cpu, kind, a, b, c in records)
    events = trace.convert(data + b"cut")
    begin, end = (next(event for event in events if event["ph"] == phase and event["tid"] == 7) for phase in "BE")
    assert begin["name"] == "open" and begin["ts"] == 1.0 and begin["pid"] == 5, begin
    assert end["ts"] == 3.0 and end["args"]["result"] == "-NOENT", end
    assert sum(event["ph"] == "B" for event in events) == sum(event["ph"] == "E" for event in events)
    ran = next(event for event in events if event["ph"] == "X")
    assert ran["dur"] == 5.0 and ran["tid"] == 0


def rule_sources_that_cannot_be_had_are_told_each_time_and_tried_again_later():
    import contextlib
    import io
    import os
    import ports
    tries = []

    def fails(name):
        tries.append(name)
        raise ports.PortError("no network")

    real, ports.port_root = ports.port_root, fails
    try:
        with tempfile.TemporaryDirectory() as folder:
            note = Path(folder) / "ports" / "acpica.root"
            for wanted in (1, 1, 2):
                told = io.StringIO()
                with contextlib.redirect_stderr(told):
                    assert ports.note_root("acpica", note) == ""
                assert "ports: WARNING: acpica is missing" in told.getvalue(), told.getvalue()
                assert len(tries) == wanted, tries
                if wanted == 1 and note.exists() and "no network" not in told.getvalue():
                    recipe = ports.ROOT / "ports" / "acpica" / "recipe"
                    old = min(note.stat().st_mtime - ports.TRY_AGAIN_S - 1, recipe.stat().st_mtime - 1)
                    os.utime(note, (old, old))
    finally:
        ports.port_root = real


harness.run(__name__)
