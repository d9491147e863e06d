#!/usr/bin/env python3
"""What registers mean, worked out without our code: struct for the bits, decimal for the numbers.

Prints random cases, the same for the same seed, one a line, for registers_check to compare:

    TABLE TYPE ORDER BITS LENGTH TRIM SCALE OFFSET ABSENT VALUES START DATA -> EXPECTED

ORDER 0 ABCD, 1 CDAB, 2 BADC, 3 DCBA. BITS "first..last" or "-". SCALE, OFFSET "mantissa/decimals".
ABSENT and VALUES lists with commas or "-"; VALUES "raw=number". DATA the registers or coils as they
come in an answer, in hex. EXPECTED "none absent|unlisted|invalid", "bool 0|1", "int N", "uint N",
"decimal M D", "float HEX", "double HEX", "text HEX", or "near HEX HEX" for a scaled number that has
no exact place: the double, and how far off is allowed.
"""
import math
import random
import struct
import sys
from decimal import Decimal, getcontext

getcontext().prec = 120

REGISTERS = {"u16": 1, "i16": 1, "u32": 2, "i32": 2, "u64": 4, "i64": 4, "f32": 2, "f64": 4,
             "bcd16": 1, "bcd32": 2, "bool": 1}
STRUCT = {"u16": ">H", "i16": ">h", "u32": ">I", "i32": ">i", "u64": ">Q", "i64": ">q",
          "f32": ">f", "f64": ">d"}
BITS_OF = {"u16": 16, "u32": 32, "u64": 64}


def to_wire(straight, order):
    """Bytes as ABCD... into the order in which the device sends them."""
    words = [straight[i:i + 2] for i in range(0, len(straight), 2)]
    if order in (1, 3):
        words.reverse()
    if order in (2, 3):
        words = [word[::-1] for word in words]
    return b"".join(words)


def shortest(number, kind):
    """The decimal with the fewest digits that reads back as the same float."""
    if kind == "f64":
        return Decimal(repr(number))
    for digits in range(1, 10):
        text = "%.*e" % (digits - 1, number)
        if abs(float(text)) <= 3.4028235677973366e38 and \
                struct.pack(">f", float(text)) == struct.pack(">f", number):
            return Decimal(text)
    raise AssertionError(number)


def parts(exact):
    """Mantissa and decimals without trailing zeros; None if that is no 64-bit mantissa with 18."""
    if exact == 0:
        return 0, 0
    sign, digits, exponent = exact.normalize().as_tuple()
    mantissa = int("".join(map(str, digits))) * (-1 if sign else 1)
    if exponent > 0:
        mantissa, exponent = mantissa * 10 ** exponent, 0
    if -exponent > 18 or not -2 ** 63 <= mantissa < 2 ** 63:
        return None
    return mantissa, -exponent


def fits(number):
    """Whether the shortest decimal of a float is itself a Decimal of ours."""
    return parts(number) is not None


def scaled(raw, scale, offset, start_fits=True):
    exact = raw * scale + offset
    found = parts(exact) if start_fits else None
    if found:
        return "decimal %d %d" % found
    try:
        near = float(raw) * float(scale) + float(offset)
    except OverflowError:
        near = math.inf
    if not math.isfinite(near):
        return "none invalid"
    slack = (abs(float(raw) * float(scale)) + abs(float(offset))) * 1e-15 + 1e-322  # the latter for subnormals
    return "near %s %s" % (struct.pack(">d", float(exact)).hex(), struct.pack(">d", slack).hex())


def meaning(case):
    straight, kind = case["straight"], case["type"]
    plain = case["scale"] == 1 and case["offset"] == 0
    pattern = int.from_bytes(straight, "big")
    bits = case["bits"]
    if bits:
        pattern = (pattern >> bits[0]) & ((1 << (bits[1] - bits[0] + 1)) - 1)
    if kind == "bool" and case["table"] in "cd":
        pattern = case["coil"]
    if kind == "text":
        data = straight[:case["length"]]
        if case["trim"] != "none":
            data = data.split(b"\0")[0]
        if case["trim"] == "space":
            data = data.strip(b" ")
        return "text " + (data.hex() or "-")
    if pattern in case["absent"]:
        return "none absent"
    if kind == "bool":
        pattern = int(pattern != 0)
    if case["values"]:
        known = dict(case["values"])
        return "int %d" % known[pattern] if pattern in known else "none unlisted"
    if kind == "bool" or (bits and bits[0] == bits[1]):
        return "bool %d" % pattern if plain else scaled(Decimal(pattern), case["scale"], case["offset"])
    if bits:
        return "uint %d" % pattern if plain else scaled(Decimal(pattern), case["scale"], case["offset"])
    if kind.startswith("bcd"):
        if not straight.hex().isdigit():
            return "none invalid"
        number = int(straight.hex())
        return "uint %d" % number if plain else scaled(Decimal(number), case["scale"], case["offset"])
    number = struct.unpack(STRUCT[kind], straight)[0]
    if kind in ("f32", "f64"):
        if not math.isfinite(number):
            return "none invalid"
        if plain:
            return ("float " if kind == "f32" else "double ") + straight.hex()
        short = shortest(number, kind)
        return scaled(short if fits(short) else Decimal(number), case["scale"], case["offset"],
                      fits(short))
    word = "uint" if kind[0] == "u" else "int"
    return "%s %d" % (word, number) if plain else scaled(Decimal(number), case["scale"], case["offset"])


