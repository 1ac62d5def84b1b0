"""Runs a program under a seccomp filter that answers one kind of call with EPERM.

Usage: seccomp.py unshare|write-only PROGRAM…
  unshare     unshare(2), as containers have it
  write-only  openat(2) with exactly O_WRONLY|O_CLOEXEC, which is how a uid_map is opened
x86-64 and aarch64.
"""

import ctypes
import os
import struct
import sys

LD, JEQ, RET = 0x20, 0x15, 0x06
ALLOW, EPERM = 0x7FFF0000, 0x00050000 | 1
NUMBERS = {"x86_64": {"unshare": 272, "openat": 257}, "aarch64": {"unshare": 97, "openat": 56}}
NR, THIRD_ARGUMENT = 0, 16 + 2 * 8
WRITE_ONLY = os.O_WRONLY | os.O_CLOEXEC

numbers = NUMBERS[os.uname().machine]
if sys.argv[1] == "unshare":
    program = [(LD, 0, 0, NR), (JEQ, 0, 1, numbers["unshare"])]
else:
    program = [(LD, 0, 0, NR), (JEQ, 0, 3, numbers["openat"]), (LD, 0, 0, THIRD_ARGUMENT), (JEQ, 0, 1, WRITE_ONLY)]
program += [(RET, 0, 0, EPERM), (RET, 0, 0, ALLOW)]
code = ctypes.create_string_buffer(b"".join(struct.pack("HBBI", *line) for line in program))


class Program(ctypes.Structure):
    _fields_ = [("len", ctypes.c_ushort), ("filter", ctypes.c_void_p)]


libc = ctypes.CDLL(None, use_errno=True)
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) != 0:
    sys.exit("no_new_privs refused")
filters = Program(len(program), ctypes.addressof(code))
if libc.prctl(PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(filters), 0, 0) != 0:
    sys.exit(f"seccomp refused: {os.strerror(ctypes.get_errno())}")
os.execvp(sys.argv[2], sys.argv[2:])
