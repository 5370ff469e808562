"""Programs that attack the sandbox: those that try to get out, and those that take too much.

All are harmless where the walls fail: few children that end by themselves, signals to their own
parent only, outside nothing but what the test laid out for them (`Bait`).
"""

# ruff: noqa: E501 (the programs read worse when they are wrapped)
from __future__ import annotations

from dataclasses import dataclass

ESCAPED, KEPT = "ESCAPED", "kept"


@dataclass(frozen=True, slots=True)
class Bait:
    """What lies outside for one program to reach. Its names are the program's."""

    SECRET: str  # a file to read; its text is WORDS, which the program does not know
    FOLDER: str  # where it lies
    MADE: str  # a file to make
    PORT: int  # of a TCP listener on 127.0.0.1
    UDP: int  # of a UDP socket on 127.0.0.1
    SOCKET: str  # a unix datagram socket's path
    ABSTRACT: str  # the name of an abstract one
    OTHER: str  # another server's scratch directory
    PACKAGE: str  # srpo's own folder


# A body raises Kept, OSError or ImportError when it is kept in; any other exception is a slip in
# the body. `call` makes a system call by its numbers on x86_64 and aarch64 (-1: there is none).
_BEFORE = """\
import ctypes, os, struct, sys
c = ctypes.CDLL(None, use_errno=True)
class Kept(Exception): pass
class Reached(Exception): pass
REFUSED = {1, 2, 13, 38}  # EPERM, ENOENT, EACCES, ENOSYS: others come from further in
def done(result):
    if result < 0: raise (Kept if ctypes.get_errno() in REFUSED else Reached)(ctypes.get_errno())
    return result
def call(numbers, *args):
    c.syscall.restype = ctypes.c_long
    whole = [ctypes.c_long(a) if isinstance(a, int) else a for a in args]
    return done(c.syscall(ctypes.c_long(numbers[os.uname().machine == "aarch64"]), *whole))
def ends(pid):
    if pid == 0: os._exit(0)
def keep_if(kept):
    if kept: raise Kept
PARENT = os.getppid()
INFO = bytes(8) + bytes([255] * 4) + bytes(116)  # si_code SI_QUEUE
"""


def escape(body: str, bait: Bait) -> str:
    """The whole program: it prints ESCAPED only when its body came to its end."""
    names = "".join(f"{name} = {getattr(bait, name)!r}\n" for name in Bait.__slots__)
    inner = "".join(f"    {line}\n" for line in body.strip("\n").splitlines())
    end = f"except (Kept, OSError, ImportError): print({KEPT!r})\nelse: print({ESCAPED!r})\n"
    return f"{_BEFORE}{names}try:\n{inner}{end}"


PROCESSES = {
    "fork": "ends(os.fork())",
    "forkpty": "ends(os.forkpty()[0])",
    "vfork": "ends(call((58, -1)))",
    "clone": "ends(call((56, 220), 17, 0, 0, 0, 0))",
    "clone as a sibling": "ends(call((56, 220), 0x8000 | 17, 0, 0, 0, 0))",
    "clone into a user namespace": "ends(call((56, 220), 0x10000000 | 17, 0, 0, 0, 0))",
    "clone, a thread's flag in the high half": "ends(call((56, 220), 1 << 48 | 17, 0, 0, 0, 0))",
    "clone3": "ends(call((435, 435), struct.pack('8Q', 0, 0, 0, 0, 17, 0, 0, 0), 64))",
    "fork by the 32-bit door": """
keep_if(os.uname().machine != "x86_64")
import mmap
code = bytes.fromhex("b802000000cd80c3")  # mov eax, 2; int 0x80; ret
page = mmap.mmap(-1, 4096, 34, 7)
page.write(code)
where = ctypes.addressof(ctypes.c_char.from_buffer(page))
ends(done(ctypes.CFUNCTYPE(ctypes.c_int)(where)()))
""",
    "fork by the x32 door": """
keep_if(os.uname().machine != "x86_64")
ends(call((0x40000000 | 57, -1)))
""",
    "posix_spawn": "os.waitpid(os.posix_spawn('/bin/true', ['true'], {}), 0)",
    "subprocess": "import subprocess\nsubprocess.run(['true'], check=True)",
    "a shell": "keep_if(os.system('true') != 0)",
    "popen": "keep_if(os.popen('echo x').read() != 'x\\n')",
    "multiprocessing": "import multiprocessing as m\np = m.Process(target=int); p.start(); p.join()",
    "spawned process": (
        "import multiprocessing as m\n"
        "p = m.get_context('spawn').Process(target=int); p.start(); p.join(0.1)"
    ),
    "process pool": (
        "from concurrent.futures import ProcessPoolExecutor as P\n"
        "with P(1) as pool: pool.submit(int).result()"
    ),
    "daemon": """
if os.fork() == 0:
    os.setsid()
    if os.fork() == 0: os.closerange(0, 256); import time; time.sleep(0.3)
    os._exit(0)
""",
    "fork bomb": """
made = 0
for _ in range(300):
    try: pid = os.fork()
    except OSError: continue
    ends(pid)
    made += 1
keep_if(made == 0)
""",
    "fork in a thread": """
import threading
made = []
def run():
    try: pid = os.fork()
    except OSError: return
    ends(pid)
    made.append(pid)
thread = threading.Thread(target=run); thread.start(); thread.join()
keep_if(not made)
""",
    "exec": "os.execv(sys.executable, [sys.executable, '-S', '-c', 'print(\"ESCAPED\")'])",
    "exec by the loader": """
loader = "/lib64/ld-linux-x86-64.so.2"
os.execv(loader, [loader, sys.executable, "-S", "-c", "print('ESCAPED')"])
""",
    "exec of its own script": """
with open("s", "w") as f: f.write("#!/bin/sh\\necho ESCAPED\\n")
os.chmod("s", 0o700)
os.execv("./s", ["s"])
""",
    "execveat": """
fd = os.open(sys.executable, os.O_RDONLY)
argv = (ctypes.c_char_p * 4)(b"python", b"-c", b"print('ESCAPED')", None)
call((322, 281), fd, b"", argv, None, 0x1000)
""",
    "exec from memory": """
fd = call((319, 279), b"x", 0)
os.write(fd, b"#!/bin/sh\\necho ESCAPED\\n")
call((322, 281), fd, b"", (ctypes.c_char_p * 2)(b"x", None), None, 0x1000)
""",
    "setsid": "os.setsid()",
    "the parent's process group": "os.setpgid(0, os.getpgid(PARENT))",
    "unshare": "call((272, 97), 0x10000000)",
    "setns": "call((308, 268), os.open('.', os.O_RDONLY), 0)",
}

