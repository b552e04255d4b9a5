/* See attacks.h. Each attack is a system call made by its number, so that nothing stands between. */
#define _GNU_SOURCE
#include "attacks.h"

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <spawn.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/uio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

/* Stands for the process that started this one, and for paths below its directory in /proc. */
#define PARENT 0x7a7e
/* Stands for this process. */
#define SELF 0x5e1f
#define TEXT(text) ((long)(uintptr_t)(text))

static char byte[4096];
static struct iovec local = {byte, 1}, remote = {byte, 1};
static struct rlimit low = {16, 16}, none;
static long no_action[8];
static unsigned long mask = 1;
static struct {
    int priority;
} fifo = {1};
static int parameters[64];
static siginfo_t signal_info = {.si_signo = SIGUSR1, .si_code = SI_QUEUE};
static int owner[2] = {1, PARENT};
static int on = 1;
static char *no_words[] = {NULL};
static char *true_words[] = {(char *)"true", NULL};

static int fork_child(long how)
{
    long pid = -1;
    if (how == 0) {
#ifdef SYS_fork
        pid = syscall(SYS_fork);
#else
        pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
#endif
    } else if (how == 1) {
        pid = fork();
    } else if (how == 2) {
        pid = syscall(SYS_clone, SIGCHLD, 0, 0, 0, 0);
    } else if (how == 3) {
        pid_t spawned = -1;
        errno = posix_spawn(&spawned, "/bin/true", NULL, NULL, true_words, no_words);
        pid = errno == 0 ? spawned : -1;
    } else if (how == 4) {
        FILE *pipe = popen("true", "r");
        return pipe == NULL ? errno : (pclose(pipe), 0);
    } else {
        /* A namespace of users, in which it would be root. */
        pid = syscall(SYS_clone, SIGCHLD | CLONE_NEWUSER, 0, 0, 0, 0);
    }
    if (pid == 0) {
        _exit(0);
    }
    if (pid < 0) {
        return errno;
    }
    waitpid((pid_t)pid, NULL, 0);
    return 0;
}

static int open_of_parent(long name)
{
    char path[64];
    snprintf(path, sizeof path, "/proc/%d/%s", (int)getppid(), (const char *)(uintptr_t)name);
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return errno;
    }
    close(fd);
    return 0;
}

/* As a program of another kind calls: by the gate of 32-bit programs, or with numbers of x32. */
static int foreign_call(long how)
{
#ifdef __x86_64__
    long answer;
    if (how == 0) {
        __asm__ volatile("int $0x80" : "=a"(answer) : "a"(20) : "memory");
    } else {
        answer = syscall(0x40000000 + SYS_getpid);
        answer = answer < 0 ? -errno : answer;
    }
    return answer < 0 ? (int)-answer : 0;
#else
    (void)how;
    return ENOSYS;
#endif
}

static int signals_by_descriptor(long command)
{
    int pipes[2];
    if (pipe(pipes) != 0) {
        return errno;
    }
    owner[1] = getppid();
    long argument = command == F_SETOWN_EX ? TEXT(owner) : command == F_SETSIG ? SIGUSR1 : getppid();
    argument = command == F_SETFL ? O_ASYNC : argument;
    int failed = syscall(SYS_fcntl, pipes[0], command, argument) < 0 ? errno : 0;
    close(pipes[0]);
    close(pipes[1]);
    return failed;
}

static int ioctl_of_pipe(long request)
{
    int pipes[2];
    if (pipe(pipes) != 0) {
        return errno;
    }
    int process = getppid();
    int failed = syscall(SYS_ioctl, pipes[0], request, request == 0x5452 ? &on : &process) < 0 ? errno : 0;
    close(pipes[0]);
    close(pipes[1]);
    return failed;
}

static int set_the_time(long how)
{
    struct timespec now;
    clock_gettime(CLOCK_REALTIME, &now);
    struct timeval then = {now.tv_sec, now.tv_nsec / 1000};
    long answer = how == 0 ? syscall(SYS_clock_settime, CLOCK_REALTIME, &now)
                           : syscall(SYS_settimeofday, &then, NULL);
    return answer < 0 ? errno : 0;
}

