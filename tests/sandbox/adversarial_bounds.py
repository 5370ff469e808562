"""More programs that attack: the kernel's odder doors, and what no limit of a process counts.

In the form of `adversarial`, whose names the bodies use. All are harmless where the walls fail.
"""

# ruff: noqa: E501 (the programs read worse when they are wrapped)
from __future__ import annotations

# Begin a thread by hand with these flags, and say whether the kernel would have it. Its stack is a
# page of its own, its only code to end itself.
_THREAD = """
keep_if(os.uname().machine != "x86_64")
import mmap
page, stack = mmap.mmap(-1, 4096, 34, 7), mmap.mmap(-1, 1 << 16, 34)
at = lambda m: ctypes.addressof(ctypes.c_char.from_buffer(m))
top = at(stack) + (1 << 15)
# mov r10, rcx; mov eax, 56; syscall; test eax, eax; jnz +7; mov eax, 60; syscall; ret
page.write(bytes.fromhex("4989cab8380000000f0585c07507b83c0000000f05c3"))
begin = ctypes.CFUNCTYPE(ctypes.c_long, *[ctypes.c_long] * 5)(at(page))
got = begin({flags}, top, top + 64, top + 128, top + 4096)
keep_if(got < 0)
"""
_OF_LIBRARY = "fd = os.open(os.__file__, os.O_RDONLY)\n"
_WRITE = "open('/proc/{}', 'w').write('{}')"
_EVERY_LIMIT = """
import resource as r
raised = []
for name in ("CPU", "STACK", "MEMLOCK", "SIGPENDING", "MSGQUEUE", "NICE", "RTPRIO", "CORE"):
    which = getattr(r, "RLIMIT_" + name)
    hard = r.getrlimit(which)[1]
    for new in ((hard, hard + 1), (hard, r.RLIM_INFINITY)):
        try: r.prlimit({}, which, new)
        except (OSError, ValueError): continue
        raised.append(name)
keep_if(not raised)
"""

# Ways of asking for a process, or for a thread that is more than one.
DOORS = {
    "a thread with descriptors of its own": _THREAD.format(flags="0x3d0b00"),
    "a thread with a folder of its own": _THREAD.format(flags="0x3d0d00"),
    "a thread in a namespace of its own": _THREAD.format(flags="0x3d0f00 | 0x04000000"),
    "a thread with a descriptor for it": _THREAD.format(flags="0x3d0f00 | 0x1000"),
    "a thread that its tracer's tracer traces": _THREAD.format(flags="0x3d0f00 | 0x2000"),
    "a thread that nobody may trace": _THREAD.format(flags="0x3d0f00 | 0x800000"),
    "a thread that the caller waits for": _THREAD.format(flags="0x3d0f00 | 0x4000"),
    "a thread that ends with a signal": _THREAD.format(flags="0x3d0f00 | 17"),
    "fork, with more above the number": """
keep_if(os.uname().machine != "x86_64")
import mmap
page = mmap.mmap(-1, 4096, 34, 7)
page.write(bytes.fromhex("48b83900000001000000" "0f05c3"))  # mov rax, 1 << 32 | 57; syscall; ret
got = ctypes.CFUNCTYPE(ctypes.c_int)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()
keep_if(got < 0)
ends(got)
""",
    "fork from 32-bit code": """
keep_if(os.uname().machine != "x86_64")
c.mmap.restype, c.mmap.argtypes = ctypes.c_long, [ctypes.c_long] * 6
page = c.mmap(0x20000000, 4096, 7, 0x22, -1, 0)
keep_if(not 0 < page < 1 << 31)
# push 0x23; push page + 16; retfq; at 16: mov eax, 2; int 0x80; jmp 0x33:page + 32; at 32: ret
code = bytes.fromhex("6a2368") + struct.pack("<I", page + 16) + bytes.fromhex("48cb")
code = code.ljust(16, b"\\x90") + bytes.fromhex("b802000000cd80ea") + struct.pack("<IH", page + 32, 0x33)
ctypes.memmove(page, code.ljust(32, b"\\x90") + b"\\xc3", 33)
ends(done(ctypes.CFUNCTYPE(ctypes.c_int)(page)()))
""",
    "fork from another thread's machine code": """
keep_if(os.uname().machine != "x86_64")
import mmap, threading
page = mmap.mmap(-1, 4096, 34, 7)
page.write(bytes.fromhex("b8390000000f05c3"))
where, got = ctypes.addressof(ctypes.c_char.from_buffer(page)), []
def run():
    pid = ctypes.CFUNCTYPE(ctypes.c_int)(where)()
    if pid == 0: os._exit(0)
    got.append(pid)
thread = threading.Thread(target=run); thread.start(); thread.join()
keep_if(got[0] < 0)
""",
    "a ring is entered": "call((426, 426), 0, 1, 0, 0, 0, 0)",
    "a ring is registered": "call((427, 427), 0, 0, 0, 0)",
    "the device of page faults": "os.open('/dev/userfaultfd', os.O_RDWR)",
    "a filter of its own, by the newer call": """
allow = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7FFF0000))
call((317, 277), 1, 0, struct.pack("HxxxxxxQ", 1, ctypes.addressof(allow)))
""",
    "a listener of its own": """
ask = ctypes.create_string_buffer(struct.pack("HBBI", 6, 0, 0, 0x7FFF0000))
call((317, 277), 1, 8, struct.pack("HxxxxxxQ", 1, ctypes.addressof(ask)))
""",
    "segments of its own": "keep_if(os.uname().machine != 'x86_64')\ncall((154, -1), 0, bytes(16), 16)",
    "features of the processor": "keep_if(os.uname().machine != 'x86_64')\ncall((158, -1), 0x1012, 0)",
    "processes at the end of a pidfd": "call((438, 438), 0, 0, 0)",
    "a mark on a process that dies": "call((448, 448), 0, 0)",
    "interrupts of every processor": "call((324, 283), 2, 0)",
    "a deadline": "call((314, 274), 0, struct.pack('IIQiIQQQ', 48, 6, 0, 0, 0, 10**6, 10**7, 10**7), 0)",
    "a processor to itself": "os.sched_setaffinity(0, [0])",
}