SIGNALS = {
    "ask for the parent": "os.kill(PARENT, 0)",
    "kill the parent": "os.kill(PARENT, 9)",
    "stop the parent": "os.kill(PARENT, 19)",
    "the parent's group": "os.killpg(os.getpgid(PARENT), 0)",
    "everybody": "os.kill(-1, 0)",
    "the first process": "os.kill(1, 0)",
    "the parent by a 64-bit number": "call((62, 129), PARENT | 1 << 32, 0)",
    "tkill": "call((200, 130), PARENT, 0)",
    "tgkill": "call((234, 131), PARENT, PARENT, 0)",
    "rt_sigqueueinfo": "call((129, 138), PARENT, 0, INFO)",
    "rt_tgsigqueueinfo": "call((297, 240), PARENT, PARENT, 0, INFO)",
    "pidfd": "import signal\nsignal.pidfd_send_signal(os.pidfd_open(PARENT), 0)",
    "pidfd by number": "call((434, 434), PARENT, 0)",
    "a folder of /proc as pidfd": (
        "import signal\nsignal.pidfd_send_signal(os.open(f'/proc/{PARENT}', 0x10000), 0)"
    ),
    "owner of a file": "import fcntl\nfcntl.fcntl(os.open('f', 66), 8, PARENT)",
    "owner of a file, extended": (
        "import fcntl\nfcntl.fcntl(os.open('f', 66), 15, struct.pack('ii', 1, PARENT))"
    ),
    # The request alone proves nothing: whether the signal came shows in the server's life.
    "owner of a socket": """
import fcntl, socket, time
a, b = socket.socketpair()
fcntl.ioctl(a, 0x8901, struct.pack("i", PARENT))
fcntl.fcntl(a, 10, 9)
fcntl.fcntl(a, fcntl.F_SETFL, fcntl.fcntl(a, fcntl.F_GETFL) | 0x2000)
b.send(b"x"); time.sleep(0.05)
raise Kept
""",
    "group that owns a socket": """
import fcntl, socket, time
a, b = socket.socketpair()
fcntl.ioctl(a, 0x8902, struct.pack("i", -os.getpgid(PARENT)))
fcntl.fcntl(a, 10, 9)
fcntl.fcntl(a, fcntl.F_SETFL, fcntl.fcntl(a, fcntl.F_GETFL) | 0x2000)
b.send(b"x"); time.sleep(0.05)
raise Kept
""",
    "timer on the parent's thread": (
        "REFUSED.add(22)\n"
        "call((222, 107), 1, struct.pack('qiii', 0, 9, 4, PARENT) + bytes(44), bytes(8))"
    ),
    "its own group": "import time\nos.kill(0, 9); time.sleep(1)",
    "tell of its death to nobody, and die": "done(c.prctl(1, 0, 0, 0, 0)); os.kill(os.getpid(), 9)",
    "limit the parent": "import resource as r\nr.prlimit(PARENT, r.RLIMIT_CPU, (99, 99))",
    "read the parent's limits": "import resource as r\nr.prlimit(PARENT, r.RLIMIT_CPU)",
    "re-nice the parent": "os.setpriority(os.PRIO_PROCESS, PARENT, 1)",
    "pin the parent": "os.sched_setaffinity(PARENT, [0])",
    "schedule the parent": "os.sched_setscheduler(PARENT, 3, os.sched_param(0))",
    "the parent's disk priority": "call((251, 30), 1, PARENT, 2 << 13)",
    "share the parent's core": "REFUSED.add(22)\ndone(c.prctl(62, 2, PARENT, 0, 0))",
    "the parent's robust list": "call((274, 100), PARENT, bytes(8), bytes(8))",
    "trace the parent": "done(c.ptrace(16, PARENT, None, None))",
    "seize the parent": "done(c.ptrace(0x4206, PARENT, None, None))",
    "compare with the parent": "call((312, 272), os.getpid(), PARENT, 1, 0, 0)",
    "read the parent's memory": """
out = ctypes.create_string_buffer(8)
local = struct.pack("QQ", ctypes.addressof(out), 8)
call((310, 270), PARENT, local, 1, struct.pack("QQ", id(None), 8), 1, 0)
""",
    "write the parent's memory": """
out = ctypes.create_string_buffer(8)
local = struct.pack("QQ", ctypes.addressof(out), 0)
call((311, 271), PARENT, local, 1, struct.pack("QQ", id(None), 0), 1, 0)
""",
    "move the parent's pages": "call((279, 239), PARENT, 0, None, None, None, 0)",
}

