//! What functions of C's library do with what they are given, by its standard and POSIX.

/// What is done with one argument.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Arg {
    /// It is no pointer, or nothing is done with what it leads to.
    Number,
    /// What it leads to is read, as far as nobody knows.
    Read,
    /// The same up to a NUL.
    Text,
    /// The same as far as it is like something else, or holds it.
    Compared,
    /// What it leads to is written.
    Written,
    /// Both.
    Both,
    /// As many bytes as an argument says are read.
    ReadOf(usize),
    /// As many bytes as an argument says are written.
    WrittenOf(usize),
    /// What it leads to is copied to where the first argument leads, as many bytes as an argument says.
    Copied(usize),
    /// What it leads to is read, as it is, by somebody else.
    Sent,
    /// The same of as many bytes as an argument says.
    SentOf(usize),
    /// What it leads to is read, and a place behind it is left where another argument leads.
    ReadInto(usize),
    /// It is freed.
    Freed,
    /// It is released in another way, or gets another place.
    Released,
}

/// What is returned.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Returns {
    /// Nothing of what was given.
    Other,
    /// An argument.
    Argument(usize),
    /// A place behind an argument.
    Into(usize),
    /// An argument, or NULL.
    Perhaps(usize),
    /// Memory that nobody had before, or NULL: C's `free` releases it.
    New,
    /// The same in place of the first argument, or of none.
    Renewed,
    /// The same, with something in it.
    Begun,
    /// It does not return.
    Never,
}

/// What is known of one function.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Known {
    /// By position.
    pub(crate) args: &'static [Arg],
    /// What is done with all further ones.
    pub(crate) rest: Arg,
    /// What comes back.
    pub(crate) returns: Returns,
}

const fn known(args: &'static [Arg], returns: Returns) -> Known {
    Known { args, rest: Arg::Number, returns }
}

/// Whether a function writes a text with its NUL to where its first argument leads, or returns a new one.
pub(crate) fn writes_text(name: &str) -> bool {
    let plain = name.strip_prefix("__").unwrap_or(name);
    let plain = plain.strip_suffix("_chk").unwrap_or(plain);
    [
        "snprintf",
        "sprintf",
        "stpcpy",
        "strcat",
        "strcpy",
        "strdup",
        "strncat",
        "strndup",
        "vsnprintf",
        "vsprintf",
    ]
    .contains(&plain)
}

