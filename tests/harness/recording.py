"""SQLite's own files, with every write, truncation and sync noted in their order: what a power cut leaves is made from that.

SQLite's default file system (its VFS) is copied in memory and three of its functions are put behind ours, so that
databases opened meanwhile are written as always and by whoever opens them, with all their own settings.
"""

import _sqlite3
import ctypes
import sqlite3
from contextlib import contextmanager
from ctypes import CFUNCTYPE, POINTER, Structure, c_char_p, c_int, c_int64, c_void_p, cast
from pathlib import Path

# Paths stay addresses: SQLite keeps them, and reads on behind their end.
OPEN = CFUNCTYPE(c_int, c_void_p, c_void_p, c_void_p, c_int, POINTER(c_int))
DELETE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int)
WRITE = CFUNCTYPE(c_int, c_void_p, c_void_p, c_int, c_int64)
TRUNCATE = CFUNCTYPE(c_int, c_void_p, c_int64)
SYNC = CFUNCTYPE(c_int, c_void_p, c_int)


class FileSystem(Structure):
    """sqlite3_vfs, its third version. What we do not touch is only carried along."""

    _fields_ = (
        *((name, c_int) for name in ("version", "size", "longest")),
        ("next", c_void_p),
        ("name", c_char_p),
        ("data", c_void_p),
        ("open", OPEN),
        ("delete", DELETE),
        *((f"other{number}", c_void_p) for number in range(14)),
    )


class Methods(Structure):
    """sqlite3_io_methods, its third version: what can be done with an open file."""

    _fields_ = (
        ("version", c_int),
        *((name, c_void_p) for name in ("close", "read")),
        ("write", WRITE),
        ("truncate", TRUNCATE),
        ("sync", SYNC),
        *((f"other{number}", c_void_p) for number in range(13)),
    )


class File(Structure):
    """sqlite3_file: whatever follows belongs to the file system."""

    _fields_ = (("methods", POINTER(Methods)),)


class Recording:
    """`log` is what was done to files: ("write", name, position, bytes), ("cut", name, length), ("sync", name),
    ("gone", name), and whatever the one who records puts between them."""

    def __init__(self, library):
        library.sqlite3_vfs_find.restype = c_void_p
        self.own = library.sqlite3_vfs_find(None)
        self.log = []
        self.names = {}  # of open files, by their addresses
        self.real = cast(self.own, POINTER(FileSystem)).contents
        self.ours = FileSystem.from_buffer_copy(self.real)
        self.ours.name = b"recording"
        self.ours.open, self.ours.delete = OPEN(self.opened), DELETE(self.deleted)
        self.tables = {}  # SQLite has several of methods: by the address of each, the real one and ours
        self.reals = {}  # the real methods of an open file, by its address

    def opened(self, system, path, file, flags, out):
        code = self.real.open(self.own, path, file, flags, out)
        if not code and path:  # without a path it is a temporary file, which no power cut leaves
            self.names[file] = name_at(path)
            handle = cast(file, POINTER(File)).contents
            self.reals[file], ours = self.behind_ours(handle.methods)
            handle.methods = ctypes.pointer(ours)
        return code

    def behind_ours(self, methods):
        address = cast(methods, c_void_p).value
        if address not in self.tables:
            real = Methods.from_buffer_copy(methods.contents)
            ours = Methods.from_buffer_copy(real)
            ours.write, ours.truncate = WRITE(self.written), TRUNCATE(self.truncated)
            ours.sync = SYNC(self.synced)
            self.tables[address] = real, ours
        return self.tables[address]

    def written(self, file, content, length, position):
        self.log.append(("write", self.names[file], position, ctypes.string_at(content, length)))
        return self.reals[file].write(file, content, length, position)

    def truncated(self, file, length):
        self.log.append(("cut", self.names[file], length))
        return self.reals[file].truncate(file, length)

    def synced(self, file, flags):
        code = self.reals[file].sync(file, flags)
        self.log.append(("sync", self.names[file]))
        return code

    def deleted(self, system, path, sync):
        self.log.append(("gone", name_at(path)))
        return self.real.delete(self.own, path, sync)


def name_at(address):
    return Path(ctypes.string_at(address).decode()).name


def library():
    """The SQLite that Python's own module uses, or None where it cannot be reached."""
    try:
        found = ctypes.CDLL(_sqlite3.__file__)
        found.sqlite3_libversion.restype = c_char_p
        version = found.sqlite3_libversion().decode()
    except (AttributeError, OSError):
        return None
    return found if version == sqlite3.sqlite_version else None


@contextmanager
def recording(found):
    """Record what is done to databases that are opened, and closed again, in the block."""
    made = Recording(found)
    found.sqlite3_vfs_register(ctypes.byref(made.ours), 1)
    try:
        yield made.log
    finally:
        found.sqlite3_vfs_unregister(ctypes.byref(made.ours))
        found.sqlite3_vfs_register(c_void_p(made.own), 1)