SOCKETS = {
    "TCP": "import socket\nsocket.create_connection(('127.0.0.1', PORT), 1)",
    "TCP over IPv6": "import socket\nsocket.socket(socket.AF_INET6)",
    "a listener": "import socket\ns = socket.socket(); s.bind(('127.0.0.1', 0)); s.listen()",
    "UDP": "import socket\nsocket.socket(2, 2).sendto(b'x', ('127.0.0.1', UDP))",
    "raw": "import socket\nsocket.socket(2, 3, 1)",
    "packets": "import socket\nsocket.socket(17, 3)",
    "netlink": "import socket\nsocket.socket(16, 3)",
    "vsock": "import socket\nsocket.socket(40, 1)",
    "the kernel's cryptography": "import socket\nsocket.socket(38, 5)",
    "unix stream": "import socket\nsocket.socket(socket.AF_UNIX)",
    "unix datagram": "import socket\nsocket.socket(1, 2).sendto(b'x', SOCKET)",
    "abstract": "import socket\nsocket.socket(1, 2).sendto(b'x', ABSTRACT)",
    "a pair's end to a name": "import socket\nsocket.socketpair(1, 2)[0].sendto(b'x', SOCKET)",
    "a pair's end connects": (
        "import socket\na = socket.socketpair(1, 2)[0]; a.connect(SOCKET); a.send(b'x')"
    ),
    "a pair's end, abstract": "import socket\nsocket.socketpair(1, 2)[0].sendto(b'x', ABSTRACT)",
    "a pair's message to a name": (
        "import socket\nsocket.socketpair(1, 2)[0].sendmsg([b'x'], [], 0, SOCKET)"
    ),
    "a pair's end gets a name outside": "import socket\nsocket.socketpair(1, 2)[0].bind(MADE)",
    "a stream pair listens": (
        "import socket\na = socket.socketpair()[0]; a.bind(MADE); a.listen()"
    ),
    "DNS": "import socket\nsocket.getaddrinfo('example.org', 80)",
    "a web page": (
        "import urllib.request\nurllib.request.urlopen(f'http://127.0.0.1:{PORT}/', timeout=1)"
    ),
    "asyncio": (
        "import asyncio\nasyncio.run(asyncio.wait_for("
        "asyncio.open_connection('127.0.0.1', PORT), 0.3))"
    ),
    "io_uring": "call((425, 425), 8, ctypes.create_string_buffer(120))",
}

READS = {
    "a file": "open(SECRET).read()",
    "its folder": "keep_if('secret' not in os.listdir(FOLDER))",
    "a relative path": "os.chdir(FOLDER)\nopen('secret').read()",
    "many dots": "open('../' * 40 + SECRET).read()",
    "a symbolic link": "os.symlink(SECRET, 'l')\nopen('l').read()",
    "a chain of links": ("os.symlink(FOLDER, 'r'); os.symlink('r', 'q')\nopen('q/secret').read()"),
    "a hard link": "os.link(SECRET, 'l')\nopen('l').read()",
    "by a path descriptor": (
        "d = os.open(FOLDER, os.O_PATH)\nos.read(os.open('secret', os.O_RDONLY, dir_fd=d), 9)"
    ),
    "a path descriptor's /proc name": (
        "d = os.open(SECRET, os.O_PATH)\nopen(f'/proc/self/fd/{d}').read()"
    ),
    "openat2": ("call((437, 437), -100, SECRET.encode(), struct.pack('QQQ', 0, 0, 0), 24)"),
    "a file handle": """
handle = ctypes.create_string_buffer(struct.pack("Ii", 128, 0) + bytes(128))
call((303, 264), -100, SECRET.encode(), handle, ctypes.byref(ctypes.c_int()), 0)
call((304, 265), os.open(".", os.O_RDONLY), handle, 0)
""",
    "another scratch directory": "os.listdir(OTHER)",
    "a file in another scratch directory": "open(OTHER + '/x', 'w').close()",
    "the temporary folder": (
        "keep_if(os.path.basename(OTHER) not in os.listdir(os.path.dirname(OTHER)))"
    ),
    "passwords": "open('/etc/passwd').read()",
    "shadow": "open('/etc/shadow').read()",
    "groups": "open('/etc/group').read()",
    "the package": "keep_if('types.py' not in os.listdir(PACKAGE))",
    "the verifier": "open(PACKAGE + '/verifiers/code.py').read()",
    "import the package": "sys.path.insert(0, os.path.dirname(PACKAGE))\nimport srpo.types",
    "/proc": "os.listdir('/proc')",
    "own maps": "open('/proc/self/maps').read()",
    "own memory": "open('/proc/self/mem', 'rb')",
    "own environment": "open('/proc/self/environ').read()",
    "own descriptors": "os.listdir('/proc/self/fd')",
    "own status": "open('/proc/self/status').read()",
    "a thread's": "open('/proc/thread-self/stat').read()",
    "the parent's memory": "open(f'/proc/{PARENT}/mem', 'rb')",
    "the parent's environment": "open(f'/proc/{PARENT}/environ').read()",
    "the parent's command": "open(f'/proc/{PARENT}/cmdline').read()",
    "the parent's folder": "os.listdir(f'/proc/{PARENT}/cwd')",
    "the parent's descriptors": "os.listdir(f'/proc/{PARENT}/fd')",
    "the machine": "open('/proc/cpuinfo').read()",
    "the kernel's parameters": "open('/proc/sys/kernel/random/boot_id').read()",
    "/sys": "os.listdir('/sys')",
    "memory of the machine": "open('/dev/mem', 'rb')",
    "kernel log": "open('/dev/kmsg', 'rb')",
    "syslog": "call((103, 116), 10, None, 0)",
    "a terminal": "open('/dev/tty')",
    "a new terminal": "os.open('/dev/ptmx', os.O_RDWR)",
    "shared memory": "os.listdir('/dev/shm')",
    "a disk": "open('/dev/vda', 'rb')",
    "more descriptors than its own": """
held = []
for fd in range(5, 1024):
    try: os.fstat(fd); held.append(fd)
    except OSError: pass
keep_if(not held)
""",
    "the environment": "keep_if(not any('SRPO' in v + k for k, v in os.environ.items()))",
    "the environment of C": """
at = ctypes.POINTER(ctypes.c_char_p).in_dll(c, "environ")
seen, i = b"", 0
while at[i]: seen += at[i]; i += 1
keep_if(b"SRPO_" not in seen and b"PYTEST" not in seen)
""",
    "names in a folder, as they are made": (
        "fd = done(c.inotify_init1(0))\n"
        "keep_if(done(c.inotify_add_watch(fd, FOLDER.encode(), 0x100)) < 0)"
    ),
    "size and times of a file": "os.stat(SECRET)",
    "whether a file is there": "keep_if(not os.path.exists(SECRET))",
}

