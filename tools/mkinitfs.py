#!/usr/bin/env python3
"""tools/mkinitfs.py - makes the initial file tree (abi/initfs.h) from manifests and host files.

A manifest has one entry a line, `#` starts a comment; sources are relative to the repository:
    dir   PATH MODE UID:GID
    file  PATH MODE UID:GID SOURCE
    link  PATH TARGET
    char  PATH MODE UID:GID MAJOR MINOR      (also: block)
    fifo  PATH MODE UID:GID
    port  PATH MODE UID:GID PORT SOURCE      a file out of a third-party package, see tools/ports.py (.gz: unpacked,
                                             unless PATH ends in .gz too)
    links PATH ARGUMENT...                   a symlink to PATH for each path that it prints when run with these
--add HOSTPATH:GUESTPATH adds a host file or tree as `cp -a` would: modes, owners, times, symlinks and hard links within the tree; and
its folders list their entries in the host's order, so that a program that walks the tree sees what it sees on the host.
A later entry replaces an earlier one; missing folders are made.
"""
import argparse
import gzip
import os
import stat
import struct
import subprocess
import sys
from pathlib import Path

import ports

ROOT = ports.ROOT
MAGIC = 0x31534654494E4943
HEADER = struct.Struct("<QQIIQ")
NODE = struct.Struct("<IIHHIIIQQQ")
PAGE = 4096
# Files of the base image all have this time: the same sources make the same image.
BASE_TIME_NS = 1767225600 * 10**9
NAME_MAX = 255


class ImageError(Exception):
    pass


class Node:
    """A file of the image. source: None, bytes, or the path of a host file."""

    def __init__(self, mode, uid=0, gid=0, modified_ns=BASE_TIME_NS, source=None, size=0):
        self.mode, self.uid, self.gid, self.modified_ns = mode, uid, gid, modified_ns
        self.source, self.size = source, size
        self.children = {} if stat.S_ISDIR(mode) else None


class Tree:
    def __init__(self):
        self.root = Node(stat.S_IFDIR | 0o755)

    def folder(self, parts):
        """The directory at parts, made if missing."""
        node = self.root
        for part in parts:
            if len(os.fsencode(part)) > NAME_MAX:
                raise ImageError(f"name too long: {part}")
            node = node.children.setdefault(part, Node(stat.S_IFDIR | 0o755))
            if node.children is None:
                raise ImageError(f"/{'/'.join(parts)}: {part} is not a directory in the image")
        return node

    def put(self, path, node):
        parts = [part for part in path.split("/") if part not in ("", ".")]
        if ".." in parts:
            raise ImageError(f"{path}: no `..` in a guest path")
        if not parts:
            if node.children is None:
                raise ImageError("/ can only be a directory")
            node.children = self.root.children
            self.root = node
            return
        if len(os.fsencode(parts[-1])) > NAME_MAX:
            raise ImageError(f"name too long: {path}")
        folder = self.folder(parts[:-1])
        old = folder.children.get(parts[-1])
        if old and old.children is not None and node.children is not None:
            node.children = old.children
        folder.children[parts[-1]] = node


def node_of_file(path, mode=None, uid=0, gid=0, modified_ns=None):
    """A node for a host file, whose contents are read when the image is written."""
    info = os.stat(path)
    if not stat.S_ISREG(info.st_mode):
        raise ImageError(f"{path} is not a file")
    return Node(stat.S_IFREG | (stat.S_IMODE(info.st_mode) if mode is None else mode), uid, gid,
                info.st_mtime_ns if modified_ns is None else modified_ns, path, info.st_size)


def node_of_link(target, modified_ns=BASE_TIME_NS):
    target = os.fsencode(target)
    return Node(stat.S_IFLNK | 0o777, modified_ns=modified_ns, source=target, size=len(target))


def node_of_special(kind, mode, uid, gid, major, minor, modified_ns=BASE_TIME_NS):
    return Node(kind | mode, uid, gid, modified_ns, None, major << 32 | minor)


def node_of_host(host, info):
    mode, rdev = info.st_mode, info.st_rdev
    if stat.S_ISLNK(mode):
        node = node_of_link(os.readlink(host), info.st_mtime_ns)
        node.uid, node.gid = info.st_uid, info.st_gid
        return node
    if stat.S_ISREG(mode):
        return Node(mode, info.st_uid, info.st_gid, info.st_mtime_ns, host, info.st_size)
    if stat.S_ISDIR(mode):
        return Node(mode, info.st_uid, info.st_gid, info.st_mtime_ns)
    return node_of_special(stat.S_IFMT(mode), stat.S_IMODE(mode), info.st_uid, info.st_gid, os.major(rdev), os.minor(rdev), info.st_mtime_ns)


def add_host(tree, host, guest, names, follow=True):
    """Adds a host file or tree at a guest path. names: {(device, inode): node} of files that have other names too."""
    try:
        info = os.stat(host) if follow else os.lstat(host)
    except OSError as error:
        raise ImageError(f"cannot add {host}: {error.strerror}")
    if stat.S_ISSOCK(info.st_mode):
        print(f"mkinitfs: {host} is a socket and left out", file=sys.stderr)
        return
    identity = info.st_dev, info.st_ino
    node = names.get(identity) or node_of_host(host, info)
    if info.st_nlink > 1 and node.children is None:
        names[identity] = node
    tree.put(guest, node)
    if node.children is not None:
        for name in os.listdir(host):
            add_host(tree, os.path.join(host, name), f"{guest}/{name}", names, follow=False)


def add_option(tree, option):
    host, colon, guest = option.rpartition(":")
    if not colon or not host or not guest.startswith("/"):
        raise ImageError(f"--add wants HOSTPATH:/GUESTPATH, not {option!r}")
    if guest.endswith("/") and not os.path.isdir(host):
        guest += os.path.basename(host)
    add_host(tree, host, guest, {})