static int filter_of_its_own(long how)
{
    /* Allows everything: it would only show that it can be put there. */
    struct {
        unsigned short code;
        unsigned char yes, no;
        unsigned value;
    } allow = {6, 0, 0, 0x7fff0000};
    struct {
        unsigned short length;
        void *instructions;
    } program = {1, &allow};
    long answer = how == 0 ? syscall(SYS_seccomp, 1, 0, &program) : syscall(SYS_prctl, 22, 2, &program, 0, 0);
    return answer < 0 ? errno : 0;
}

struct attack {
    const char *name;
    int (*special)(long);
    long number;
    long arguments[6];
};

static const struct attack attacks[] = {
    /* Ways round a filter */
    {"int80", foreign_call, 0, {0}},
    {"x32", foreign_call, 0, {1}},
    {"io_uring_setup", NULL, SYS_io_uring_setup, {8, TEXT(parameters)}},
    {"io_uring_enter", NULL, SYS_io_uring_enter, {-1}},
    {"io_uring_register", NULL, SYS_io_uring_register, {-1}},
    {"own_filter", filter_of_its_own, 0, {0}},
    {"own_filter_by_prctl", filter_of_its_own, 0, {1}},
    {"landlock", NULL, SYS_landlock_create_ruleset, {0, 0, 1}},
    /* What /proc tells of the host */
    {"proc_mem", open_of_parent, 0, {TEXT("mem")}},
    {"proc_environ", open_of_parent, 0, {TEXT("environ")}},
    {"proc_maps", open_of_parent, 0, {TEXT("maps")}},
    {"proc_fd", open_of_parent, 0, {TEXT("fd")}},
    {"proc_root", open_of_parent, 0, {TEXT("root/etc/passwd")}},
    {"passwd", NULL, SYS_openat, {AT_FDCWD, TEXT("/etc/passwd"), O_RDONLY, 0}},
    {"root_listing", NULL, SYS_openat, {AT_FDCWD, TEXT("/"), O_RDONLY | O_DIRECTORY, 0}},
    {"shm_name", NULL, SYS_openat, {AT_FDCWD, TEXT("/dev/shm/hotcell-attack"), O_RDWR | O_CREAT | O_EXCL, 0600}},
    {"tmp_name", NULL, SYS_openat, {AT_FDCWD, TEXT("/dev/shm/hotcell-temporary"), O_RDWR | O_CREAT | O_EXCL, 0600}},
    {"openat2", NULL, SYS_openat2, {AT_FDCWD, TEXT("/etc/passwd"), TEXT(byte), 24}},
    {"symlink", NULL, SYS_symlinkat, {TEXT("/etc/passwd"), AT_FDCWD, TEXT("/dev/shm/hotcell-temporary")}},
    {"open_truncating", NULL, SYS_openat, {AT_FDCWD, TEXT("/hotcell-nowhere"), O_RDONLY | O_TRUNC, 0}},
    {"open_only_truncating", NULL, SYS_openat, {AT_FDCWD, TEXT("/hotcell-nowhere"), O_ACCMODE | O_TRUNC, 0}},
    {"statx", NULL, SYS_statx, {AT_FDCWD, TEXT("/etc/shadow"), 0, 0x7ff, TEXT(byte)}},
    /* What Landlock does not judge: modes, owners, times, lengths and attributes, news of files, sockets by name */
    {"chmod", NULL, SYS_fchmodat, {AT_FDCWD, TEXT("/"), 0755, 0}},
    {"chown", NULL, SYS_fchownat, {AT_FDCWD, TEXT("/"), -1, -1, 0}},
    {"times", NULL, SYS_utimensat, {AT_FDCWD, TEXT("/hotcell-nowhere"), 0, 0}},
    {"truncate", NULL, SYS_truncate, {TEXT("/hotcell-nowhere"), 0}},
    {"setxattr", NULL, SYS_setxattr, {TEXT("/hotcell-nowhere"), TEXT("user.hotcell"), TEXT("x"), 1, 0}},
    {"inotify", NULL, SYS_inotify_init1, {0}},
    {"socketpair", NULL, SYS_socketpair, {AF_UNIX, SOCK_DGRAM, 0, TEXT(byte)}},
    /* The host's memory, descriptors and control flow; large parts of the kernel */
    {"ptrace_seize", NULL, SYS_ptrace, {0x4206, PARENT, 0, 0}},
    {"process_vm_readv", NULL, SYS_process_vm_readv, {PARENT, TEXT(&local), 1, TEXT(&remote), 1, 0}},
    {"process_vm_writev", NULL, SYS_process_vm_writev, {PARENT, TEXT(&local), 0, TEXT(&remote), 0, 0}},
    {"process_madvise", NULL, SYS_process_madvise, {-1, TEXT(&local), 1, 20, 0}},
    {"kcmp", NULL, SYS_kcmp, {PARENT, PARENT, 0, 0, 0}},
    {"pidfd_open", NULL, SYS_pidfd_open, {PARENT, 0}},
    {"pidfd_getfd", NULL, SYS_pidfd_getfd, {-1, 0, 0}},
    {"pidfd_send_signal", NULL, SYS_pidfd_send_signal, {-1, 0, 0, 0}},
    {"move_pages", NULL, SYS_move_pages, {PARENT, 0, 0, 0, 0, 0}},
    {"bpf", NULL, SYS_bpf, {0, TEXT(parameters), sizeof parameters}},
    {"perf_event_open", NULL, SYS_perf_event_open, {TEXT(parameters), PARENT, -1, -1, 0}},
    {"userfaultfd", NULL, SYS_userfaultfd, {1}},
    {"add_key", NULL, SYS_add_key, {TEXT("user"), TEXT("hotcell"), TEXT("x"), 1, -3}},
    {"request_key", NULL, SYS_request_key, {TEXT("user"), TEXT("hotcell"), 0, -3}},
    {"keyctl", NULL, SYS_keyctl, {0, -3, 0}},
    {"mount", NULL, SYS_mount, {0, TEXT("/hotcell-nowhere"), 0, 0x40020, 0}},
    {"umount", NULL, SYS_umount2, {TEXT("/hotcell-nowhere"), 0}},
    {"open_tree", NULL, SYS_open_tree, {AT_FDCWD, TEXT("/"), 1}},
    {"fsopen", NULL, SYS_fsopen, {TEXT("tmpfs"), 0}},
    {"pivot_root", NULL, SYS_pivot_root, {TEXT("/hotcell-nowhere"), TEXT("/hotcell-nowhere")}},
    {"chroot", NULL, SYS_chroot, {TEXT("/hotcell-nowhere")}},
    {"unshare", NULL, SYS_unshare, {CLONE_NEWUSER}},
    {"setns", NULL, SYS_setns, {-1, 0}},
    {"modules", NULL, SYS_init_module, {0, 0, TEXT("")}},
    {"kexec", NULL, SYS_kexec_load, {0, 0, 0, 0}},
    {"reboot", NULL, SYS_reboot, {0, 0, 0, 0}},
    {"swapon", NULL, SYS_swapon, {TEXT("/hotcell-nowhere"), 0}},
    {"acct", NULL, SYS_acct, {TEXT("/hotcell-nowhere")}},
    {"quotactl", NULL, SYS_quotactl, {0, 0, 0, 0}},
    {"syslog", NULL, SYS_syslog, {10, 0, 0}},
    {"name_to_handle_at", NULL, SYS_name_to_handle_at, {AT_FDCWD, TEXT("/"), TEXT(byte), TEXT(byte), 0}},
    {"open_by_handle_at", NULL, SYS_open_by_handle_at, {-1, TEXT(byte), 0}},
    {"fanotify", NULL, SYS_fanotify_init, {0, 0}},
    {"mknod", NULL, SYS_mknodat, {AT_FDCWD, TEXT("/dev/shm/hotcell-temporary"), S_IFCHR | 0600, 0x101}},
    /* Signals to others */
    {"kill_parent", NULL, SYS_kill, {PARENT, SIGUSR1}},
    {"kill_all", NULL, SYS_kill, {-1, 0}},
    {"kill_group", NULL, SYS_kill, {0, 0}},
    {"tgkill_parent", NULL, SYS_tgkill, {PARENT, PARENT, SIGUSR1}},
    {"tkill_parent", NULL, SYS_tkill, {PARENT, SIGUSR1}},
    {"sigqueue_parent", NULL, SYS_rt_sigqueueinfo, {PARENT, SIGUSR1, TEXT(&signal_info)}},
    {"tgsigqueue_parent", NULL, SYS_rt_tgsigqueueinfo, {PARENT, PARENT, SIGUSR1, TEXT(&signal_info)}},
    {"setown", signals_by_descriptor, 0, {F_SETOWN}},
    {"setown_ex", signals_by_descriptor, 0, {F_SETOWN_EX}},
    {"setsig", signals_by_descriptor, 0, {F_SETSIG}},
    {"o_async", signals_by_descriptor, 0, {F_SETFL}},
    {"fiosetown", ioctl_of_pipe, 0, {0x8901}},
    {"siocspgrp", ioctl_of_pipe, 0, {0x8902}},
    {"fioasync", ioctl_of_pipe, 0, {0x5452}},
    {"tiocsti", ioctl_of_pipe, 0, {0x5412}},
    /* Limits and places of others */
    {"prlimit_parent", NULL, SYS_prlimit64, {PARENT, RLIMIT_NOFILE, TEXT(&low), 0}},
    {"prlimit_ask", NULL, SYS_prlimit64, {PARENT, RLIMIT_NOFILE, 0, TEXT(byte)}},
    {"affinity_parent", NULL, SYS_sched_setaffinity, {PARENT, sizeof mask, TEXT(&mask)}},
    {"scheduler_parent", NULL, SYS_sched_setscheduler, {PARENT, SCHED_FIFO, TEXT(&fifo)}},
    {"priority_parent", NULL, SYS_setpriority, {PRIO_PROCESS, PARENT, 19}},
    {"priority_user", NULL, SYS_setpriority, {PRIO_USER, 0, 19}},
    {"ioprio_parent", NULL, SYS_ioprio_set, {1, PARENT, 0x6000}},
    /* Limits of its own that keep cores away, and what is done about denied calls */
    {"core_zero", NULL, SYS_prlimit64, {0, RLIMIT_CORE, TEXT(&none), 0}},
    {"core_zero_self", NULL, SYS_prlimit64, {SELF, RLIMIT_CORE, TEXT(&none), 0}},
    {"core_setrlimit", NULL, SYS_setrlimit, {RLIMIT_CORE, TEXT(&none)}},
    {"sigsys_action", NULL, SYS_rt_sigaction, {SIGSYS, TEXT(no_action), 0, 8}},
    /* Processes and programs */
    {"fork", fork_child, 0, {0}},
    {"libc_fork", fork_child, 0, {1}},
    {"clone", fork_child, 0, {2}},
    {"spawn", fork_child, 0, {3}},
    {"popen", fork_child, 0, {4}},
    {"clone_user_namespace", fork_child, 0, {5}},
    {"clone3", NULL, SYS_clone3, {TEXT(byte), 64}},
    {"execve", NULL, SYS_execve, {TEXT("/bin/true"), TEXT(true_words), TEXT(no_words)}},
    {"execveat", NULL, SYS_execveat, {AT_FDCWD, TEXT("/bin/true"), TEXT(true_words), TEXT(no_words), 0}},
    {"setsid", NULL, SYS_setsid, {0}},
    {"setpgid", NULL, SYS_setpgid, {0, 0}},
    {"pdeathsig", NULL, SYS_prctl, {1, 0, 0, 0, 0}},
    {"ptracer", NULL, SYS_prctl, {0x59616d61, -1, 0, 0, 0}},
    /* Time */
    {"clock_settime", set_the_time, 0, {0}},
    {"settimeofday", set_the_time, 0, {1}},
    {"adjtimex", NULL, SYS_adjtimex, {TEXT(byte)}},
    {"clock_adjtime", NULL, SYS_clock_adjtime, {CLOCK_REALTIME, TEXT(byte)}},
    /* Network, and names that others know */
    {"socket_inet", NULL, SYS_socket, {AF_INET, SOCK_STREAM, 0}},
    {"socket_inet6", NULL, SYS_socket, {AF_INET6, SOCK_DGRAM, 0}},
    {"socket_unix", NULL, SYS_socket, {AF_UNIX, SOCK_STREAM, 0}},
    {"socket_netlink", NULL, SYS_socket, {AF_NETLINK, SOCK_RAW, 0}},
    {"socket_packet", NULL, SYS_socket, {AF_PACKET, SOCK_RAW, 0}},
    {"shmget", NULL, SYS_shmget, {0, 4096, 0600 | 01000}},
    {"semget", NULL, SYS_semget, {0, 1, 0600 | 01000}},
    {"msgget", NULL, SYS_msgget, {0, 0600 | 01000}},
    {"mq_open", NULL, SYS_mq_open, {TEXT("hotcell-attack"), O_RDWR | O_CREAT, 0600, 0}},
    /* Itself */
    {"setuid", NULL, SYS_setuid, {0}},
    {"memfd_secret", NULL, SYS_memfd_secret, {0}},
};