WRITES = {
    "a file": "open(MADE, 'w').write('x')",
    "beside the scratch directory": "open('../made', 'w').write('x')",
    "by a link": "os.symlink(MADE, 'l')\nopen('l', 'w').write('x')",
    "a folder": "os.mkdir(MADE)",
    "a link": "os.symlink('x', MADE)",
    "a pipe": "os.mkfifo(MADE)",
    "a device": "os.mknod(MADE, 0o20666, os.makedev(1, 3))",
    "a device in scratch": "os.mknod('d', 0o20666, os.makedev(1, 5))\nopen('d', 'rb').read(1)",
    "move out": "open('f', 'w').close()\nos.rename('f', MADE)",
    "link out": "open('f', 'w').close()\nos.link('f', MADE)",
    "move the scratch directory": "os.rename(os.getcwd(), MADE)",
    "remove the scratch directory": "os.rmdir(os.getcwd())",
    "replace the scratch directory": "here = os.getcwd()\nos.rmdir(here); os.symlink(FOLDER, here)",
    "append": "open(SECRET, 'a').write('x')",
    "truncate": "os.truncate(SECRET, 0)",
    "unlink": "os.unlink(SECRET)",
    "rename": "os.rename(SECRET, MADE)",
    "move in": "os.rename(SECRET, 'mine')",
    "lock": "import fcntl\nfcntl.flock(os.open(SECRET, os.O_RDONLY), fcntl.LOCK_EX)",
    "shared memory": "open('/dev/shm/' + os.path.basename(FOLDER), 'w').write('x')",
    "POSIX shared memory": (
        "from multiprocessing import shared_memory as s\n"
        "m = s.SharedMemory(create=True, size=9); m.close(); m.unlink()"
    ),
    "the library": (
        "name = os.__file__ + '.' + os.path.basename(FOLDER)\nopen(name, 'w').close()\nos.unlink(name)"
    ),
    "compiled library": "import json\nopen(json.__cached__, 'ab').close()",
    "the server's source": "open(PACKAGE + '/sandbox/inside/server.py', 'a').close()",
    "another scratch directory": "open(OTHER + '/made', 'w').close()",
    "SysV shared memory": ("call((31, 195), call((29, 194), 0, 4096, 0o1600), 0, None)"),
    "SysV semaphore": "call((66, 191), call((64, 190), 0, 1, 0o1600), 0, 0)",
    "SysV queue": "call((71, 187), call((68, 186), 0, 0o1600), 0, None)",
    "POSIX queue": ("call((240, 180), b'srpo', 66, 0o600, None)\ncall((241, 181), b'srpo')"),
}