_OPTION = "REFUSED.add(22)\ndone(c.prctl({}))"
OPTIONS = {
    "adopt orphans": _OPTION.format("36, 1, 0, 0, 0"),
    "be dumpable": _OPTION.format("4, 1, 0, 0, 0"),
    "let anybody trace it": _OPTION.format("0x59616D61, ctypes.c_ulong(-1), 0, 0, 0"),
    "share equal pages with all": _OPTION.format("67, 1, 0, 0, 0"),
    "calls to its own handler": _OPTION.format("59, 1, 0, 0, ctypes.byref(ctypes.c_char())"),
    "its map's fields": _OPTION.format("35, 1, 0x400000, 0, 0"),
    "secure bits": _OPTION.format("28, 0, 0, 0, 0"),
    "keep capabilities": _OPTION.format("8, 1, 0, 0, 0"),
    "slack of its timers": _OPTION.format("29, 1, 0, 0, 0"),
    "early death by bad memory": _OPTION.format("33, 1, 1, 0, 0"),
    "write back like a disk": _OPTION.format("57, 1, 0, 0, 0"),
    "no clock": _OPTION.format("26, 2, 0, 0, 0"),
    "every other limit": _EVERY_LIMIT.format("0"),
    "every other limit, by its number": _EVERY_LIMIT.format("os.getpid()"),
}

