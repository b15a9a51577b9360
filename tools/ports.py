#!/usr/bin/env python3
"""tools/ports.py - third-party packages: fetched with apt, checked against ports/NAME/recipe, cached.

A recipe has lines of a word and its values: package, upstream (version), revision (the Debian version that was
tested), file (path in the package, sha256 of it in that revision). apt verifies the archive's signatures.
What was fetched once is used from the cache, so that a build needs no network again.
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent


class PortError(Exception):
    pass


def cache_folder():
    """Where downloads are kept: $CATHODE_CACHE, $XDG_CACHE_HOME/cathode, or build/cache."""
    if os.environ.get("CATHODE_CACHE"):
        return Path(os.environ["CATHODE_CACHE"])
    if os.environ.get("XDG_CACHE_HOME"):
        return Path(os.environ["XDG_CACHE_HOME"]) / "cathode"
    return ROOT / "build" / "cache"


def recipe_read(name):
    recipe = {"file": []}
    for line in (ROOT / "ports" / name / "recipe").read_text().splitlines():
        words = line.split("#")[0].split()
        if words[:1] == ["file"]:
            recipe["file"].append((words[1], words[2]))
        elif words:
            recipe[words[0]] = words[1]
    return recipe


def run(command, folder=None):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise PortError(f"`{' '.join(map(str, command))}` failed:\n{done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def package_fetch(package):
    """The folder into which the newest version of a Debian package that apt knows, or else the cached one, is unpacked."""
    folder = cache_folder() / "debian" / package
    ready = sorted(folder.glob("*/unpacked.ok"), key=lambda path: path.stat().st_mtime)
    if ready:
        return ready[-1].parent
    work = folder / f"new.{os.getpid()}"
    shutil.rmtree(work, ignore_errors=True)
    (work / "root").mkdir(parents=True)
    try:
        try:
            run(["apt-get", "-o", "APT::Sandbox::User=root", "download", package], work)
        except PortError as error:
            raise PortError(f"cannot fetch the Debian package {package}. Is there a network, and was `apt-get update` run?\n{error}")
        archive, = work.glob("*.deb")
        version = run(["dpkg-deb", "-f", archive, "Version"]).strip()
        (work / "depends").write_text(run(["dpkg-deb", "-f", archive, "Depends"]))
        run(["dpkg-deb", "-x", archive, work / "root"])
        archive.unlink()
        (work / "version").write_text(version + "\n")
        (work / "unpacked.ok").touch()
        target = folder / version.replace(":", "_")
        if not target.exists():
            work.rename(target)
        return target
    finally:
        shutil.rmtree(work, ignore_errors=True)


def upstream_of(revision):
    """1:1.35.0-4+b1 is Debian's revision 4+b1 of 1.35.0."""
    return re.sub(r"-[^-]*$", "", re.sub(r"^\d+:", "", revision))


def port_check(name, recipe, folder):
    revision = (folder / "version").read_text().strip()
    if upstream_of(revision) != recipe["upstream"]:
        raise PortError(f"ports/{name} wants {recipe['package']} {recipe['upstream']}, Debian has {revision}")
    if revision != recipe["revision"]:
        print(f"note: {recipe['package']} {revision} is used; {recipe['revision']} was tested", file=sys.stderr)
        return
    for path, wanted in recipe["file"]:
        found = hashlib.sha256((folder / "root" / path).read_bytes()).hexdigest()
        if found != wanted:
            raise PortError(f"{path} of {recipe['package']} {revision} has sha256 {found}, ports/{name}/recipe says {wanted}")


def port_root(name):
    """The unpacked files of ports/NAME, checked."""
    recipe = recipe_read(name)
    folder = package_fetch(recipe["package"])
    port_check(name, recipe, folder)
    return folder / "root"


if __name__ == "__main__":
    try:
        for argument in sys.argv[1:]:
            print(port_root(argument))
    except PortError as error:
        sys.exit(f"ports: {error}")