# What a file is besides its bytes. Whether it was changed is looked at from outside: a wall may
# as well let the call come to nothing.
_QUIET = "\nraise Kept"
ATTRIBUTES = {
    name: body + _QUIET
    for name, body in {
        "chmod": "os.chmod(SECRET, 0o777)",
        "chmod of the folder": "os.chmod(FOLDER, 0o777)",
        "chmod by descriptor of the folder": (
            "os.chmod('secret', 0o777, dir_fd=os.open(FOLDER, os.O_PATH))"
        ),
        "fchmodat2": "call((452, 452), -100, SECRET.encode(), 0o777, 0)",
        "fchmod of the library": "os.fchmod(os.open(os.__file__, os.O_RDONLY), 0o644)",
        "chmod of another scratch directory": "os.chmod(OTHER, 0o755)",
        "chown": "os.chown(SECRET, -1, os.getgid())",
        "lchown": "os.lchown(SECRET, os.getuid(), -1)",
        "fchown of the library": "os.fchown(os.open(os.__file__, os.O_RDONLY), -1, os.getgid())",
        "utime": "os.utime(SECRET, (5, 5))",
        "utime by old calls": "call((235, -1), SECRET.encode(), None)",
        "utime by older calls": "call((132, -1), SECRET.encode(), None)",
        "utime by a folder": "call((261, -1), -100, SECRET.encode(), None)",
        "utime of the library": (
            "i = os.stat(os.__file__)\n"
            "os.utime(os.open(os.__file__, os.O_RDONLY), ns=(i.st_atime_ns, i.st_mtime_ns))"
        ),
        "xattr": "os.setxattr(SECRET, 'user.x', b'1')",
        "xattr of the link": "os.setxattr(SECRET, 'user.x', b'1', follow_symlinks=False)",
        "access list": (
            "os.setxattr(SECRET, 'system.posix_acl_access', struct.pack('<I', 2) +"
            " b''.join(struct.pack('<HHI', t, 7, 0xffffffff) for t in (1, 4, 32)))"
        ),
        "remove an xattr": "os.removexattr(SECRET, 'user.bait')",
        "flags of the library": """
import fcntl
fd = os.open(os.__file__, os.O_RDONLY)
flags = fcntl.ioctl(fd, 0x80086601, bytes(8))
fcntl.ioctl(fd, 0x40086602, flags)
""",
    }.items()
}
_RAISE = """
import resource as r
try: r.setrlimit(r.RLIMIT_{0}, ({1}, {1}))
except ValueError: raise Kept
"""
KERNEL = {
    "undo seccomp": "REFUSED.add(22)\ndone(c.prctl(22, 0, 0, 0, 0))\nends(os.fork())",
    "a kinder filter": """
allow = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7FFF0000))
done(c.prctl(22, 2, struct.pack("HxxxxxxQ", 1, ctypes.addressof(allow)), 0, 0))
ends(os.fork())
""",
    "new privileges again": "REFUSED.add(22)\ndone(c.prctl(38, 0, 0, 0, 0))",
    "a kinder Landlock": """
ruleset = call((444, 444), struct.pack("Q", 8191), 8, 0)
root = os.open("/", os.O_PATH)
call((445, 445), ruleset, 1, struct.pack("=Qi", 8191, root), 0)
call((446, 446), ruleset, 0)
open(SECRET).read()
""",
    "all capabilities": "call((126, 91), struct.pack('Ii', 0x20080522, 0), b'\\xff' * 24)",
    "ambient capabilities": "done(c.prctl(47, 2, 21, 0, 0))",
    "another user": "os.setuid(12345)",
    "another group": "os.setgroups([0, 1])",
    "personality, then a fork": "c.personality(0x0040000)\nends(os.fork())",
    "writable code, then a fork": """
import mmap
page = mmap.mmap(-1, 4096, 34, 7)
page.write(bytes.fromhex("b8390000000f05c3"))  # mov eax, 57; syscall; ret
keep_if(os.uname().machine != "x86_64")
got = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
keep_if(got < 0)
ends(got)
""",
    "mount": "done(c.mount(b'x', b'.', b'nothing', 0, None))",
    "bind mount": "done(c.mount(b'/nothing', b'.', None, 4096, None))\nkeep_if(ctypes.get_errno() == 1)",
    "unmount": "done(c.umount2(b'.', 0))",
    "new mount interface": "call((430, 430), b'tmpfs', 0)",
    "clone a mount": "call((428, 428), -100, b'/', 1)",
    "chroot": "os.chroot('.')",
    "pivot_root": "call((155, 41), b'.', b'.')",
    "bpf": "call((321, 280), 0, bytes(128), 128)",
    "keys": "call((250, 219), 0, -3, 1)",
    "add a key": "call((248, 217), b'user', b'srpo', b'x', 1, -2)",
    "userfaultfd": "call((323, 282), 1)",
    "perf": "call((298, 241), struct.pack('II', 1, 128) + bytes(120), 0, -1, -1, 0)",
    "memfd": "call((319, 279), b'x', 0)",
    "secret memory": "call((447, 447), 0)",
    "a module": "call((175, 105), b'', 0, b'')",
    "a module from a file": "call((313, 273), 0, b'', 0)",
    "ports": "keep_if(os.uname().machine != 'x86_64')\ndone(c.iopl(3))",
    "host name": "n = os.uname().nodename.encode()\ndone(c.sethostname(n, len(n)))",
    "swap": "done(c.swapoff(b'nothing'))",
    "accounting": "done(c.acct(b'/nothing'))",
    "fanotify": "call((300, 262), 4, 0)",
    "file limit": _RAISE.format("NOFILE", 4096),
    "memory limit": _RAISE.format("AS", -1),
    "size limit": _RAISE.format("FSIZE", -1),
    "priority": "os.nice(-5)",
    "real-time": "os.sched_setscheduler(0, 1, os.sched_param(1))",
}

ESCAPES = {
    "processes": PROCESSES,
    "signals": SIGNALS,
    "sockets": SOCKETS,
    "reads": READS,
    "writes": WRITES,
    "attributes": ATTRIBUTES,
    "kernel": KERNEL,
}