def random_bytes(rng, count):
    kind = rng.randrange(8)
    if kind == 0:
        return bytes(count)
    if kind == 1:
        return b"\xff" * count
    if kind == 2:
        return b"\x80" + bytes(count - 1)
    if kind == 3:
        return b"\x7f" + b"\xff" * (count - 1)
    if kind == 4:
        return rng.randrange(1000).to_bytes(8, "big")[-count:].rjust(count, b"\0")
    return rng.randbytes(count)


def random_straight(rng, kind):
    count = 2 * REGISTERS[kind]
    if kind.startswith("bcd") and rng.randrange(4):
        return bytes.fromhex("".join(rng.choice("0123456789") for _ in range(2 * count)))
    if kind == "f32" and rng.randrange(2):
        return struct.pack(">f", round(rng.uniform(-1000, 1000), rng.randrange(5)))
    if kind == "f64" and rng.randrange(2):
        return struct.pack(">d", round(rng.uniform(-1e6, 1e6), rng.randrange(8)))
    return random_bytes(rng, count)


def random_decimal(rng, zero):
    if not zero and rng.randrange(2):
        mantissa, decimals = 1, rng.randrange(4)
    else:
        mantissa = rng.choice([rng.randrange(-1000, 1000), rng.randrange(-10 ** 6, 10 ** 6),
                               rng.randrange(-10 ** 17, 10 ** 17)])
        decimals = rng.randrange(rng.choice([4, 10, 19]))
    if mantissa == 0 and not zero:
        mantissa = 1
    return mantissa, decimals, Decimal(mantissa).scaleb(-decimals)


def random_case(rng):
    kind = rng.choice(list(REGISTERS) + ["text"])
    case = {"type": kind, "table": rng.choice("ih"), "order": rng.randrange(4), "bits": None,
            "length": 0, "trim": "nul", "absent": [], "values": [], "start": rng.randrange(4)}
    before = rng.randbytes(2 * case["start"])
    case["coil"] = 0
    if kind == "text":
        case["length"] = rng.randrange(1, 21)
        count = case["length"] + case["length"] % 2
        alphabet = b"ABCxyz012 \xe4\xff" + b"\0" * rng.randrange(3) + b" " * rng.randrange(3)
        case["straight"] = bytes(rng.choice(alphabet) for _ in range(count))
        case["trim"] = rng.choice(["nul", "space", "none"])
        case["order"] = rng.choice([0, 2])
    else:
        case["straight"] = random_straight(rng, kind)
    case["data"] = before + to_wire(case["straight"], case["order"]) + rng.randbytes(2 * rng.randrange(3))
    if kind == "bool" and rng.randrange(2):
        case["table"] = rng.choice("cd")
        case["start"] = rng.randrange(40)
        case["data"] = rng.randbytes(5)
        case["coil"] = (int.from_bytes(case["data"], "little") >> case["start"]) & 1
    if kind in BITS_OF and rng.randrange(3) == 0:
        first = rng.randrange(BITS_OF[kind])
        case["bits"] = (first, rng.choice([first, rng.randrange(first, BITS_OF[kind])]))
    case["scale_parts"], case["offset_parts"] = (1, 0), (0, 0)
    case["scale"], case["offset"] = Decimal(1), Decimal(0)
    if kind not in ("text", "bool") and rng.randrange(3):
        *case["scale_parts"], case["scale"] = random_decimal(rng, False)
        if rng.randrange(2):
            *case["offset_parts"], case["offset"] = random_decimal(rng, True)
    pattern = int.from_bytes(case["straight"], "big")
    if kind != "text" and rng.randrange(6) == 0:
        case["absent"] = [rng.getrandbits(8 * len(case["straight"])), pattern][:rng.randrange(1, 3)]
        case["absent"].append(rng.choice([0x7FFF, 0x8000, 0xFFFF, 1]))
    if kind not in ("text", "f32", "f64") and rng.randrange(8) == 0:
        raws = {rng.choice([pattern, 0, 1, 2, rng.getrandbits(16)]) for _ in range(3)}
        case["values"] = [(raw, rng.randrange(-1000, 1000)) for raw in sorted(raws)]
    return case


def line(case):
    return " ".join([
        case["table"], case["type"], str(case["order"]),
        "%d..%d" % case["bits"] if case["bits"] else "-",
        str(case["length"]), case["trim"],
        "%d/%d" % tuple(case["scale_parts"]), "%d/%d" % tuple(case["offset_parts"]),
        ",".join(map(str, case["absent"])) or "-",
        ",".join("%d=%d" % pair for pair in case["values"]) or "-",
        str(case["start"]), case["data"].hex(), "->", meaning(case)])


def main():
    count, seed = int(sys.argv[1]), int(sys.argv[2])
    rng = random.Random(seed)
    for _ in range(count):
        print(line(random_case(rng)))


if __name__ == "__main__":
    main()