enum { COUNT = sizeof attacks / sizeof attacks[0] };

static long replaced(long argument)
{
    return argument == PARENT ? getppid() : argument == SELF ? getpid() : argument;
}

int attack_now(const char *name)
{
    for (int i = 0; i < COUNT; i++) {
        const struct attack *attack = &attacks[i];
        if (strcmp(attack->name, name) != 0) {
            continue;
        }
        if (attack->special != NULL) {
            return attack->special(attack->arguments[0]);
        }
        const long *a = attack->arguments;
        long answer = syscall(attack->number, replaced(a[0]), replaced(a[1]), a[2], a[3], a[4], a[5]);
        return answer < 0 ? errno : 0;
    }
    return -1;
}

int attack_count(void)
{
    return COUNT;
}

const char *attack_name(int number)
{
    return number >= 0 && number < COUNT ? attacks[number].name : NULL;
}

static int constructed = -2;
static pthread_mutex_t mutex = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static const char *asked;
static int answered;

static void *wait_for_orders(void *unused)
{
    pthread_mutex_lock(&mutex);
    for (;;) {
        while (asked == NULL) {
            pthread_cond_wait(&changed, &mutex);
        }
        answered = attack_now(asked);
        asked = NULL;
        pthread_cond_broadcast(&changed);
    }
    return unused;
}