# Programs that take too much: how they may end, and their source. MiB here is 256 of memory and
# 4 of scratch; time is half a second; output 100 kB.
MEMORY = {
    "bytearray": ("memory", "x = bytearray(1 << 34)"),
    "growing list": ("memory timeout", "x = []\nwhile True: x.append(bytearray(1 << 20))"),
    "list of numbers": ("memory timeout", "x = [0]\nwhile True: x += x"),
    "growing dict": ("memory timeout", "x = {}\nwhile True: x[len(x)] = [0] * 1000"),
    "growing text": ("memory timeout", "x = 'x'\nwhile True: x += x"),
    "anonymous map": ("exception", "import mmap\nmmap.mmap(-1, 1 << 34)"),
    "many maps": (
        "exception memory",
        "import mmap\nx = []\nwhile True: x.append(mmap.mmap(-1, 1 << 24))",
    ),
    "malloc": (
        "exception",
        "import ctypes\nc = ctypes.CDLL(None); c.malloc.restype = ctypes.c_void_p\n"
        "assert c.malloc(ctypes.c_size_t(1 << 40))",
    ),
    "brk": (
        "exception memory",
        "import ctypes\nc = ctypes.CDLL(None, use_errno=True)\n"
        "for _ in range(1000):\n    if c.sbrk(1 << 24) == -1: raise OSError",
    ),
    "locked memory": (
        "exception memory",
        "import ctypes, mmap\nc = ctypes.CDLL(None)\n"
        "if c.mlockall(3) < 0: raise OSError\nx = mmap.mmap(-1, 1 << 30)",
    ),
    "recursion": ("exception", "def f(): return f()\nf()"),
    "recursion in repr": ("exception", "x = []\nfor _ in range(10**5): x = [x]\nrepr(x)"),
    "recursion without a limit": (
        "killed memory exception timeout",
        "import sys\nsys.setrecursionlimit(10**9)\ndef f(): return [*map(g, [1])]\n"
        "def g(_): return f()\nf()",
    ),
    "giant number": ("memory", "x = 1 << (1 << 36)"),
    "slow power": ("timeout memory", "x = 3 ** (3 ** 20)"),
    "giant text": ("memory exception", "x = 'x' * (1 << 40)"),
    "giant format": ("memory exception", "x = '%01000000000d' % 1"),
    "regular expression": ("timeout", "import re\nre.match('(a+)+$', 'a' * 40 + 'b')"),
    "compressed zeros": (
        "memory",
        "import zlib\nd = zlib.compressobj(1)\nz = b''\n"
        "for _ in range(1000): z += d.compress(bytes(1 << 20)) if len(z) < 10**5 else b''\n"
        "zlib.decompress(z + d.flush(), bufsize=1 << 30)",
    ),
    "product": ("memory timeout", "import itertools\nlist(itertools.product(range(99), repeat=9))"),
    "classes": ("memory timeout", "x = []\nwhile True: x.append(type('A', (), {}))"),
    "threads' stacks": (
        "exception memory",
        "import threading\nfor _ in range(300):\n"
        "    threading.Thread(target=threading.Event().wait).start()",
    ),
    "deep source": ("exception memory killed", "eval('(' * 10**5 + ')' * 10**5)"),
    "deep syntax": ("exception memory killed", "eval('-' * 10**5 + '1')"),
}

_MANY = "import os, time\ndata = bytes(1 << 20)\n"
DISK = {
    "big file": ("exception", "f = open('f', 'wb')\nwhile True: f.write(bytes(10**5))"),
    "sparse file": ("exception", "f = open('f', 'wb')\nf.truncate(1 << 40)"),
    "sparse by seeking": ("exception", "f = open('f', 'wb')\nf.seek(1 << 40); f.write(b'x'); f.flush()"),
    "allocated": ("exception", "import os\nos.posix_fallocate(os.open('f', 66), 0, 1 << 30)"),
    "many files": (
        "output exception timeout",
        "i = 0\nwhile True:\n    open(f'f{i}', 'wb').close(); i += 1",
    ),
    "several big files": (
        "output exception",
        "i = 0\nwhile True:\n    open(f'f{i}', 'wb').write(bytes(10**6)); i += 1",
    ),
    "many folders": ("output exception timeout", "import os\ni = 0\nwhile True:\n    os.mkdir(f'd{i}'); i += 1"),
    "links of a file": (
        "output exception",
        "import os\nopen('f', 'wb').write(bytes(1 << 20))\ni = 0\n"
        "while True:\n    os.link('f', f'l{i}'); i += 1",
    ),
    "loops of links": (
        "ok", "import os\nos.symlink('.', 'a'); os.symlink('b', 'c'); os.symlink('c', 'b')"
    ),
    "home and temporary folder": (
        "ok",
        "import os, tempfile\nopen(os.path.expanduser('~/x'), 'w').write('x')\n"
        "tempfile.mkstemp(); tempfile.mkdtemp()",
    ),
    "odd names": (
        "ok",
        "import os\nfor n in (b'\\xff\\xfe', b'a\\nb', b'-rf', b' ', b'\\x01', b'x' * 255):\n"
        "    open(n, 'w').close(); os.mkdir(n + b'd') if len(n) < 99 else 0",
    ),
    "no modes": (
        "ok",
        "import os\nos.makedirs('a/b/c'); open('a/b/c/f', 'w').close()\n"
        "for n in ('a/b/c/f', 'a/b/c', 'a/b', 'a', '.'): os.chmod(n, 0)",
    ),
    "pipes and sockets": (
        "ok", "import os, socket\ntry: os.mkfifo('p')\nexcept OSError: pass\n"
        "try: socket.socketpair()[0].bind('s')\nexcept OSError: pass",
    ),
    "open folders": ("ok", "import os\nos.mkdir('d'); fd = os.open('d', 0); os.chmod('d', 0o111)"),
    "deep folders": (
        "output exception ok timeout",
        "import os\nfor _ in range(400): os.mkdir('a'); os.chdir('a')",
    ),
    "folders too deep to name": (
        "output exception timeout ok",
        "import os\nfor _ in range(20): os.mkdir('a' * 250); os.chdir('a' * 250)\n"
        "for _ in range(1200): os.mkdir('a'); os.chdir('a')",
    ),
    "behind folders too deep to name": (
        "output",
        _MANY + "for _ in range(20): os.mkdir('a' * 250); os.chdir('a' * 250)\n"
        "for i in range(40): open(f'f{i}', 'wb').write(data)\ntime.sleep(9)",
    ),
    "in a folder that cannot be listed": (
        "output",
        _MANY + "os.mkdir('d', 0o300); os.chdir('d')\n"
        "for i in range(40): open(f'f{i}', 'wb').write(data)\ntime.sleep(9)",
    ),
    "many files in one that cannot be listed": (
        "output exception timeout",
        "import os\nos.chmod('.', 0o300); i = 0\n"
        "while True: os.close(os.open(f'f{i}', 66)); i += 1",
    ),
    "removed but open": (
        "output exception",
        _MANY + "held = []\nfor i in range(40):\n    f = open('f', 'wb', 0); os.unlink('f')\n"
        "    f.write(data); held.append(f)\ntime.sleep(9)",
    ),
    "without a name": (
        "output exception",
        _MANY + "held = []\nfor i in range(40):\n"
        "    fd = os.open('.', os.O_TMPFILE | os.O_RDWR); os.write(fd, data); held.append(fd)\n"
        "time.sleep(9)",
    ),
    "grows standard input": (
        "exception output", "import os\nwhile True: os.write(0, bytes(1 << 20))"
    ),
}  # fmt: skip