# What /proc has of the program itself, and /dev, where a mechanism does not hide them.
LEFTOVERS = {
    "own root": "open('/proc/self/root' + SECRET).read()",
    "own folder of the parent": "os.chdir(f'/proc/{PARENT}/cwd')",
    "own root of the parent": "os.chdir(f'/proc/{PARENT}/root')",
    "the parent's pipe": "os.open(f'/proc/{PARENT}/fd/1', os.O_WRONLY)",
    "the parent's pipe, read": "os.open(f'/proc/{PARENT}/fd/0', os.O_RDONLY | os.O_NONBLOCK)",
    "a thread's memory": "open('/proc/thread-self/mem', 'r+b')",
    "its executable": "open('/proc/self/exe', 'r+b')",
    "its life at the others' expense": _WRITE.format("self/oom_score_adj", "-500"),
    "its name": _WRITE.format("self/comm", "init"),
    "what a dump holds": _WRITE.format("self/coredump_filter", "ff"),
    "its pages' marks": _WRITE.format("self/clear_refs", "1"),
    "its groups": _WRITE.format("self/uid_map", "0 0 1"),
    "where dumps go": "os.open('/proc/sys/kernel/core_pattern', os.O_WRONLY)",
    "the magic key": "os.open('/proc/sysrq-trigger', os.O_WRONLY)",
    "its own namespace, entered": "call((308, 268), os.open('/proc/self/ns/user', os.O_RDONLY), 0)",
    "its namespace's parent": (
        "import fcntl\nfcntl.ioctl(os.open('/proc/self/ns/user', os.O_RDONLY), 0xB702)"
    ),
    "its namespace's owner": (
        "import fcntl\nfcntl.ioctl(os.open('/proc/self/ns/mnt', os.O_RDONLY), 0xB701)"
    ),
    "zeros without end": "open('/dev/zero', 'rb')",
    "a full disk": "open('/dev/full', 'wb')",
    "fuse": "os.open('/dev/fuse', os.O_RDWR)",
    "virtual machines": "os.open('/dev/kvm', os.O_RDWR)",
    "tunnels": "os.open('/dev/net/tun', os.O_RDWR)",
    "a loop": "os.open('/dev/loop-control', os.O_RDWR)",
    "the disks' free space": "os.statvfs(FOLDER)",
    "a file's attribute": "os.getxattr(SECRET, 'user.bait')",
    "a file's attributes": "os.listxattr(SECRET)",
    "a file's attribute, by the newest call": (
        "room = ctypes.create_string_buffer(64)\n"
        "call((464, 464), -100, SECRET.encode(), 0, b'user.bait', struct.pack('QII', ctypes.addressof(room), 64, 0), 16)"
    ),
    "a file's flags, by the newest call": "call((468, 468), -100, SECRET.encode(), bytes(32), 24, 0)",
    "where a link leads": "os.readlink('/proc/self/exe')",
    "where a link leads, by a descriptor": "os.readlink('exe', dir_fd=os.open('/proc/self', os.O_PATH))",
    "the mounts": "call((458, 458), struct.pack('IIQQ', 24, 0, 2**64 - 1, 0), ctypes.create_string_buffer(2048), 256, 0)",
    "a mount": "call((457, 457), struct.pack('IIQQ', 24, 0, 1, 3), ctypes.create_string_buffer(4096), 4096, 0)",
    "the walls' names": "call((461, 461), ctypes.create_string_buffer(64), ctypes.byref(ctypes.c_uint(64)), 0)",
    "quotas": "call((179, 60), 0x80000700, None, 0, bytes(64))",
}