__attribute__((constructor)) static void construct(void)
{
    const char *name = getenv("ATTACK");
    if (name != NULL) {
        constructed = attack_now(name);
    }
    pthread_t thread;
    if (getenv("THREAD") != NULL && pthread_create(&thread, NULL, wait_for_orders, NULL) == 0) {
        pthread_detach(thread);
    }
}

int attack_in_constructor(void)
{
    return constructed;
}

int attack_in_old_thread(const char *name)
{
    pthread_mutex_lock(&mutex);
    asked = name;
    pthread_cond_broadcast(&changed);
    while (asked != NULL) {
        pthread_cond_wait(&changed, &mutex);
    }
    pthread_mutex_unlock(&mutex);
    return answered;
}

static void *attack_once(void *name)
{
    return (void *)(intptr_t)attack_now(name);
}

int attack_in_new_thread(const char *name)
{
    pthread_t thread;
    void *answer = NULL;
    if (pthread_create(&thread, NULL, attack_once, (void *)(uintptr_t)name) != 0) {
        return -1;
    }
    pthread_join(thread, &answer);
    return (int)(intptr_t)answer;
}

int attack_add(int a, int b)
{
    return (int)((unsigned)a + (unsigned)b);
}

int attack_open(const char *path, int for_writing)
{
    int fd = open(path, (for_writing ? O_RDWR | O_CREAT : O_RDONLY) | O_CLOEXEC, 0600);
    if (fd < 0) {
        return errno;
    }
    int failed = for_writing && write(fd, "x", 1) != 1 ? errno : 0;
    close(fd);
    return failed;
}

