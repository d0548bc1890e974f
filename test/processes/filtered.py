"""Runs a command under the SystemCallFilter= of a systemd unit, as systemd would: filtered.py UNIT COMMAND ..."""
import os
import subprocess
import sys

import seccomp


def sets():
    """The sets of system calls by name, as this systemd has them."""
    found, members = {}, []
    for line in subprocess.check_output(["systemd-analyze", "syscall-filter", "--no-pager"], text=True).splitlines():
        if line.startswith("@"):
            members = found.setdefault(line.strip(), [])
        elif line.strip() and not line.strip().startswith("#"):
            members.append(line.strip())
    return found


def expanded(names, known):
    for name in names:
        if name.startswith("@"):
            yield from expanded(known[name], known)
        else:
            yield name


def allowed(unit):
    """systemd.exec(5): the first line names what is allowed, one with ~ takes away; @default is always allowed."""
    known = sets()
    calls = set(expanded(["@default"], known))
    with open(unit, encoding="utf-8") as lines:
        for line in lines:
            key, _, value = line.strip().partition("=")
            if key == "SystemCallFilter" and value.startswith("~"):
                calls -= set(expanded(value[1:].split(), known))
            elif key == "SystemCallFilter":
                calls |= set(expanded(value.split(), known))
    return calls


rules = seccomp.SyscallFilter(seccomp.ERRNO(1))
for call in allowed(sys.argv[1]):
    try:
        rules.add_rule(seccomp.ALLOW, call)
    except (RuntimeError, ValueError, OSError):
        pass  # A call of another processor.
rules.load()
os.execvp(sys.argv[2], sys.argv[2:])