_REQUEST = "import fcntl\nkept = []\nfor fd in {}:\n    try: fcntl.ioctl(fd, {})\n    except OSError: kept.append(fd)\nkeep_if(len(kept) == {})"
_OWN = "(0, 1, 2, 3, 4)", 5
DESCRIPTORS = {
    "type for the terminal": _REQUEST.format(_OWN[0], "0x5412, b'x'", 5),
    "type, with more above the request": """
for fd in range(5):
    if c.ioctl(fd, ctypes.c_ulong(1 << 32 | 0x5412), b"x") == 0: break
else: raise Kept
""",
    "signals of every descriptor": _REQUEST.format(_OWN[0], "0x5452, struct.pack('i', 1)", 5),
    "the kernel's entropy": _REQUEST.format("(os.open('/dev/urandom', 0),)", "0x5204", 1),
    "the library's version": _OF_LIBRARY + "import fcntl\nfcntl.ioctl(fd, 0x80087601, bytes(8))",
    "where the library lies": _OF_LIBRARY + "import fcntl\nfcntl.ioctl(fd, 0xC020660B, bytes(32))",
    "the library's disk": _OF_LIBRARY
    + "import fcntl\nfcntl.ioctl(fd, 0x81009431 - 2**32, bytes(256))",
    "a clone of the library": _OF_LIBRARY
    + "import fcntl\nfcntl.ioctl(os.open('f', 66), 0x40049409, fd)",
    "a lease on the library": _OF_LIBRARY + "import fcntl\nfcntl.fcntl(fd, 1024, fcntl.F_RDLCK)",
    "a lease, with more above the command": (
        _OF_LIBRARY
        + "keep_if(c.fcntl(fd, 1024, 0) < 0 and c.syscall(ctypes.c_long((72, 25)[os.uname().machine == 'aarch64']), fd, ctypes.c_long(1 << 32 | 1024), 0) < 0)"
    ),
    "changes in the library's folder": (
        "import fcntl\nfcntl.fcntl(os.open(os.path.dirname(os.__file__), 0), 1026, 1)"
    ),
    "a larger pipe": "import fcntl\nfcntl.fcntl(os.pipe()[1], 1031, 1 << 20)",
    "the pipe of its output, larger": "import fcntl\nfcntl.fcntl(1, 1031, 1 << 20)",
    "another signal for a descriptor": "import fcntl\nfcntl.fcntl(3, 10, 9)",
    "seals": "import fcntl\nfcntl.fcntl(0, 1033, 15)",
    "standard input, longer": "os.ftruncate(0, 1 << 20)",
    "pages of memory into a pipe": "call((278, 75), os.pipe()[1], struct.pack('QQ', id(None), 16), 1, 0)",
    "one pipe into another": "call((276, 77), os.pipe()[0], os.pipe()[1], 9, 0)",
    "a file into a pipe": _OF_LIBRARY + "call((275, 76), fd, None, os.pipe()[1], None, 9, 0)",
    "descriptors put away in a socket": """
import array, socket
a, b = socket.socketpair()
a.sendmsg([b"x"], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [0, 1, 2]))])
""",
    "descriptors put away, many messages": "import socket\na, b = socket.socketpair()\ncall((307, 269), a.fileno(), bytes(64), 1, 0)",
    "descriptors out of a socket": "import socket\na, b = socket.socketpair()\nb.send(b'x'); a.recvmsg(1, 64)",
    "a larger socket": "import socket\nsocket.socketpair()[0].setsockopt(1, 7, 1 << 24)",
    "a pair of packets": "import socket\nsocket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)",
    "a pair of another family": "import socket\nsocket.socketpair(30, socket.SOCK_STREAM)",
    "to a name that lies on a round address": """
import socket
c.mmap.restype, c.mmap.argtypes = ctypes.c_long, [ctypes.c_long] * 6
where = (ctypes.cast(c.getpid, ctypes.c_void_p).value >> 32) << 32  # its low half is 0
got = c.mmap(where, 4096, 3, 0x22, -1, 0)
if got != where: where = got
name = struct.pack("H", 1) + SOCKET.encode() + b"\\0"
ctypes.memmove(where, name, len(name))
call((44, 206), socket.socketpair()[0].fileno(), b"x", 1, 0, where, len(name))
""",
    "counters": "call((290, 19), 0, 0)",
    "signals as a descriptor": "call((289, 74), -1, bytes(8), 8, 0)",
    "timers as descriptors": "call((283, 85), 1, 0)",
    "timers of the machine": "call((222, 107), 1, None, bytes(8))",
    "requests of the machine": "call((206, 0), 1, ctypes.byref(ctypes.c_ulong()))",
    "watches of the machine": "call((294, 26), 0)\n",
}

