"""What a program may ask of the kernel. Everything that is not here is refused.

Made by recording what the standard library's own tests and the reference solutions of public
code sets call (`benchmarks/default_deny.py` does it again). A name is followed by its number on
x86_64 and on aarch64, which has the newer calls only (None: it is not there), and by who needs it.
"""

from __future__ import annotations

from dataclasses import dataclass
from errno import EACCES, EINVAL, ENOENT, ENOSYS, ENOTTY, EOPNOTSUPP, EPERM

Numbers = tuple[int | None, int | None]  # on x86_64, on aarch64

# Whatever the arguments.
ALLOWED: dict[str, Numbers] = {
    # Memory of its own.
    "munmap": (11, 215),  # give memory back
    "mprotect": (10, 226),  # the dynamic linker; ctypes
    "brk": (12, 214),  # malloc's heap
    "msync": (26, 227),  # mmap.flush
    # Files: which ones, Landlock or the mount namespace says.
    "read": (0, 63),  # files, pipes, standard input
    "write": (1, 64),  # files, standard output, messages
    "pread64": (17, 67),  # os.pread; the dynamic linker
    "pwrite64": (18, 68),  # os.pwrite; sqlite3
    "readv": (19, 65),  # os.readv
    "writev": (20, 66),  # os.writev
    "preadv": (295, 69),  # os.preadv
    "pwritev": (296, 70),  # os.pwritev
    "preadv2": (327, 286),  # os.preadv with flags
    "pwritev2": (328, 287),  # os.pwritev with flags
    "lseek": (8, 62),  # seek, tell
    "close": (3, 57),  # close
    "stat": (4, None),  # import, os.stat
    "lstat": (6, None),  # os.lstat
    "fstat": (5, 80),  # open, os.fstat
    "newfstatat": (262, 79),  # import, os.stat on newer C libraries
    "statx": (332, 291),  # stat on the newest C libraries
    "access": (21, None),  # os.access
    "faccessat": (269, 48),  # os.access
    "faccessat2": (439, 439),  # os.access on newer C libraries
    "getdents": (78, None),  # os.listdir on older C libraries
    "getdents64": (217, 61),  # import, os.listdir
    "getcwd": (79, 17),  # os.getcwd
    "chdir": (80, 49),  # os.chdir
    "fchdir": (81, 50),  # os.chdir to a descriptor
    "mkdir": (83, None),  # os.mkdir, tempfile
    "mkdirat": (258, 34),  # os.mkdir
    "symlink": (88, None),  # os.symlink; to read through one, Landlock has to allow it
    "symlinkat": (266, 36),  # os.symlink
    "link": (86, None),  # os.link within the scratch directory
    "linkat": (265, 37),  # os.link
    "truncate": (76, 45),  # os.truncate
    "ftruncate": (77, 46),  # file.truncate
    "umask": (95, 166),  # os.umask; tempfile, dbm
    "dup": (32, 23),  # os.dup
    "dup2": (33, None),  # os.dup2
    "dup3": (292, 24),  # os.dup2 that is not inherited
    "pipe": (22, None),  # os.pipe on older C libraries
    "pipe2": (293, 59),  # os.pipe, asyncio
    "sendfile": (40, 71),  # shutil.copyfile
    # Waiting for descriptors: selectors, asyncio.
    "poll": (7, None),  # selectors
    "ppoll": (271, 73),  # selectors
    "select": (23, None),  # select.select, time.sleep of old
    "pselect6": (270, 72),  # select.select
    "epoll_create": (213, None),  # select.epoll
    "epoll_create1": (291, 20),  # asyncio
    "epoll_ctl": (233, 21),  # asyncio
    "epoll_wait": (232, None),  # asyncio
    "epoll_pwait": (281, 22),  # asyncio
    "epoll_pwait2": (441, 441),  # asyncio on newer C libraries
    # Time.
    "time": (201, None),  # time.time on older C libraries
    "gettimeofday": (96, 169),  # time.time
    "clock_gettime": (228, 113),  # time
    "clock_getres": (229, 114),  # time.get_clock_info
    "nanosleep": (35, 101),  # time.sleep on older C libraries
    "clock_nanosleep": (230, 115),  # time.sleep
    "times": (100, 153),  # os.times
    "getrusage": (98, 165),  # resource.getrusage, time.process_time
    "alarm": (37, None),  # signal.alarm
    "getitimer": (36, 102),  # signal.getitimer
    "setitimer": (38, 103),  # signal.setitimer: three timers of the process itself
    # Signals to itself.
    "rt_sigaction": (13, 134),  # signal.signal
    "rt_sigprocmask": (14, 135),  # threads, signal.pthread_sigmask
    "rt_sigpending": (127, 136),  # signal.sigpending
    "rt_sigtimedwait": (128, 137),  # signal.sigwait
    "rt_sigsuspend": (130, 133),  # signal.pause on aarch64
    "rt_sigreturn": (15, 139),  # the end of every signal handler
    "sigaltstack": (131, 132),  # faulthandler
    "pause": (34, None),  # signal.pause
    "restart_syscall": (219, 128),  # a sleep that a signal interrupted
    # Threads: to begin and to end one, see CHECKED and `threads`.
    "futex": (202, 98),  # locks
    "set_robust_list": (273, 99),  # the C library, in every new thread
    "rseq": (334, 293),  # the C library, in every new thread
    "sched_yield": (24, 124),  # os.sched_yield
    "exit": (60, 93),  # the end of a thread
    "exit_group": (231, 94),  # the end of the process
    "wait4": (61, 260),  # os.waitpid: says that there are no children
    "waitid": (247, 95),  # os.waitid: says that there are no children
    # What it is, and what it runs on.
    "getpid": (39, 172),  # os.getpid
    "getppid": (110, 173),  # os.getppid
    "gettid": (186, 178),  # threading.get_native_id
    "getpgrp": (111, None),  # os.getpgrp
    "getuid": (102, 174),  # os.getuid
    "geteuid": (107, 175),  # os.geteuid
    "getgid": (104, 176),  # os.getgid
    "getegid": (108, 177),  # os.getegid
    "getresuid": (118, 148),  # os.getresuid
    "getresgid": (120, 150),  # os.getresgid
    "uname": (63, 160),  # platform
    "sysinfo": (99, 179),  # os.sysconf: memory
    "getcpu": (309, 168),  # the C library
    "getrandom": (318, 278),  # os.urandom, hashing
    "getrlimit": (97, 163),  # resource.getrlimit
    "setrlimit": (160, 164),  # resource.setrlimit: down, or what it is
    # The socket pair by which asyncio wakes itself: see CHECKED for how it is made.
    "recvfrom": (45, 207),  # socket.recv
    "shutdown": (48, 210),  # socket.shutdown
    "getsockname": (51, 204),  # socket.getsockname
    "getpeername": (52, 205),  # socket.getpeername
    "getsockopt": (55, 209),  # socket.getsockopt
}