FRAME = (
    "import json, os, struct\ndef send(b, n=None):\n"
    "    b = struct.pack('>I', len(b) if n is None else n) + b\n"
    "    while b: b = b[os.write(3, b):]\n"
)
FLOODS = {
    "standard output": ("output", "while True: print('x' * 1000)"),
    "standard error": ("timeout", "import sys\nwhile True: sys.stderr.write('x' * 1000)"),
    "one line": ("output", "print('x' * 10**7)"),
    "by threads": (
        "output timeout",
        "import threading, os\ndef f():\n    while True: os.write(1, b'x' * 4096)\n"
        "threading.stack_size(1 << 18)\nfor _ in range(20): threading.Thread(target=f).start()\n"
        "f()",
    ),
    "no text": ("ok", "import os\nos.write(1, bytes(range(256)) * 9)"),
    "a closed output": ("ok exception", "import os, sys\nos.close(1); print(1); sys.stdout.flush()"),
    "a replaced output": ("ok", "import sys\nsys.stdout = sys.__stdout__ = None"),
    "a hostile output": (
        "ok exception",
        "import sys\nclass S:\n    def flush(self): raise KeyboardInterrupt\n"
        "    def write(self, s): raise SystemExit(3)\nsys.stdout = S()",
    ),
    "all closed": ("timeout", "import os\nos.closerange(0, 64)\nwhile True: pass"),
    "all closed, then the end": ("ok exception", "import os\nos.closerange(0, 64)"),
    "messages": ("output exception", FRAME + "while True: send(b'{\"value\": 1}')"),
    "large messages": ("output exception", FRAME + "while True: send(b'\"' + b'x' * 10**6)"),
    "empty messages": ("output exception", FRAME + "while True: os.write(3, bytes(60000))"),
    "no message": ("output exception", FRAME + "while True: os.write(3, b'x' * 60000)"),
    "a giant length": (
        "timeout", FRAME + "import time\nsend(b'x', 0xffffffff); time.sleep(9)"
    ),
    "a giant length, then the end": ("ok exception", FRAME + "send(b'x', 0xffffffff)"),
    "a length alone": ("timeout", FRAME + "import time\nos.write(3, b'\\0\\0'); time.sleep(9)"),
    "nested message": ("exception ok", FRAME + "send(b'[' * 90000)"),
    "a giant number": ("exception ok", FRAME + "send(b'{\"value\": ' + b'9' * 90000 + b'}')"),
    "end, then more": (
        "ok exception output timeout",
        FRAME + "send(b'{\"end\": \"ok\", \"detail\": \"\"}')\nwhile True: send(b'{\"value\": 1}')",
    ),
    "strange ends": (
        "ok exception",
        FRAME + "for e in ([], {}, None, 5, 'broken', 'failed', '\\ud800' * 999):\n"
        "    send(json.dumps({'end': e, 'detail': e}).encode())",
    ),
    "output that does not block": (
        "output exception",
        "import os\nos.set_blocking(1, False)\nwhile True:\n    try: os.write(1, b'x' * 9999)\n"
        "    except BlockingIOError: pass",
    ),
    "both pipes as one": ("ok exception", "import os\nos.dup2(1, 3); os.dup2(3, 1); print('x')"),
}  # fmt: skip

