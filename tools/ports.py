#!/usr/bin/env python3
"""tools/ports.py - third-party packages: fetched with apt, checked against ports/NAME/recipe, cached.

A recipe has lines of a word and its values: package, upstream (version: 6.12 is also 6.12.1), revision (the Debian version that was
tested), file (path in the package, sha256 of it in that revision). Of a package that holds the sources of something large in a tar:
archive (its path), take (a folder in it, without its first part), tree (sha256 of all that was taken, in that revision); only that is kept.
Of a source package: see tools/sources.py.
apt verifies the archive's signatures. What was fetched once is used from the cache, so that a build needs no network again.
"""
import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
# A fetch of sources that failed is not tried again by each make.
TRY_AGAIN_S = 900


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
    recipe = {"file": [], "take": [], "patch": []}
    for line in (ROOT / "ports" / name / "recipe").read_text().splitlines():
        words = line.split("#")[0].split()
        if words[:1] == ["file"]:
            recipe["file"].append((words[1], words[2]))
        elif words[:1] in (["take"], ["patch"]):
            recipe[words[0]].append(words[1])
        elif words[:1] == ["tarball"]:
            recipe["tarball"] = (words[1], words[2])
        elif words:
            recipe[words[0]] = words[1]
    return recipe


def run(command, folder=None):
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    if done.returncode:
        raise PortError(f"`{' '.join(map(str, command))}` failed:\n{done.stderr.strip() or done.stdout.strip()}")
    return done.stdout


def unpack_all(archive, root):
    run(["dpkg-deb", "-x", archive, root])


def unpack_part(recipe):
    """How a package is unpacked of which only some folders of a tar in it are wanted."""
    def unpack(archive, root):
        pipe = 'dpkg-deb --fsys-tarfile "$1" | tar -xO "./$2" | tar -x -J -C "$3" --strip-components=1 --no-same-owner --wildcards'
        folders = [f"*/{folder}" for folder in recipe["take"]]
        run(["bash", "-o", "pipefail", "-c", pipe + ' "${@:4}"', "ports", archive, recipe["archive"], root, *folders])
    return unpack


def package_fetch(package, unpack=unpack_all):
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
        unpack(archive, work / "root")
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


def tree_digest(root):
    """One sha256 for the names and contents of all files under a folder."""
    digest = hashlib.sha256()
    for path in sorted(path for path in root.rglob("*") if path.is_file()):
        digest.update(f"{hashlib.sha256(path.read_bytes()).hexdigest()}  {path.relative_to(root)}\n".encode())
    return digest.hexdigest()


def port_check(name, recipe, folder):
    revision = (folder / "version").read_text().strip()
    if not (upstream_of(revision) + ".").startswith(recipe["upstream"] + "."):
        raise PortError(f"ports/{name} wants {recipe['package']} {recipe['upstream']}, Debian has {revision}")
    if "tree" in recipe and tree_digest(folder / "root") == recipe["tree"]:
        return
    if revision == recipe["revision"] and "tree" in recipe:
        raise PortError(f"what was taken of {recipe['package']} {revision} is not what ports/{name}/recipe says")
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
    if "source" in recipe:
        import sources
        return sources.source_root(name, recipe)
    folder = package_fetch(recipe["package"], unpack_part(recipe) if recipe["take"] else unpack_all)
    port_check(name, recipe, folder)
    return folder / "root"


def tell_missing(name):
    """tools/project.py shows this even of a build that is quiet."""
    print(f"ports: WARNING: {name} is missing, so what needs it is LEFT OUT of this build", file=sys.stderr)


def note_root(name, note):
    """For the Makefile: writes where the sources of ports/NAME are, or nothing when they cannot be had, into the file note; once."""
    changed = max(path.stat().st_mtime for path in (ROOT / "ports" / name).iterdir())
    if note.exists() and note.stat().st_mtime >= changed:
        root, age_s = note.read_text().strip(), time.time() - note.stat().st_mtime
        if Path(root).is_dir() if root else age_s < TRY_AGAIN_S:
            if not root:
                tell_missing(name)
            return root
    try:
        root = str(port_root(name))
    except PortError as error:
        print(f"ports: {error}", file=sys.stderr)
        tell_missing(name)
        root = ""
    note.parent.mkdir(parents=True, exist_ok=True)
    note.write_text(root + "\n")
    return root


if __name__ == "__main__":
    sys.modules["ports"] = sys.modules["__main__"]      # sources.py means us, not a second copy
    try:
        if sys.argv[1:2] == ["--note"]:
            print(note_root(sys.argv[3], Path(sys.argv[2])))
            sys.exit()
        for argument in sys.argv[1:]:
            print(port_root(argument))
    except PortError as error:
        sys.exit(f"ports: {error}")