# 34 is what `mmap` calls private and anonymous.
_MAP = "c.mmap.restype, c.mmap.argtypes = ctypes.c_long, [ctypes.c_long] * 6\n"
ADDRESSES = {
    "far from all": _MAP + "done(c.mmap(1 << 44, 4096, 3, 0x22, -1, 0))",
    "far from all, exactly": _MAP + "done(c.mmap(1 << 44, 4096, 3, 0x32, -1, 0))",
    "far from all, if free": _MAP + "done(c.mmap(3 << 43, 4096, 3, 0x100022, -1, 0))",
    "beyond 47 bits": _MAP + "REFUSED.add(12)\ndone(c.mmap(1 << 50, 4096, 3, 0x32, -1, 0))",
    "moved to a place of its choice": """
c.mmap.restype = c.mremap.restype = ctypes.c_long
c.mmap.argtypes, c.mremap.argtypes = [ctypes.c_long] * 6, [ctypes.c_long] * 5
REFUSED.add(22)
done(c.mremap(c.mmap(0, 4096, 3, 0x22, -1, 0), 4096, 4096, 3, 1 << 44))
""",
    "moved, and kept": """
c.mmap.restype = c.mremap.restype = ctypes.c_long
c.mmap.argtypes, c.mremap.argtypes = [ctypes.c_long] * 6, [ctypes.c_long] * 5
REFUSED.add(22)
done(c.mremap(c.mmap(0, 4096, 3, 0x22, -1, 0), 4096, 4096, 5, 0))
""",
    "huge pages": _MAP + "REFUSED.add(12)\ndone(c.mmap(0, 1 << 21, 3, 0x40022, -1, 0))",
    "growing down": _MAP + "done(c.mmap(0, 4096, 3, 0x122, -1, 0))",
    "locked": _MAP + "REFUSED.add(11)\ndone(c.mmap(0, 4096, 3, 0x2022, -1, 0))",
    "locked later": "REFUSED.add(12)\ncall((149, 228), id(None) & -4096, 4096)",
    "locked at the first touch": "REFUSED.add(12)\ncall((325, 284), id(None) & -4096, 4096, 1)",
    "poisoned": _MAP
    + "REFUSED.add(22)\ndone(c.madvise(ctypes.c_long(c.mmap(0, 4096, 3, 0x22, -1, 0)), ctypes.c_long(4096), 101))",
    "merged with equal ones": _MAP
    + "REFUSED.add(22)\ndone(c.madvise(ctypes.c_long(c.mmap(0, 4096, 3, 0x22, -1, 0)), ctypes.c_long(4096), 12))",
    "holes in what is mapped": _MAP
    + """
REFUSED.add(22)
fd = os.open("f", 66); os.ftruncate(fd, 4096)
done(c.madvise(ctypes.c_long(done(c.mmap(0, 4096, 3, 1, fd, 0))), ctypes.c_long(4096), 9))
""",
    "another order of a file's pages": "call((216, 234), 0, 0, 0, 0, 0)",
    "on another node": "call((237, 235), 0, 0, 0, None, 0, 0)",
    "a policy for memory": "call((238, 237), 0, None, 0)",
    "keys of pages": "call((330, 289), 0, 0)",
    "advice about another's": "call((440, 440), 0, None, 0, 4, 0)",
    "sealed for ever": "call((462, 462), 0, 0, 0)",
    "what is in the machine's cache": "call((451, 451), 0, bytes(16), bytes(40), 0)",
    "cached before it is read": "call((187, 213), 0, 0, 4096)",
    "dropped from the cache": "call((221, 223), 0, 0, 0, 4)",
    "written out now": "call((277, 84), os.open('f', 66), 0, 0, 7)",
}

ESCAPES = {
    "doors": DOORS,
    "options": OPTIONS,
    "leftovers": LEFTOVERS,
    "descriptors": DESCRIPTORS,
    "addresses": ADDRESSES,
}

