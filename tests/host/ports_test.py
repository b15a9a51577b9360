#!/usr/bin/env python3
"""tests/host/ports_test.py - sources of others: what is not what the recipe says is refused, with the package's name."""
import sys
import tempfile
from pathlib import Path

import tap

sys.path.insert(0, str(tap.ROOT / "tools"))
import ports
import sources


def refused(recipe):
    try:
        sources.source_root("libvterm", recipe)
    except ports.PortError as error:
        return str(error)
    raise AssertionError("it was taken")


def rule_a_tarball_with_another_checksum_is_refused_and_forgotten():
    with tempfile.TemporaryDirectory() as folder:
        cache = ports.cache_folder
        ports.cache_folder = lambda: Path(folder)
        try:
            tarball = Path(folder) / "sources" / "libvterm_0.1.4.orig.tar.gz"
            tarball.parent.mkdir()
            tarball.write_bytes(b"something else")
            text = refused(ports.recipe_read("libvterm"))
            assert "libvterm" in text and "sha256" in text, text
            assert not tarball.exists()
        finally:
            ports.cache_folder = cache


def rule_a_patch_that_does_not_fit_is_said_and_leaves_nothing_half_done():
    folder = ports.port_root("libvterm").parent
    before = sorted(folder.iterdir())
    with tempfile.NamedTemporaryFile(dir=ports.ROOT / "ports" / "libvterm", suffix=".patch", mode="w") as patch:
        patch.write("--- a/src/vterm.c\n+++ b/src/vterm.c\n@@ -1,1 +1,1 @@\n-no such line\n+another\n")
        patch.flush()
        recipe = ports.recipe_read("libvterm")
        recipe["patch"] = [Path(patch.name).name]
        text = refused(recipe)
        assert Path(patch.name).name in text, text
        assert sorted(folder.iterdir()) == before


def rule_what_cannot_be_fetched_is_named():
    run = ports.run
    with tempfile.TemporaryDirectory() as folder:
        cache = ports.cache_folder
        ports.cache_folder = lambda: Path(folder)

        def fail(command, folder=None):
            raise ports.PortError("no network")
        ports.run = fail
        try:
            text = refused(ports.recipe_read("libvterm"))
            assert "cannot fetch the Debian source package libvterm" in text, text
        finally:
            ports.run, ports.cache_folder = run, cache


tap.run(__name__)