int attack_first_byte(const char *path)
{
    unsigned char first = 0;
    int fd = open(path, O_RDONLY | O_CLOEXEC);
    if (fd < 0) {
        return -errno;
    }
    int answer = read(fd, &first, 1) < 0 ? -errno : first;
    close(fd);
    return answer;
}

int attack_rename(const char *from, const char *to)
{
    return rename(from, to) != 0 ? errno : 0;
}

int attack_symlink(const char *to, const char *at)
{
    return symlink(to, at) != 0 ? errno : 0;
}

int attack_unlink(const char *path)
{
    return unlink(path) != 0 ? errno : 0;
}

int attack_open_with(const char *path, int flags)
{
    int fd = open(path, flags | O_CLOEXEC);
    return fd < 0 ? errno : close(fd);
}

int attack_nest(const char *path, int depth)
{
    if (chdir(path) != 0) {
        return errno;
    }
    for (int i = 0; i < depth; i++) {
        if (mkdir("d", 0700) != 0 || chdir("d") != 0) {
            return errno;
        }
    }
    return chdir("/") != 0 ? errno : 0;
}

int attack_chmod(const char *path)
{
    return chmod(path, 0777) != 0 ? errno : 0;
}

int attack_truncate(const char *path)
{
    return truncate(path, 0) != 0 ? errno : 0;
}