# Not done, and said to have worked.
IGNORED: dict[str, Numbers] = {
    # A file's attributes. Landlock does not cover these, so that every file of the user would be in
    # reach; and a program that copies a file or makes one executable shall not fail for it.
    "chmod": (90, None),  # os.chmod
    "fchmod": (91, 52),  # os.chmod, tempfile
    "fchmodat": (268, 53),  # os.chmod
    "fchmodat2": (452, 452),  # os.chmod on newer C libraries
    "chown": (92, None),  # os.chown
    "fchown": (93, 55),  # os.fchown
    "lchown": (94, None),  # os.lchown
    "fchownat": (260, 54),  # os.chown
    "utime": (132, None),  # os.utime
    "utimes": (235, None),  # os.utime
    "futimesat": (261, None),  # os.utime
    "setxattr": (188, 5),  # shutil.copystat
    "lsetxattr": (189, 6),  # shutil.copystat
    "fsetxattr": (190, 7),  # shutil.copystat
    "removexattr": (197, 14),  # os.removexattr
    "lremovexattr": (198, 15),  # os.removexattr
    "fremovexattr": (199, 16),  # os.removexattr
    # What the scratch directory holds does not survive the program; the disk is everybody's.
    "fsync": (74, 82),  # os.fsync, sqlite3
    "fdatasync": (75, 83),  # os.fdatasync, sqlite3
    "sync": (162, 81),  # os.sync
    "syncfs": (306, 267),  # sync of one file system
    # Nobody else is there to be kept off; others may not be kept off the library's files.
    "flock": (73, 32),  # fcntl.flock
}

