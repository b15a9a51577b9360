"""tests/host/aml.py - just enough of ACPI's bytecode (ACPI 6.5, chapter 20) to write tables for the tests."""
import struct

LOOP_FOREVER = b"\xa2\x02\x01"          # While (One) {}


def package_length(body):
    """The length in front of a body counts itself; two bits and more say how long it is."""
    for size in range(1, 5):
        total = len(body) + size
        if size == 1 and total < 0x40:
            return bytes([total])
        if size > 1 and total < 1 << (4 + 8 * (size - 1)):
            return bytes([(size - 1) << 6 | total & 15]) + (total >> 4).to_bytes(size - 1, "little")
    raise ValueError("too long")


def integer(value):
    if value < 0x100:
        return b"\x0a" + bytes([value])
    return b"\x0c" + struct.pack("<I", value) if value < 1 << 32 else b"\x0e" + struct.pack("<Q", value)


def data(value):
    if isinstance(value, str):
        return b"\x0d" + value.encode() + b"\0"
    if isinstance(value, list):
        body = bytes([len(value)]) + b"".join(map(data, value))
        return b"\x12" + package_length(body) + body
    return integer(value)


def block(opcode, name, body):
    inside = name.encode() + body
    return opcode + package_length(inside) + inside


def scope(name, body):
    return block(b"\x10", name, body)


def device(name, body):
    return block(b"\x5b\x82", name, body)


def zone(name, body):
    return block(b"\x5b\x85", name, body)


def method(name, body):
    return block(b"\x14", name, b"\0" + body)


def name(word, value):
    return b"\x08" + word.encode() + data(value)


def returning(expression):
    return b"\xa4" + expression


def region(word, space, start, length):
    return b"\x5b\x80" + word.encode() + bytes([space]) + integer(start) + integer(length)


def field(region_name, word, bits, access):
    """One field at the region's start; access: 1, 2, 3 for 8, 16, 32 bits."""
    inside = region_name.encode() + bytes([access]) + word.encode() + package_length_of_bits(bits)
    return b"\x5b\x81" + package_length(inside) + inside


def package_length_of_bits(bits):
    assert bits < 0x40
    return bytes([bits])


def store(value, word):
    return b"\x70" + data(value) + word.encode()


def table(body):
    """An SSDT."""
    head = struct.pack("<4sIBB6s8sI4sI", b"SSDT", 36 + len(body), 2, 0, b"CATHOD", b"TESTTEST", 1, b"TEST", 1)
    whole = bytearray(head + body)
    whole[9] = -sum(whole) & 0xff
    return bytes(whole)
