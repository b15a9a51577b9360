"""tools/sources.py - Debian source packages: the upstream tarball of one, checked, patched and unpacked, for tools/ports.py.

A recipe of one has source (its name) instead of package, tarball (name and sha256 of the upstream part), and patch lines (files beside the
recipe, for patch -p1). The machine's own sources of packages are asked for sources, in lists of our own: its configuration stays as it is.
"""
import hashlib
import os
import shutil
import subprocess
import sys
import tarfile
import tempfile
from pathlib import Path

import ports


def machine_archives():
    """What apt is configured to use, without the kind of package: (URI, suite, component, key) of each."""
    found = []
    for target in ports.run(["apt-get", "indextargets", "Created-By: Packages"]).split("\n\n"):
        fields = dict(line.split(": ", 1) for line in target.splitlines() if ": " in line)
        archive = tuple(fields.get(name, "") for name in ("Repo-URI", "Release", "Component", "Signed-By"))
        if archive[0] and archive not in found:
            found.append(archive)
    return found


def apt(folder, *words):
    """apt-get with lists of its own, under folder."""
    options = {"Dir::Etc::sourcelist": "/dev/null", "Dir::Etc::sourceparts": folder / "parts", "Dir::State::lists": folder / "lists",
               "Dir::Cache": folder / "cache", "APT::Sandbox::User": "root", "Acquire::Languages": "none"}
    command = ["apt-get"] + [word for name, value in options.items() for word in ("-o", f"{name}={value}")]
    (folder / "get").mkdir(exist_ok=True)
    return ports.run(command + list(words), folder / "get")


def write_sources(folder):
    for name in ("parts", "lists/partial", "cache/archives/partial"):
        (folder / name).mkdir(parents=True)
    for number, (uri, suite, component, key) in enumerate(machine_archives()):
        lines = ["Types: deb-src", f"URIs: {uri}", f"Suites: {suite}", f"Components: {component}"] + ([f"Signed-By: {key}"] if key else [])
        (folder / "parts" / f"{number}.sources").write_text("\n".join(lines) + "\n")


def fetch(name, recipe, to):
    """The tarball of a source package, and which revision of Debian it came with, into the folder to."""
    tarball, _ = recipe["tarball"]
    with tempfile.TemporaryDirectory() as work:
        folder = Path(work)
        try:
            write_sources(folder)
            apt(folder, "update")
            apt(folder, "source", "--download-only", recipe["source"])
            description, = (folder / "get").glob("*.dsc")
            revision, = (line.split(": ")[1] for line in description.read_text().splitlines() if line.startswith("Version: "))
        except (ports.PortError, ValueError) as error:
            raise ports.PortError(f"cannot fetch the Debian source package {recipe['source']}. Is there a network?\n{error}")
        if ports.upstream_of(revision) != recipe["upstream"] or not (folder / "get" / tarball).exists():
            raise ports.PortError(f"ports/{name} wants {recipe['source']} {recipe['upstream']}, Debian has {revision}")
        if revision != recipe["revision"]:
            print(f"note: {recipe['source']} {revision} is used; {recipe['revision']} was tested", file=sys.stderr)
        to.mkdir(parents=True, exist_ok=True)
        shutil.copy(folder / "get" / tarball, to / f"{tarball}.{os.getpid()}")
        (to / f"{tarball}.{os.getpid()}").rename(to / tarball)


def checked_tarball(name, recipe):
    tarball, wanted = recipe["tarball"]
    folder = ports.cache_folder() / "sources"
    path = folder / tarball
    if not path.exists():
        fetch(name, recipe, folder)
    found = hashlib.sha256(path.read_bytes()).hexdigest()
    if found != wanted:
        path.unlink()
        raise ports.PortError(f"{tarball} of {recipe['source']} has sha256 {found}, ports/{name}/recipe says {wanted}")
    return path


def unpack(tarball, patches, root):
    with tarfile.open(tarball) as archive:
        archive.extractall(root)
    top, = root.iterdir()
    for path in top.iterdir():
        path.rename(root / path.name)
    top.rmdir()
    for patch in patches:
        with open(patch) as text:
            done = subprocess.run(["patch", "-p1", "--fuzz=0", "-s"], cwd=root, stdin=text, capture_output=True, text=True)
        if done.returncode:
            raise ports.PortError(f"{patch.name} does not fit: {done.stdout.strip()}")


def source_root(name, recipe):
    """The unpacked and patched files of ports/NAME. Each state of the patches has a folder of its own."""
    tarball = checked_tarball(name, recipe)
    patches = [ports.ROOT / "ports" / name / patch for patch in recipe["patch"]]
    digest = hashlib.sha256(recipe["tarball"][1].encode() + b"".join(patch.read_bytes() for patch in patches)).hexdigest()[:16]
    folder = ports.cache_folder() / "sources" / f"{name}-{recipe['upstream']}-{digest}"
    if folder.exists():
        return folder
    work = folder.with_name(f"{folder.name}.{os.getpid()}")
    shutil.rmtree(work, ignore_errors=True)
    try:
        unpack(tarball, patches, work)
        if not folder.exists():
            work.rename(folder)
    finally:
        shutil.rmtree(work, ignore_errors=True)
    return folder
