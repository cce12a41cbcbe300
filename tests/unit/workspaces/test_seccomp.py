"""The filter of system calls, run by a small machine of its own: every architecture can be checked on any."""

from __future__ import annotations

import struct

import pytest

from eidothea.workspaces import _seccomp as seccomp

ALLOWED, REFUSED, UNKNOWN = seccomp.ALLOW, seccomp.FAIL | seccomp.EPERM, seccomp.FAIL | seccomp.ENOSYS
COLUMN = {"x86_64": 1, "aarch64": 2}
HARMLESS = {"x86_64": (0, 1, 9, 57, 59, 202, 231, 318), "aarch64": (63, 64, 222, 221, 98, 94, 278)}


def answer(machine: str, number: int, argument: int = 0, architecture: int | None = None) -> int:
    """What the kernel would do with one system call: a small part of its interpreter."""
    code = list(struct.iter_unpack("=HBBI", seccomp.program(machine)))
    arch = seccomp.MACHINES[machine][1] if architecture is None else architecture
    data = {seccomp.NUMBER: number, seccomp.ARCHITECTURE: arch, seccomp.FIRST_ARGUMENT: argument}
    tests = {
        seccomp.EQUAL: lambda a, k: a == k,
        seccomp.AT_LEAST: lambda a, k: a >= k,
        seccomp.ANY_BIT: lambda a, k: bool(a & k),
    }
    at, value = 0, 0
    while True:
        operation, yes, no, k = code[at]
        at += 1
        if operation == seccomp.RETURN:
            return int(k)
        if operation == seccomp.LOAD:
            value = data[k]
        else:
            at += yes if tests[operation](value, k) else no


@pytest.mark.parametrize("machine", COLUMN)
def test_what_is_denied_and_what_is_not(machine: str) -> None:
    for row in seccomp.DENIED:
        assert answer(machine, int(row[COLUMN[machine]])) == REFUSED, row[0]
    for number in HARMLESS[machine]:
        assert answer(machine, number) == ALLOWED


@pytest.mark.parametrize("machine", COLUMN)
def test_clone_may_fork_but_make_no_namespace(machine: str) -> None:
    clone = seccomp.MACHINES[machine][2]
    assert answer(machine, clone, 17) == ALLOWED  # SIGCHLD, as fork
    assert answer(machine, clone, 0x003D0F00) == ALLOWED  # a thread
    for flag in (0x00020000, 0x02000000, 0x04000000, 0x08000000, 0x10000000, 0x20000000, 0x40000000):
        assert answer(machine, clone, flag | 17) == REFUSED
    assert answer(machine, seccomp.CLONE3) == UNKNOWN


def test_other_tables_of_the_same_machine_are_closed() -> None:
    assert answer("x86_64", 0, architecture=0x40000003) == REFUSED  # that of i386
    assert answer("x86_64", seccomp.X32 + 1) == UNKNOWN


def test_an_unknown_machine_has_no_filter() -> None:
    assert seccomp.program("riscv64") == b""