/// Looks a function up.
pub(crate) fn known_function(name: &str) -> Option<Known> {
    use Arg::{
        Both, Compared, Copied, Freed, Number, Read, ReadInto, ReadOf, Released, Sent, SentOf, Text, Written,
        WrittenOf,
    };
    use Returns::{Argument, Begun, Into, Never, New, Other, Perhaps, Renewed};
    // Their room stands between what the plain ones take.
    if ["__fread_chk", "__fgets_chk"].contains(&name) {
        return None;
    }
    // glibc's checked forms take what their plain ones take, and the room behind that.
    let name =
        name.strip_prefix("__").and_then(|name| name.strip_suffix("_chk")).map_or(
            name,
            |plain| match plain {
                // Where numbers stand between what the plain ones take.
                "printf" => "__printf_chk",
                "fprintf" | "dprintf" => "__fprintf_chk",
                "sprintf" => "__sprintf_chk",
                "snprintf" => "__snprintf_chk",
                plain => plain,
            },
        );
    Some(match name {
        "abort"
        | "exit"
        | "_exit"
        | "_Exit"
        | "quick_exit"
        | "longjmp"
        | "_longjmp"
        | "siglongjmp"
        | "__longjmp"
        | "__stack_chk_fail"
        | "__stack_chk_fail_local"
        | "__chk_fail" => known(&[Read, Number], Never),
        "__assert_fail" => known(&[Read, Read, Number, Read], Never),
        "strlen" => known(&[Text], Other),
        "strnlen" => known(&[ReadOf(1)], Other),
        "memcmp" | "bcmp" => known(&[ReadOf(2), ReadOf(2)], Other),
        "strcmp" | "strcoll" | "strcasecmp" | "strspn" | "strcspn" => known(&[Compared, Compared], Other),
        "strncmp" | "strncasecmp" => known(&[Read, Read, Number], Other),
        "strchr" | "strrchr" | "index" | "rindex" | "strchrnul" => known(&[Compared, Number], Into(0)),
        "strstr" | "strcasestr" | "strpbrk" => known(&[Compared, Compared], Into(0)),
        "rawmemchr" => known(&[Read, Number], Into(0)),
        "memchr" | "memrchr" => known(&[ReadOf(2), Number, Number], Into(0)),
        "memcpy" | "memmove" => known(&[WrittenOf(2), Copied(2), Number], Argument(0)),
        "memset" => known(&[WrittenOf(2), Number, Number], Argument(0)),
        "bzero" | "explicit_bzero" => known(&[WrittenOf(1), Number], Other),
        "strcpy" | "strcat" => known(&[Both, Text], Argument(0)),
        "strncpy" => known(&[Both, Copied(2), Number], Argument(0)),
        "strncat" => known(&[Both, Read, Number], Argument(0)),
        "stpncpy" => known(&[Both, Copied(2), Number], Into(0)),
        "stpcpy" => known(&[Both, Read, Number], Into(0)),
        "strdup" | "__strdup" => known(&[Text], Begun),
        "strndup" | "__strndup" => known(&[Read, Number], Begun),
        "calloc" => known(&[Number, Number], Begun),
        "malloc" | "aligned_alloc" | "memalign" => known(&[Number, Number], New),
        "posix_memalign" => known(&[Written, Number, Number], Other),
        "strtol" | "strtoul" | "strtoll" | "strtoull" | "strtod" | "strtof" => {
            known(&[ReadInto(1), Written, Number], Other)
        }
        "free" | "cfree" => known(&[Freed], Other),
        "realloc" | "reallocarray" => known(&[Released, Number, Number], Renewed),
        "atoi" | "atol" | "atoll" | "atof" => known(&[Text], Other),
        "getenv" | "secure_getenv" | "perror" | "access" | "unlink" | "remove" | "rmdir" | "mkdir"
        | "chdir" | "chmod" | "system" | "puts" | "open" | "open64" | "creat" => {
            known(&[Text, Number, Number], Other)
        }
        "rename" | "link" | "symlink" | "fopen" | "fopen64" | "popen" => known(&[Text, Text], Other),
        "stat" | "lstat" | "stat64" | "lstat64" => known(&[Text, Written], Other),
        // Without room for it, the path lies in memory of its own.
        "realpath" => known(&[Text, Written], Into(1)),
        "fstat" | "fstat64" => known(&[Number, Written], Other),
        "fclose" | "pclose" => known(&[Released], Other),
        "ferror" | "feof" | "clearerr" | "fflush" | "fileno" | "rewind" | "fgetc" | "getc" | "ftell"
        | "ftello" | "ftello64" | "fseek" | "fseeko" | "fseeko64" => known(&[Both, Number, Number], Other),
        "fgets" => known(&[Written, Number, Both], Perhaps(0)),
        "strftime" => known(&[WrittenOf(1), Number, Text, Read], Other),
        "sscanf" | "__isoc99_sscanf" => Known { args: &[Text, Text], rest: Written, returns: Other },
        "fscanf" | "__isoc99_fscanf" => Known { args: &[Both, Text], rest: Written, returns: Other },
        "fputs" => known(&[Text, Both], Other),
        "fputc" | "putc" | "_IO_putc" | "ungetc" => known(&[Number, Both], Other),
        "write" | "send" | "pwrite" | "pwrite64" => known(&[Number, SentOf(2), Number, Number], Other),
        "read" | "recv" => known(&[Number, WrittenOf(2), Number, Number], Other),
        "pread" | "pread64" => known(&[Number, WrittenOf(2), Number, Number], Other),
        "fwrite" => known(&[Sent, Number, Number, Both], Other),
        "fread" => known(&[Written, Number, Number, Both], Other),
        "printf" => Known { args: &[Text], rest: Both, returns: Other },
        "fprintf" => Known { args: &[Both, Text], rest: Both, returns: Other },
        "__printf_chk" => Known { args: &[Number, Text], rest: Both, returns: Other },
        "__fprintf_chk" => Known { args: &[Both, Number, Text], rest: Both, returns: Other },
        "sprintf" => Known { args: &[Written, Text], rest: Both, returns: Other },
        "snprintf" => Known { args: &[WrittenOf(1), Number, Text], rest: Both, returns: Other },
        "__sprintf_chk" => Known { args: &[Written, Number, Number, Text], rest: Both, returns: Other },
        "__snprintf_chk" => {
            Known { args: &[WrittenOf(1), Number, Number, Number, Text], rest: Both, returns: Other }
        }
        "time" | "gettimeofday" => known(&[Written, Written], Other),
        "clock_gettime" => known(&[Number, Written], Other),
        "mktime" | "timegm" => known(&[Both], Other),
        "gmtime_r" | "localtime_r" => known(&[Read, Written], Perhaps(1)),
        "pthread_mutex_lock"
        | "pthread_mutex_unlock"
        | "pthread_mutex_trylock"
        | "pthread_mutex_destroy"
        | "pthread_rwlock_rdlock"
        | "pthread_rwlock_wrlock"
        | "pthread_rwlock_unlock"
        | "pthread_cond_signal"
        | "pthread_cond_broadcast" => known(&[Both], Other),
        "pthread_cond_wait" => known(&[Both, Both], Other),
        "pthread_mutex_init" | "pthread_cond_init" | "pthread_rwlock_init" => known(&[Written, Read], Other),
        // What it calls is given nothing.
        "pthread_once" => known(&[Both, Number], Other),
        "strerror_r" => known(&[Number, WrittenOf(2), Number], Into(1)),
        "frexp" | "frexpf" | "modf" | "modff" | "lgamma_r" => known(&[Written], Other),
        "sincos" | "sincosf" => known(&[Written, Written], Other),
        "getpid"
        | "strerror"
        | "pthread_getspecific"
        | "getuid"
        | "geteuid"
        | "pthread_self"
        | "sysconf"
        | "getpagesize"
        | "rand"
        | "random"
        | "__errno_location"
        | "__ctype_b_loc"
        | "__ctype_tolower_loc"
        | "__ctype_toupper_loc"
        | "close"
        | "lseek"
        | "lseek64"
        | "tolower"
        | "toupper"
        | "isspace"
        | "isalpha"
        | "isdigit"
        | "isalnum"
        | "toascii"
        | "getpgrp"
        | "clock"
        | "abs"
        | "labs"
        | "div"
        | "ldiv"
        | "htons"
        | "ntohs"
        | "htonl"
        | "ntohl"
        | "usleep"
        | "sleep"
        | "sched_yield" => known(&[], Other),
        name if is_of_reals(name) => known(&[], Other),
        _ => return None,
    })
}

/// Whether a function takes and returns real numbers alone.
fn is_of_reals(name: &str) -> bool {
    const NAMES: [&str; 53] = [
        "acos",
        "acosh",
        "asin",
        "asinh",
        "atan",
        "atan2",
        "atanh",
        "cbrt",
        "ceil",
        "copysign",
        "cos",
        "cosh",
        "erf",
        "erfc",
        "exp",
        "exp10",
        "exp2",
        "expm1",
        "fabs",
        "fdim",
        "floor",
        "fma",
        "fmax",
        "fmin",
        "fmod",
        "hypot",
        "ilogb",
        "j0",
        "j1",
        "jn",
        "ldexp",
        "lgamma",
        "llround",
        "log",
        "log10",
        "log1p",
        "log2",
        "logb",
        "lrint",
        "lround",
        "nearbyint",
        "pow",
        "remainder",
        "rint",
        "round",
        "scalbn",
        "sin",
        "sinh",
        "sqrt",
        "tan",
        "tanh",
        "tgamma",
        "trunc",
    ];
    [name, name.strip_suffix('f').unwrap_or(name)].iter().any(|name| NAMES.contains(name))
}