def add_links(tree, node, path, arguments):
    """Symlinks for the applets of a program that lists them, run on the host."""
    if node is None:
        raise ImageError(f"links {path}: no such file in the image yet")
    listed = subprocess.run([node.source, *arguments], capture_output=True, text=True, check=True).stdout
    for name in listed.split():
        if f"/{name}" != path:
            tree.put(name, node_of_link(path))


SPECIAL = {"char": stat.S_IFCHR, "block": stat.S_IFBLK, "fifo": stat.S_IFIFO}


def add_line(tree, files, words):
    kind, path = words[0], words[1]
    if kind == "link":
        return tree.put(path, node_of_link(words[2]))
    if kind == "links":
        return add_links(tree, files.get(path), path, words[2:])
    mode = int(words[2], 8)
    uid, gid = map(int, words[3].split(":"))
    if kind == "dir":
        node = Node(stat.S_IFDIR | mode, uid, gid)
    elif kind == "port" and words[5].endswith(".gz") and not path.endswith(".gz"):
        content = gzip.decompress((ports.port_root(words[4]) / words[5]).read_bytes())
        node = Node(stat.S_IFREG | mode, uid, gid, BASE_TIME_NS, content, len(content))
    elif kind in ("file", "port"):
        source = ROOT / words[4] if kind == "file" else ports.port_root(words[4]) / words[5]
        node = files[path] = node_of_file(str(source), mode, uid, gid, BASE_TIME_NS)
    elif kind in SPECIAL:
        major, minor = map(int, words[4:6]) if len(words) > 4 else (0, 0)
        node = node_of_special(SPECIAL[kind], mode, uid, gid, major, minor)
    else:
        raise ImageError(f"unknown kind {kind!r}")
    return tree.put(path, node)


def add_manifest(tree, manifest):
    files = {}
    for number, line in enumerate(Path(manifest).read_text().splitlines(), 1):
        words = line.split("#")[0].split()
        try:
            if words:
                add_line(tree, files, words)
        except (IndexError, ValueError):
            raise ImageError(f"{manifest}:{number}: cannot read `{line}`")
        except (ImageError, OSError, subprocess.CalledProcessError) as error:
            raise ImageError(f"{manifest}:{number}: {error}")


class OtherName:
    """Stands for a node that has another name already."""
    mode, uid, gid, modified_ns, source, children = 0, 0, 0, 0, None, None

    def __init__(self, index):
        self.index, self.size = index, 0


def flatten(tree):
    """[(parent index, name, node or OtherName)], parents before children."""
    nodes, at, found = [(0, b"", tree.root)], 0, {}
    while at < len(nodes):
        for name, node in (nodes[at][2].children or {}).items():
            first = found.setdefault(id(node), len(nodes))
            nodes.append((at, os.fsencode(name), node if first == len(nodes) else OtherName(first)))
        at += 1
    return nodes


def align(value):
    return (value + PAGE - 1) // PAGE * PAGE


def layout(nodes):
    """Where each node's content goes: [offset], the strings, where they start, the image's length."""
    strings, name_offsets = bytearray(), []
    for _, name, _ in nodes:
        name_offsets.append(len(strings))
        strings += name
    targets_offset = HEADER.size + NODE.size * len(nodes) + len(strings)
    offsets, targets = [], 0
    for _, _, node in nodes:
        offsets.append(targets_offset + targets if stat.S_ISLNK(node.mode) else getattr(node, "index", 0))
        targets += len(node.source) if stat.S_ISLNK(node.mode) else 0
    end = align(targets_offset + targets)
    for index, (_, _, node) in enumerate(nodes):
        if stat.S_ISREG(node.mode) and node.size:
            offsets[index] = end
            end = align(end + node.size)
    return name_offsets, offsets, bytes(strings), end


def write_content(file, node):
    if isinstance(node.source, bytes):
        data = node.source
    else:
        with open(node.source, "rb") as source:
            data = source.read(node.size)
    if len(data) != node.size:
        raise ImageError(f"{node.source} became shorter while it was read")
    file.write(data)
    file.write(bytes(-len(data) % PAGE))


def write_image(tree, path):
    nodes = flatten(tree)
    name_offsets, offsets, strings, end = layout(nodes)
    strings_offset = HEADER.size + NODE.size * len(nodes)
    with open(path, "wb") as file:
        file.write(HEADER.pack(MAGIC, end, len(nodes), len(strings), strings_offset))
        for index, (parent, name, node) in enumerate(nodes):
            file.write(NODE.pack(parent, name_offsets[index], len(name), 0, node.mode, node.uid, node.gid,
                                 node.modified_ns, offsets[index], node.size))
        file.write(strings)
        for _, _, node in nodes:
            if stat.S_ISLNK(node.mode):
                file.write(node.source)
        file.write(bytes(-file.tell() % PAGE))
        for _, _, node in nodes:
            if stat.S_ISREG(node.mode) and node.size:
                write_content(file, node)
        assert file.tell() == end


def make_image(output, manifests, adds):
    """Writes the image. Raises ImageError or ports.PortError."""
    tree = Tree()
    for manifest in manifests:
        add_manifest(tree, manifest)
    for option in adds:
        add_option(tree, option)
    partial = f"{output}.new"
    write_image(tree, partial)
    os.replace(partial, output)


def main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--output", required=True)
    parser.add_argument("--manifest", action="append", default=[])
    parser.add_argument("--add", action="append", default=[])
    options = parser.parse_args()
    try:
        make_image(options.output, options.manifest, options.add)
    except (ImageError, ports.PortError, OSError) as error:
        sys.exit(f"mkinitfs: {error}")


if __name__ == "__main__":
    main()