# Refused with the error number that their callers know what to do about.
REFUSED: dict[int, dict[str, Numbers]] = {
    EOPNOTSUPP: {
        "listxattr": (194, 11),  # shutil.copystat; of files outside they tell what is theirs
        "llistxattr": (195, 12),
        "flistxattr": (196, 13),
        "getxattr": (191, 8),
        "lgetxattr": (192, 9),
        "fgetxattr": (193, 10),
    },
    EACCES: {
        "readlink": (89, None),  # os.readlink: a link's target may be a secret
        "readlinkat": (267, 78),
    },
}

# Where the scratch directory has no size of its own, what is removed would still take its disk
# as long as it is open or mapped, and nobody could count it. There nothing is removed before the
# program has ended, nothing renamed, which removes what had the name, and nothing set aside.
REMOVALS: dict[str, Numbers] = {
    "unlink": (87, None),  # os.remove
    "unlinkat": (263, 35),  # os.remove, shutil.rmtree
    "rmdir": (84, None),  # os.rmdir, shutil.rmtree
}
SIZED: dict[str, Numbers] = {
    "fallocate": (285, 47),  # os.posix_fallocate
    "rename": (82, None),  # os.rename
    "renameat": (264, 38),  # os.rename
    "renameat2": (316, 276),  # os.rename on newer C libraries
}


@dataclass(frozen=True, slots=True)
class Word:
    """One condition: half of an argument is one of `values`, or has some of the bits, or none."""

    argument: int
    values: tuple[int, ...] = ()
    no_bits: int = 0
    some_bits: int = 0
    high: bool = False  # the upper 32 bits; the kernel takes the lower ones alone of most


@dataclass(frozen=True, slots=True)
class Checked:
    """A call that is allowed when all conditions hold, or all of `or_allowed`; ignored when all of
    `ignored` do. One without conditions is never allowed."""

    numbers: Numbers
    allowed: tuple[Word, ...]
    refused: int = EPERM  # the error number
    ignored: tuple[Word, ...] = ()
    or_allowed: tuple[Word, ...] = ()


OWN_PID = 0x7E57AB1E  # stands for the process: above any number of one, equal to no other here
OWN = (OWN_PID, 0)  # 0 means the caller, or its group
NEAR = (0x7E57AB1F,)  # stands for the upper halves of the addresses near those that it has

# Threads as the C libraries make them, glibc and musl: all memory, files and signals shared. One
# that had its own table of descriptors would have a limit of its own, too.
_THREAD = 0x3D0F00
_O_TMPFILE = 0x400000  # a file without a name has no quota
_DUPFD, _GETFD, _SETFD, _GETFL, _SETFL, _DUPFD_CLOEXEC = 0, 1, 2, 3, 4, 1030
_SETLK, _SETLKW, _OFD_SETLK, _OFD_SETLKW = 6, 7, 37, 38
_TCGETS, _TIOCGWINSZ, _FIONREAD, _FIONBIO = 0x5401, 0x5413, 0x541B, 0x5421
_FIONCLEX, _FIOCLEX, _TCGETS2 = 0x5450, 0x5451, 0x802C542A
_AF_UNIX, _STREAM, _NONBLOCK, _CLOEXEC = 1, 1, 0x800, 0x80000
_NO_MAP = 0x2000 | 0x40000 | 0x100  # locked, of huge pages, growing down
_SHARED, _ANONYMOUS = 1, 0x20
_NORMAL_TO_DONTNEED, _FREE, _HUGEPAGE, _TO_DODUMP = (0, 1, 2, 3, 4), 8, 14, (15, 16, 17)

