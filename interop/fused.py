"""Reads a fused dataset (docs/fused-dataset.md) with nothing but the standard library."""

import json
import struct
import zlib

MAGIC = b"FSREC\0\0\1"


class Reader:
    """Takes values from a record's bytes, one after the other."""

    def __init__(self, data):
        self.data, self.at = data, 0

    def take(self, form, count=1):
        form = f"<{count}{form}"
        values = struct.unpack_from(form, self.data, self.at)
        self.at += struct.calcsize(form)
        return list(values)

    def byte(self):
        return self.take("B")[0]

    def varint(self):
        value, shift = 0, 0
        while (byte := self.byte()) >= 128:
            value, shift = value + ((byte & 127) << shift), shift + 7
        return value + (byte << shift)

    def text(self):
        return self.take("s", self.varint())[0].decode()

    def ids(self, count):
        return self.take({2: "H", 4: "I"}[self.byte()], count)

    def floats(self, count):
        return self.take({2: "e", 4: "f"}[self.byte()], count)

    def rising(self, count):
        values, last = [], 0
        for _ in range(count):
            last += self.varint()
            values.append(last)
        return values

    def lists(self, counts, values):
        values = iter(values)
        return [[next(values) for _ in range(count)] for count in counts]

    def rows(self, count):
        counts = [self.varint() for _ in range(count)]
        ids, values = self.ids(sum(counts)), self.floats(sum(counts))
        return [list(zip(*row)) for row in zip(self.lists(counts, ids), self.lists(counts, values))]

    def tokens(self):
        count = self.varint()
        return {"ids": self.ids(count), "ends": self.rising(count)}

    def representation(self):
        said = {"tokens": self.tokens()}
        count = self.varint()
        said["positions"] = self.rising(count)
        k = self.varint()
        ids, logits = self.ids(count * k), self.floats(count * k)
        said["rows"] = [
            list(zip(ids[row * k : (row + 1) * k], logits[row * k : (row + 1) * k])) for row in range(count)
        ]
        return said | {"logSums": self.floats(count), "goldNats": self.floats(count)}

    def source(self, tokens, rows, reasons):
        source = {"model": self.text(), "tokens": self.tokens()}
        counts = [self.varint() for _ in range(tokens)]
        source["groups"] = self.lists(counts, self.ids(sum(counts)))
        codes = self.take("B", tokens)
        source["reasons"] = [None if code == 255 else reasons[code] for code in codes]
        source["from"] = [self.varint() - 1 for _ in range(rows)]
        source |= {"rows": self.rows(rows), "logSums": self.floats(rows), "goldNats": self.floats(rows)}
        return source | {"scored": {"tokens": self.varint(), "nats": self.take("d")[0]}}

    def document(self):
        about = {"dataset": self.text(), "at": self.varint(), "part": self.varint()}
        about["domain"] = self.text() if self.byte() else None
        pieces = [(self.byte(), self.text()) for _ in range(self.varint())]
        return about | {"pieces": [(kind & 127, kind >= 128, text) for kind, text in pieces]}

    def fused(self, reasons):
        assert (self.byte(), self.byte()) == (2, 1), "a fused document of version 1"
        record = {"number": self.varint(), "document": self.document(), "supervisedBytes": self.varint()}
        pivot = record["pivot"] = self.representation()
        rows = len(pivot["positions"])
        record["sources"] = [
            self.source(len(pivot["tokens"]["ids"]), rows, reasons) for _ in range(self.varint())
        ]
        members = 1 + len(record["sources"])
        same = self.byte() and rows > 0
        weights = self.floats(members if same else rows * members)
        record["weights"] = [weights] * rows if same else self.lists([members] * rows, weights)
        record |= {"fused": self.rows(rows), "tail": self.floats(rows)}
        assert self.at == len(self.data), "a record ends where it ends"
        return record


def read(path):
    """The header of a file, and an iterator over its documents."""
    file = open(path, "rb")
    assert file.read(8) == MAGIC, "a file of records"

    def records():
        while frame := file.read(8):
            length, checksum = struct.unpack("<II", frame)
            data = file.read(length)
            assert zlib.crc32(data) == checksum, "the checksum is right"
            yield data

    frames = records()
    header = json.loads(next(frames))
    return header, (Reader(data).fused(header["reasons"]) for data in frames)
