"""How a text file was written: its encoding and, where it is a table, what stands between two cells."""

import codecs
import csv
import gzip
from collections.abc import Sequence
from pathlib import Path
from typing import TextIO

# Spreadsheets write semicolons where the comma is the decimal sign.
DELIMITERS = (",", ";", "\t", "|")
_LOOKED_AT = 1024 * 1024
_UTF16 = (codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)


def open_text(path: Path) -> TextIO:
    """Return the open file, unpacked where it is gzipped, in the encoding of its first megabyte; newlines as they are."""
    encoding = encoding_of(path)
    if path.suffix.lower() == ".gz":
        return gzip.open(path, "rt", encoding=encoding, errors="replace", newline="")
    return path.open(encoding=encoding, errors="replace", newline="")


def encoding_of(path: Path) -> str:
    """Return "utf-16" where a mark says so, "cp1252" where nothing beyond ASCII is UTF-8 but something else, else "utf-8-sig".

    A file with a broken byte among good UTF-8 stays UTF-8: reading it otherwise would garble all the rest.
    """
    with gzip.open(path, "rb") if path.suffix.lower() == ".gz" else path.open("rb") as stream:
        head = stream.read(_LOOKED_AT)
    if head.startswith(_UTF16):
        return "utf-16"
    # An incomplete last character says nothing.
    text = codecs.getincrementaldecoder("utf-8")(errors="replace").decode(head)
    beyond = {character for character in text if character > "\x7f"}
    return "cp1252" if beyond == {"\ufffd"} else "utf-8-sig"


def delimiter_of(path: Path, columns: Sequence[str] = ()) -> str:
    """Return what stands between the cells of a CSV file: a comma if that gives the columns, else what gives most cells."""
    if path.with_suffix("" if path.suffix.lower() == ".gz" else path.suffix).suffix.lower() == ".tsv":
        return "\t"
    headers = {}
    for delimiter in DELIMITERS:
        with open_text(path) as stream:
            headers[delimiter] = next(csv.reader(stream, delimiter=delimiter), [])
    if columns and set(columns) <= set(headers[","]):
        return ","
    return max(DELIMITERS, key=lambda delimiter: len(headers[delimiter]))
