"""Started as a script, by location: puts the walls around itself, then becomes the server.

    python -I -S confine.py PACKAGES SCRATCH BYTES SIZED READABLE... -- COMMAND...

PACKAGES is the folder that sandlock is installed in. Where the scratch directory could be made a
file system of its own, of BYTES, the command gets the word SIZED. None of this runs in the process
of the host, which no failure here touches.
"""

from __future__ import annotations

import ctypes
import os
import sys

_CLONE_NEWNS, _CLONE_NEWUSER = 0x20000, 0x10000000
_MS_RDONLY, _MS_NOSUID, _MS_NODEV, _MS_REC, _MS_SLAVE = 1, 2, 4, 0x4000, 0x80000
_INODES = 1100  # a few more than a program may have


def main(packages: str, scratch: str, size: str, word: str, *rest: str) -> None:
    """Confine this process, then become the command. Raises what sandlock does if it cannot."""
    end = rest.index("--")
    readable, command = rest[:end], [*rest[end + 1 :]]
    if _own_file_system(scratch, size):
        command.append(word)
    os.chdir(scratch)
    sys.path.append(packages)
    import sandlock

    readable = [*readable, "/dev/urandom"]
    sandlock.confine(sandlock.Sandbox(fs_readable=readable, fs_writable=[scratch, os.devnull]))
    os.execv(command[0], command)


def _own_file_system(scratch: str, size: str) -> bool:
    """Mount one on the scratch directory, of a fixed size, in a mount namespace of our own: as a
    user where user namespaces are allowed, else as root. Whether that was possible. Where it was,
    /proc is empty from here on, too."""
    c = ctypes.CDLL(None, use_errno=True)
    uid, gid = os.getuid(), os.getgid()
    if c.unshare(_CLONE_NEWUSER | _CLONE_NEWNS) == 0:
        maps = {"setgroups": "deny", "uid_map": f"{uid} {uid} 1", "gid_map": f"{gid} {gid} 1"}
        try:
            for name, line in maps.items():
                with open(f"/proc/self/{name}", "w") as file:
                    file.write(line)
        except OSError:  # a security module allows the namespace, but no powers in it
            return False
    elif c.unshare(_CLONE_NEWNS):
        return False
    if c.mount(None, b"/", None, _MS_REC | _MS_SLAVE, None):
        return False
    options = f"size={size},nr_inodes={_INODES},mode=700".encode()
    kind, flags = b"tmpfs", _MS_NOSUID | _MS_NODEV
    if c.mount(kind, scratch.encode(), kind, flags, options):
        return False
    return not c.mount(kind, b"/proc", kind, flags | _MS_RDONLY, b"size=4k,mode=755")


if __name__ == "__main__":
    main(*sys.argv[1:])