# MiB here is 256 of memory and 4 of scratch; time is half a second; output 100 kB.
_STACKS = "import ctypes, os, sys, threading, time\nthreading.stack_size(1 << 16)\nc = ctypes.CDLL(None, use_errno=True)\n"
THREADS = {
    "that begin again and again": (
        "timeout",
        _STACKS + "import _thread\nlock = _thread.allocate_lock(); lock.acquire()\n"
        "try:\n    while True: _thread.start_new_thread(lock.acquire, ())\n"
        "except RuntimeError: pass\n"
        "while True:\n    try: _thread.start_new_thread(int, ())\n    except RuntimeError: pass",
    ),
    "that end as fast as they begin": (
        "timeout",
        _STACKS + "t = ctypes.c_ulong()\nwhile True:\n"
        "    if c.pthread_create(ctypes.byref(t), None, c.sched_yield, None) == 0: c.pthread_detach(t)",
    ),
    "under a storm of alarms": (
        "timeout",
        _STACKS + "import signal\nsignal.signal(14, lambda *a: None)\n"
        "signal.setitimer(signal.ITIMER_REAL, 1e-4, 1e-4)\nt = ctypes.c_ulong()\nwhile True:\n"
        "    if c.pthread_create(ctypes.byref(t), None, c.sched_yield, None) == 0: c.pthread_detach(t)",
    ),
    "asked for as it is killed": (
        "killed timeout",
        _STACKS + "def f():\n    t = ctypes.c_ulong()\n    while True:\n"
        "        if c.pthread_create(ctypes.byref(t), None, c.sched_yield, None) == 0: c.pthread_detach(t)\n"
        "for _ in range(20): threading.Thread(target=f).start()\ntime.sleep(0.1); os.kill(0, 9)",
    ),
    "that all end the process": (
        "ok exception",
        _STACKS + "go = threading.Barrier(33)\ndef f():\n    go.wait(); os._exit(0)\n"
        "for _ in range(32): threading.Thread(target=f).start()\ngo.wait(); os._exit(0)",
    ),
    "of which the first ends, and which begin others": (
        "timeout",
        _STACKS + "def f():\n    while True:\n        try: threading.Thread(target=int).start()\n"
        "        except RuntimeError: pass\nthreading.Thread(target=f).start()\nc.pthread_exit(None)",
    ),
    "of which all end": (
        "ok exception timeout",  # Python's lock may go with one
        _STACKS + "n = {'x86_64': 60, 'aarch64': 93}[os.uname().machine]\n"
        "for _ in range(8): threading.Thread(target=time.sleep, args=(0.1,)).start()\nc.syscall(n, 0)",
    ),
    "that end while they stop": (
        "timeout",
        _STACKS + "import signal\ndef f(): time.sleep(0.02)\n"
        "for _ in range(40): threading.Thread(target=f).start()\nos.kill(os.getpid(), signal.SIGSTOP)",
    ),
    "that wake each other": (
        "timeout",
        _STACKS + "import select\nr, w = os.pipe()\nos.write(w, b'x')\ndef f():\n"
        "    e = select.epoll(); e.register(r, select.EPOLLIN)\n    while True: e.poll()\n"
        "for _ in range(20): threading.Thread(target=f).start()\nf()",
    ),
    "with a loop of robust locks": (
        "timeout killed",
        _STACKS + "head = (ctypes.c_ulong * 3)(); head[0] = ctypes.addressof(head)\n"
        "n = {'x86_64': 273, 'aarch64': 99}[os.uname().machine]\n"
        "def f(): c.syscall(n, head, 24)\n"
        "while True:\n    t = threading.Thread(target=f); t.start(); t.join()",
    ),
}
SIGNALS = {
    "pending without end": (
        "timeout",
        "import os, signal\nsignal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())\n"
        "while True:\n    for s in range(34, 65):\n        try: os.kill(os.getpid(), s)\n"
        "        except OSError: pass",
    ),
    "handled without end": (
        "timeout killed exception",
        "import os, signal\ndef f(*a): os.kill(os.getpid(), 10)\nsignal.signal(10, f)\n"
        "f()\nwhile True: pass",
    ),
    "handled on a bad stack": (
        "killed",
        "import ctypes, os, struct\nc = ctypes.CDLL(None)\n"
        "c.sigaltstack(struct.pack('QiiQ', 4096, 0, 0, 1 << 16), None)\n"
        "import faulthandler; faulthandler.enable(); faulthandler._sigsegv()",
    ),
    "a forged return": (
        "killed",
        "import ctypes, os\nn = {'x86_64': 15, 'aarch64': 139}[os.uname().machine]\n"
        "ctypes.CDLL(None).syscall(n)",
    ),
    "three timers at once": (
        "timeout killed",
        "import signal\nfor s in (14, 26, 27): signal.signal(s, lambda *a: None)\n"
        "for which in (0, 1, 2): signal.setitimer(which, 1e-6, 1e-6)\nwhile True: pass",
    ),
    "a crash in a crash's handler": (
        "killed timeout",
        "import ctypes, signal\nsignal.signal(11, lambda *a: ctypes.string_at(0))\nctypes.string_at(0)",
    ),
    "ends its group as it is told to stop": (
        "killed timeout",
        "import os, signal\nos.kill(0, signal.SIGTSTP); os.kill(0, signal.SIGKILL)",
    ),
}
_FRAME = "import json, os, struct, threading, time\ndef send(b):\n    os.write(3, struct.pack('>I', len(b)) + b)\n"
PIPES = {
    "bytes one at a time": ("output timeout", "import os\nwhile True: os.write(1, b'x')"),
    "messages' bytes one at a time": ("timeout output exception", "import os\nwhile True: os.write(3, b'\\1')"),
    "answers that were not asked": ("ok exception", _FRAME + "for _ in range(999): send(b'{\"values\": []}')"),
    "values that were not asked": ("ok exception output", _FRAME + "for _ in range(5): send(b'{\"values\": [' + b'1,' * 9999 + b'1]}')"),
    "values as text": ("ok exception", _FRAME + "send(json.dumps({'values': 'x' * 9999}).encode())"),
    "the server's own words": (
        "exception ok",
        _FRAME + "for word in (b'!', b'L', b'S', b'M', b'E{\"status\": \"ok\"}', b'R{}', b'P{}'): send(word)",
    ),
    "no number": ("ok exception", _FRAME + "send(b'{\"values\": [NaN, Infinity, 1e999, -0]}')"),
    "names twice": ("ok exception", _FRAME + "send(b'{\"end\": \"ok\", \"end\": \"failed\", \"detail\": 1, \"detail\": []}')"),
    "a detail that nests": ("ok exception", _FRAME + "send(b'{\"end\": \"ok\", \"detail\": ' + b'[' * 900 + b']' * 900 + b'}')"),
    "one pipe closed, the other flooded": ("output", "import os\nos.close(3)\nwhile True: os.write(1, bytes(4096))"),
    "all closed but answers": ("timeout", "import os, time\nos.closerange(0, 4); time.sleep(9)"),
    "closed by turns": (
        "timeout", "import os, time\nfor fd in (4, 1, 3, 0, 2): os.close(fd); time.sleep(0.01)\ntime.sleep(9)"
    ),
    "closed as they are written": (
        "ok exception output killed timeout",
        _FRAME + "def f():\n    while True:\n        try: os.write(3, bytes(4000)); os.write(1, bytes(4000))\n"
        "        except OSError: return\n"
        "t = [threading.Thread(target=f) for _ in range(4)]\n[x.start() for x in t]\n"
        "os.closerange(0, 5); [x.join() for x in t]",
    ),
    "all made the same": (
        "ok exception output", "import os\nfor fd in (0, 2, 4): os.dup2(3, fd)\nos.dup2(3, 1); print('x' * 99)"
    ),
    "packets": (
        "timeout output exception",
        "import fcntl, os\nfor fd in (1, 3): fcntl.fcntl(fd, 4, os.O_DIRECT | os.O_NONBLOCK | os.O_ASYNC)\n"
        "while True:\n    try: os.write(1, b'x')\n    except OSError: pass",
    ),
    "randomness without end": ("timeout", "import os\nf = open('/dev/urandom', 'rb', 0)\nb = bytearray(1 << 26)\nwhile True: f.readinto(b)"),
    "randomness into nothing": (
        "timeout",
        "import os\nr, w = os.open('/dev/urandom', 0), os.open('/dev/null', 1)\nwhile True: os.sendfile(w, r, None, 1 << 30)",
    ),
    "a nest of polls": (
        "ok",
        "import select\nlast = select.epoll()\nheld = [last]\nfor _ in range(20):\n"
        "    e = select.epoll()\n    try: e.register(last, select.EPOLLIN)\n    except OSError: pass\n    held.append(e); last = e",
    ),
    "polls that watch each other": (
        "ok",
        "import select\nall = [select.epoll() for _ in range(20)]\nfor a in all:\n    for b in all:\n"
        "        try: a.register(b, select.EPOLLIN)\n        except OSError: pass",
    ),
}  # fmt: skip
FILES = {
    "moved in a circle": (
        "timeout exception", "import os\nopen('a', 'w').close()\nwhile True: os.rename('a', 'b'); os.rename('b', 'a')"
    ),
    "traded and whitened": (
        "ok",
        "import ctypes, os\nc = ctypes.CDLL(None)\nfor n in 'ab': open(n, 'w').close()\n"
        "n = {'x86_64': 316, 'aarch64': 276}[os.uname().machine]\n"
        "for flag in (1, 2, 4, 6): c.syscall(n, -100, b'a', -100, b'b', flag)",
    ),
    "cut and grown again": (
        "timeout output",
        "import os\nfd = os.open('f', 66)\nb = bytes(1 << 19)\nwhile True: os.pwrite(fd, b, 0); os.ftruncate(fd, 0); os.ftruncate(fd, 1 << 19)",
    ),
    "long links": ("exception output timeout", "import os\nfor i in range(2000): os.symlink('x' * 4000, f'l{i}')"),
    "long names": ("exception output timeout", "i = 0\nwhile True:\n    open(f'{i:0>250}', 'w').close(); i += 1"),
    "many names that are not there": (
        "timeout", "import os\nlib, i = os.path.dirname(os.__file__), 0\nwhile True: os.access(f'{lib}/{i:0>200}', 0); i += 1"
    ),
    "written by a map": (
        "output",
        "import mmap, os, time\nheld = []\nfor i in range(12):\n    fd = os.open(f'f{i}', 66); os.ftruncate(fd, 1 << 20)\n"
        "    m = mmap.mmap(fd, 1 << 20); m.write(b'x' * (1 << 20)); held.append(m); os.close(fd)\ntime.sleep(9)",
    ),
    "mapped, then removed": (
        "output exception",
        "import mmap, os, time\nheld = []\nfor i in range(40):\n    fd = os.open('f', 66); os.unlink('f')\n"
        "    os.ftruncate(fd, 1 << 20); m = mmap.mmap(fd, 1 << 20); m.write(b'x' * (1 << 20))\n    held.append(m); os.close(fd)\ntime.sleep(9)",
    ),
    "allocated, removed, one page mapped": (
        "output exception",
        "import ctypes, mmap, os, time\nc = ctypes.CDLL(None); c.mmap.restype = ctypes.c_void_p\n"
        "for i in range(40):\n    fd = os.open('f', 66, 0o600); os.unlink('f'); os.posix_fallocate(fd, 0, 1 << 20)\n"
        "    c.mmap(None, ctypes.c_size_t(4096), 1, 1, fd, ctypes.c_long(0)); os.close(fd)\ntime.sleep(9)",
    ),
    "allocated beyond their end": (
        "exception output",
        "import ctypes, os, time\nc = ctypes.CDLL(None, use_errno=True)\nn = {'x86_64': 285, 'aarch64': 47}[os.uname().machine]\n"
        "for i in range(9):\n    if c.syscall(n, os.open(f'f{i}', 66), 1, ctypes.c_long(0), ctypes.c_long(1 << 20)) < 0: raise OSError\ntime.sleep(9)",
    ),
    "behind a name that cannot be read": (
        "output",
        "import os, time\nos.umask(0o777); os.mkdir('d'); os.umask(0)\nb = bytes(1 << 20)\n"
        "for i in range(9): open(f'f{i}', 'wb', 0).write(b)\ntime.sleep(9)",
    ),
    "for ever by one call": (
        "timeout output exception",
        "import os\na, b = os.open('a', 66), os.open('b', 66)\nos.write(a, bytes(1 << 20))\n"
        "while True: os.lseek(b, 0, 0); os.sendfile(b, a, 0, 1 << 40)",
    ),
}  # fmt: skip
TABLES = {
    "a page here and a page there": (
        "ok memory exception timeout",
        "import ctypes\nc = ctypes.CDLL(None); c.mmap.restype = ctypes.c_long\nc.mmap.argtypes = [ctypes.c_long] * 6\n"
        "gap = 2 << 20\nwhile True:\n    at = c.mmap(0, gap + 4096, 1, 0x22, -1, 0)\n    if at < 0: break\n"
        "    ctypes.c_char.from_address(at).value; c.munmap(ctypes.c_long(at + 4096), ctypes.c_long(gap)); gap += 4096",
    ),
    "as many maps as may be": (
        "ok exception memory timeout",
        "import ctypes\nc = ctypes.CDLL(None); c.mmap.restype = ctypes.c_long\nc.mmap.argtypes = [ctypes.c_long] * 6\n"
        "at = c.mmap(0, 128 << 20, 0, 0x22, -1, 0)\n"
        "for i in range(0, 128 << 20, 8192): c.mprotect(ctypes.c_long(at + i), ctypes.c_long(4096), 1)",
    ),
    "a map of a map": (
        "ok exception memory",
        "import ctypes\nc = ctypes.CDLL(None); c.mmap.restype = c.mremap.restype = ctypes.c_long\n"
        "c.mmap.argtypes, c.mremap.argtypes = [ctypes.c_long] * 6, [ctypes.c_long] * 5\n"
        "import os\nfd = os.open('f', 66); os.ftruncate(fd, 1 << 20)\n"
        "at = c.mmap(0, 1 << 20, 3, 1, fd, 0)\nfor _ in range(999): c.mremap(at, 0, 1 << 20, 1, 0)",
    ),
    "the stack of the first thread": (
        "killed memory exception",
        "import ctypes, mmap\nif __import__('os').uname().machine != 'x86_64': raise OSError\n"
        "page = mmap.mmap(-1, 4096, 34, 7); page.write(bytes.fromhex('50ebfd'))  # push rax, for ever\n"
        "ctypes.CFUNCTYPE(None)(ctypes.addressof(ctypes.c_char.from_buffer(page)))()",
    ),
    "flushed from every processor": (
        "timeout",
        _STACKS + "m = __import__('mmap').mmap(-1, 1 << 20, 34)\ndef f():\n"
        "    for _ in iter(int, 1): m.madvise(4); m[0] = 1\n"
        "for _ in range(8): threading.Thread(target=f).start()\nf()",
    ),
}  # fmt: skip

GREEDY = {
    "threads": THREADS,
    "signals in number": SIGNALS,
    "pipes": PIPES,
    "files": FILES,
    "tables": TABLES,
}