CHECKED: dict[str, Checked] = {
    # Begin a thread; `threads` counts them. clone3's flags lie in memory that a filter cannot
    # read: as if it were not there, which is when the C library takes clone.
    "clone": Checked((56, 220), (Word(0, (_THREAD, _THREAD | 0x400000)),)),
    # malloc, the dynamic linker. At addresses of a program's choice, a page here and a page there
    # would take three pages of tables each, which no limit counts. Memory is not shared, unless it
    # is a file's: of what is shared, all stays as long as one page is mapped.
    "mmap": Checked(
        (9, 222),
        (Word(0, NEAR, high=True), Word(3, no_bits=_NO_MAP | _SHARED)),
        or_allowed=(Word(0, NEAR, high=True), Word(3, no_bits=_NO_MAP | _ANONYMOUS)),
    ),
    # realloc; not to an address of its choice.
    "mremap": Checked((25, 216), (Word(3, no_bits=2 | 4),), EINVAL),
    # malloc, mmap.madvise: what concerns its own pages alone.
    "madvise": Checked(
        (28, 233), (Word(2, (*_NORMAL_TO_DONTNEED, _FREE, _HUGEPAGE, *_TO_DODUMP)),), EINVAL
    ),
    # Descriptors. No lease, no owner that gets signals, no larger pipe; a lock takes memory of the
    # kernel's without end, and nobody else is there to be kept off (sqlite3 wants one).
    "fcntl": Checked(
        (72, 25),
        (Word(1, (_DUPFD, _GETFD, _SETFD, _GETFL, _SETFL, _DUPFD_CLOEXEC)),),
        ignored=(Word(1, (_SETLK, _SETLKW, _OFD_SETLK, _OFD_SETLKW)),),
    ),
    # os.closerange, subprocess; not with a table of descriptors of the thread's own.
    "close_range": Checked((436, 436), (Word(2, (0, 4)),)),
    # shutil.copystat: ignored, as all that changes attributes. Path.touch sets no times, and makes
    # the file when it hears that there is none.
    "utimensat": Checked((280, 88), (), ENOENT, ignored=(Word(2, some_bits=0xFFFFFFFF),)),
    # isatty, os.get_terminal_size, setblocking. Everything else is some driver's or file system's.
    "ioctl": Checked(
        (16, 29),
        (Word(1, (_TCGETS, _TCGETS2, _TIOCGWINSZ, _FIONREAD, _FIONBIO, _FIOCLEX, _FIONCLEX)),),
        ENOTTY,
    ),
    # Which files, Landlock or the mount namespace says.
    "open": Checked((2, None), (Word(1, no_bits=_O_TMPFILE),)),
    "openat": Checked((257, 56), (Word(2, no_bits=_O_TMPFILE),)),
    # asyncio wakes itself through one. Datagrams could go to any socket on the machine.
    "socketpair": Checked(
        (53, 199),
        (
            Word(0, (_AF_UNIX,)),
            Word(1, tuple(_STREAM | a | b for a in (0, _NONBLOCK) for b in (0, _CLOEXEC))),
        ),
    ),
    # socket.send, to the other end alone. sendmsg could put descriptors away in a socket.
    "sendto": Checked((44, 206), (Word(4, (0,)), Word(4, (0,), high=True))),
    # os.kill, signal.raise_signal, signal.pthread_kill: itself.
    "kill": Checked((62, 129), (Word(0, OWN),)),
    "tkill": Checked((200, 130), (Word(0, (OWN_PID,)),)),
    "tgkill": Checked((234, 131), (Word(0, (OWN_PID,)),)),
    # The name of a thread. Among the rest: not to end with its server.
    "prctl": Checked((157, 167), (Word(0, (15, 16)),)),
    # resource.prlimit, os.getpgid, os.getsid, os.sched_getaffinity: its own.
    "prlimit64": Checked((302, 261), (Word(0, OWN),)),
    "getpgid": Checked((121, 155), (Word(0, OWN),)),
    "getsid": Checked((124, 156), (Word(0, OWN),)),
    "sched_getaffinity": Checked((204, 123), (Word(0, OWN),)),
}

# Above this number calls are young: the C library has something older where they are not there.
YOUNG, NOT_THERE = 424, ENOSYS