_LOOP = "while True: pass"
HANGS = {
    "loop": ("timeout", _LOOP),
    "sleep": ("timeout", "import time\ntime.sleep(99)"),
    "pause": ("timeout", "import signal\nsignal.pause()"),
    "stop itself": ("timeout", "import os, signal\nos.kill(os.getpid(), signal.SIGSTOP)"),
    "stop its group": ("timeout", "import os, signal\nos.kill(0, signal.SIGTSTP)\n" + _LOOP),
    "block all signals": (
        "timeout",
        "import signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\n" + _LOOP,
    ),
    "ignore all signals": (
        "timeout",
        "import signal\nfor s in signal.valid_signals() - {9, 19}:\n"
        "    try: signal.signal(s, signal.SIG_IGN)\n"
        "    except (OSError, ValueError): pass\n" + _LOOP,
    ),
    "catch all": (
        "timeout",
        "import signal, time\nsignal.signal(15, lambda *a: None)\n"
        "while True:\n    try:\n        while True: time.sleep(0.01)\n"
        "    except BaseException: pass",
    ),
    "storm of alarms": (
        "timeout",
        "import signal\nsignal.signal(14, lambda *a: None)\n"
        "signal.setitimer(signal.ITIMER_REAL, 1e-5, 1e-5)\n" + _LOOP,
    ),
    "alarm that raises": (
        "exception",
        "import signal, time\ndef f(*a): raise KeyboardInterrupt\nsignal.signal(14, f)\n"
        "signal.setitimer(signal.ITIMER_REAL, 0.05)\ntime.sleep(99)",
    ),
    "wait for a signal": ("timeout", "import signal\nsignal.sigwait({10})"),
    "deadlock": ("timeout", "import threading\nl = threading.Lock(); l.acquire(); l.acquire()"),
    "deadlock of threads": (
        "timeout",
        "import threading, time\na, b = threading.Lock(), threading.Lock()\n"
        "def f(x, y):\n    with x:\n        time.sleep(0.05)\n        with y: pass\n"
        "t = threading.Thread(target=f, args=(a, b)); t.start(); f(b, a); t.join()",
    ),
    "lock of a file, twice": (  # nobody else is there: locks are not taken
        "ok",
        "import fcntl\na, b = open('f', 'w'), open('f', 'w')\n"
        "fcntl.flock(a, 2); fcntl.flock(b, 2)",
    ),
    "its own pipe": ("timeout", "import os\nr, w = os.pipe(); os.read(r, 1)"),
    "a full pipe": ("timeout", "import os\nr, w = os.pipe()\nwhile True: os.write(w, bytes(4096))"),
    "a named pipe": ("exception", "import os\nos.mkfifo('p'); open('p')"),
    "the pipe of answers": ("timeout", "import os\nos.read(4, 1)"),
    "standard input": ("exception", "while True: input()"),
    "select": ("timeout", "import select\nselect.select([], [], [])"),
    "poll": ("timeout", "import select\nselect.poll().poll()"),
    "C's sleep": ("timeout", "import ctypes\nctypes.CDLL(None).sleep(99)"),
    "C's sleep with the lock held": ("timeout", "import ctypes\nctypes.PyDLL(None).sleep(99)"),
    "long C call": ("timeout", "sum(range(10**12))"),
    "at exit": ("ok timeout", "import atexit, time\natexit.register(time.sleep, 99)"),
    "finaliser": (
        "ok timeout",
        "import time\nclass A:\n    def __del__(self): time.sleep(99)\nx = A(); y = [x]; y.append(y)",
    ),
    "weak finaliser": (
        "ok timeout",
        "import time, weakref\nclass A: pass\nx = A(); weakref.finalize(x, time.sleep, 99)",
    ),
    "exception that never prints": (
        "timeout",
        "class E(Exception):\n    def __str__(self):\n        while True: pass\nraise E",
    ),
    "exception whose type has no name": (
        "exception timeout",
        "class M(type):\n    def __getattribute__(self, n):\n        raise SystemExit\n"
        "class E(Exception, metaclass=M): pass\nraise E",
    ),
    "thread that outlives": (
        "timeout", "import threading\nthreading.Thread(target=threading.Event().wait).start()"
    ),
    "thread that nobody waits for": (
        "ok",
        "import threading\nthreading.Thread(target=threading.Event().wait, daemon=True).start()",
    ),
    "end that never comes": (
        "timeout", "import atexit, time\natexit.register(time.sleep, 99)"
    ),
    "main thread leaves": (
        "timeout",
        "import ctypes, threading, time\nthreading.Thread(target=time.sleep, args=(99,)).start()\n"
        "ctypes.CDLL(None).pthread_exit(None)",
    ),
    "hundreds of threads": (
        "timeout exception",
        "import threading, time\nthreading.stack_size(1 << 16)\nx = []\nfor _ in range(300):\n"
        "    x.append(threading.Thread(target=time.sleep, args=(99,))); x[-1].start()\n"
        "[t.join() for t in x]",
    ),
    "threads that compute in C": (
        "timeout exception",
        "import hashlib, threading\nthreading.stack_size(1 << 16)\n"
        "def f(): hashlib.pbkdf2_hmac('sha256', b'', b'', 10**8)\n"
        "for _ in range(40): threading.Thread(target=f).start()\nf()",
    ),
    "trace": (
        "timeout", "import sys\ndef t(*a):\n    while True: pass\nsys.settrace(t)\ndef f(): pass\nf()"
    ),
    "import": (
        "timeout",
        "import sys\nclass F:\n    def find_spec(self, *a):\n        while True: pass\n"
        "sys.meta_path.insert(0, F())\nimport nothing",
    ),
    "processor limit": (
        "timeout",
        "import resource as r, signal\nsignal.signal(signal.SIGXCPU, signal.SIG_IGN)\n"
        "r.setrlimit(r.RLIMIT_CPU, (1, r.getrlimit(r.RLIMIT_CPU)[1]))\n" + _LOOP,
    ),
    "crash": ("killed", "import ctypes\nctypes.string_at(0)"),
    "abort": ("killed", "import os\nos.abort()"),
    "kill itself": ("killed", "import os\nos.kill(os.getpid(), 9)"),
}  # fmt: skip

GREEDY = {"memory": MEMORY, "disk": DISK, "floods": FLOODS, "hangs": HANGS}