static struct sockaddr_in here(int port)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((unsigned short)port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    return address;
}

int attack_connect(int port)
{
    struct sockaddr_in address = here(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    int failed = connect(fd, (struct sockaddr *)&address, sizeof address) != 0 ? errno : 0;
    close(fd);
    return failed;
}

int attack_connect_fast(int port)
{
    struct sockaddr_in address = here(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    long sent = sendto(fd, "x", 1, MSG_FASTOPEN, (struct sockaddr *)&address, sizeof address);
    int failed = sent < 0 ? errno : 0;
    close(fd);
    return failed;
}

int attack_listen(int port)
{
    struct sockaddr_in address = here(port);
    int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
    if (fd < 0) {
        return errno;
    }
    int failed = bind(fd, (struct sockaddr *)&address, sizeof address) != 0 || listen(fd, 1) != 0 ? errno : 0;
    close(fd);
    return failed;
}

int attack_socket(int domain, int type, int protocol)
{
    int fd = socket(domain, type, protocol);
    if (fd < 0) {
        return errno;
    }
    close(fd);
    return 0;
}

int attack_syscall(int number, int first, int second)
{
    long answer = syscall(number, first, second, 0, 0, 0, 0);
    return answer < 0 ? -errno : (int)answer;
}

int attack_fstat(int fd)
{
    struct stat stat;
    return fstat(fd, &stat) != 0 ? -errno : (int)stat.st_mode;
}

const char *attack_variable(const char *name)
{
    return getenv(name);
}

static char kept[256];

void attack_abort_with(const char *secret)
{
    snprintf(kept, sizeof kept, "%s", secret);
    abort();
}

int attack_unseen(const char *name)
{
    signal(SIGSYS, SIG_IGN);
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_BLOCK, &all, NULL);
    return attack_now(name);
}

void attack_raise_sigsys(void)
{
    raise(SIGSYS);
}

int attack_timers(int most)
{
    static timer_t timers[1 << 16];
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGURG};
    int made = 0;
    while (made < most && made < 1 << 16 && timer_create(CLOCK_MONOTONIC, &event, &timers[made]) == 0) {
        made++;
    }
    return made;
}

int attack_core_limit(void)
{
    struct rlimit limit = {RLIM_INFINITY, RLIM_INFINITY};
    setrlimit(RLIMIT_CORE, &limit);
    getrlimit(RLIMIT_CORE, &limit);
    return limit.rlim_cur > 1 << 20 ? 1 << 20 : (int)limit.rlim_cur;
}
