//! Words in the names of functions that make, end, keep or look at objects.

/// Words of functions that release an object and are called for nothing else.
pub(in crate::infer) const RELEASES: &[&str] = &[
    "dealloc",
    "deallocate",
    "decref",
    "deinit",
    "del",
    "delete",
    "destroy",
    "dispose",
    "drop",
    "finalize",
    "fini",
    "free",
    "release",
    "rele",
    "uninit",
    "unref",
    "unreference",
];

/// Words of functions that end what an object does, and often the object: `pcap_close`, `zip_discard`.
pub(in crate::infer) const CLOSES: &[&str] = &[
    "abort",
    "cancel",
    "cleanup",
    "close",
    "commit",
    "detach",
    "discard",
    "disconnect",
    "done",
    "end",
    "exit",
    "finish",
    "join",
    "kill",
    "put",
    "quit",
    "remove",
    "rollback",
    "shutdown",
    "stop",
    "term",
    "terminate",
];

/// Words of functions that make what the one of the same name but for [`MIRROR_ENDS`] releases.
pub(in crate::infer) const MIRROR_MAKES: &[&str] =
    &["alloc", "allocate", "create", "init", "make", "malloc", "new", "open"];

/// Words of functions that release what is made so.
pub(in crate::infer) const MIRROR_ENDS: &[&str] = &[
    "cleanup",
    "close",
    "dealloc",
    "deallocate",
    "deinit",
    "del",
    "delete",
    "destroy",
    "dispose",
    "done",
    "end",
    "fini",
    "finish",
    "free",
    "release",
    "uninit",
    "unref",
];

/// Words that say of a whole library as often that it ends, and mirror what makes an object where its code frees one.
pub(in crate::infer) const MIRROR_EXITS: &[&str] = &["exit", "quit", "shutdown"];

/// Those of them that say that nothing is left, and are the release beside another that ends something: `release` and `drop` may be of
/// a lock, `delete` of what the object stands for.
pub(in crate::infer) const FREES_MADE: &[&str] = &["destroy", "dispose", "free", "unref"];

/// Words of functions by which a holder gives up a reference, so that the object goes when nobody has one any more.
pub(in crate::infer) const GIVES_UP: &[&str] = &["decref", "unref", "unreference"];

/// Words of functions that say of a type that they release it, so that what closes something is not meant: `cairo_destroy` beside
/// `cairo_close_path`. `message_delete` may delete what was sent.
pub(in crate::infer) const SAYS_RELEASE: &[&str] =
    &["dealloc", "deallocate", "destroy", "dispose", "finalize", "free", "unref", "unreference"];

/// Words of functions that end what an object does, so that it is still to be released where another one is called like its release:
/// `modbus_close`, `ares_cancel`. Not `cleanup` or `done`, which say that nothing is left.
pub(in crate::infer) const PAUSES: &[&str] = &[
    "abort",
    "cancel",
    "close",
    "commit",
    "disconnect",
    "finish",
    "join",
    "remove",
    "rollback",
    "shutdown",
    "stop",
];

/// Words of functions after which an object is held, until it is released, and goes on.
pub(in crate::infer) const ACQUIRES: &[&str] =
    &["acquire", "claim", "grab", "hold", "lock", "press", "reserve", "retain", "trylock"];

/// What the names of functions say that begin a structure of the caller's: `mpz_init_set`, `deflateInit_`.
pub(in crate::infer) const BEGINS: &[&str] = &["initialise", "initialize", "init"];

/// Ends of the names of functions that end what [`BEGINS`] begins.
pub(in crate::infer) const ENDS_BEGUN: &[&str] = &[
    "cleanup", "clear", "close", "deinit", "delete", "destroy", "done", "end", "finalize", "fini", "finish",
    "free", "release", "uninit",
];

/// Those of them that may end what a structure does, and what another function is called that begins that again.
pub(in crate::infer) const UNDOES: &[(&str, &[&str])] = &[
    ("close", &["open", "reopen", "show"]),
    ("done", &["begin", "start"]),
    ("end", &["begin", "start"]),
    ("finish", &["begin", "start"]),
    ("release", &["acquire", "lock", "press"]),
];

/// Words of functions after which there is memory behind the pointers of such a structure, which the library has allocated.
pub(in crate::infer) const FILLS_BEGUN: &[&str] = &["alloc", "allocate"];

/// Those of them that may end it too early, or are not meant for everybody who has one: `g_sequence_remove` takes
/// an element out, `evdns_getaddrinfo_cancel` is for requests that are not done yet.
pub(in crate::infer) const NO_RELEASES: &[&str] =
    &["abort", "cancel", "commit", "detach", "join", "kill", "remove", "rollback"];

/// Words of functions after which an object may be gone, or somebody else's, although they do not say so:
/// `evhttp_send_reply(req, …)`, `g_thread_join`, `PQclear`, `X509_VERIFY_PARAM_add0_table(param)`.
pub(in crate::infer) const GIVES_AWAY: &[&str] = &[
    "absorb",
    "add0",
    "adopt",
    "clear",
    "consume",
    "dismiss",
    "erase",
    "expire",
    "forget",
    "give",
    "invalidate",
    "leak",
    "move",
    "nuke",
    "post",
    "push0",
    "reap",
    "recycle",
    "reference",
    "reply",
    "respond",
    "retire",
    "return",
    "rm",
    "send",
    "set0",
    "steal",
    "submit",
    "swap",
    "take",
    "transfer",
    "unbind",
    "unhook",
    "uninstall",
    "unlink",
    "unload",
    "unmap",
    "unplug",
    "unregister",
    "unsubscribe",
    "unwrap",
    "zap",
];

/// Parts of the names of functions that release: `PQfreemem`, `XFreeGC`, `gzclose`, `delscreen`.
pub(in crate::infer) const RELEASE_PARTS: &[&str] = &[
    "cleanup", "close", "dealloc", "decref", "deinit", "delete", "destroy", "dispose", "finali", "free",
    "release", "unref",
];

/// Ends of the words of functions that release: `PQfinish`, `PQclear`.
pub(in crate::infer) const RELEASE_ENDINGS: &[&str] =
    &["clear", "discard", "disconnect", "drop", "finish", "shutdown", "stop", "term", "terminate"];

/// Words of functions that only look: what follows is what they look at, as in `SSL_get_shutdown`.
pub(in crate::infer) const LOOKS: &[&str] = &["get", "got", "has", "is", "isset", "peek"];

/// Words of functions that hand out an object that was there before, from the object they are given.
pub(in crate::infer) const FINDS: &[&str] = &[
    "at", "child", "current", "find", "first", "get", "get0", "index", "last", "lookup", "next", "nth",
    "parent", "peek", "prev", "previous", "root", "sibling",
];

/// Words of functions that may make an object which somebody else has.
pub(in crate::infer) const SHARES: &[&str] = &[
    "add",
    "append",
    "attach",
    "borrow",
    "current",
    "default",
    "find",
    "first",
    "get",
    "get0",
    "global",
    "insert",
    "instance",
    "intern",
    "last",
    "lookup",
    "next",
    "nth",
    "parent",
    "peek",
    "prev",
    "push",
    "ref",
    "root",
    "self",
    "shared",
    "singleton",
    "static",
];

/// Words of functions after which an object may go on reading in what it was given.
pub(in crate::infer) const READS_ON: &[&str] = &[
    "begin",
    "create",
    "for",
    "from",
    "init",
    "iter",
    "iterator",
    "lex",
    "lexer",
    "load",
    "new",
    "open",
    "reader",
    "scan",
    "scanner",
    "start",
    "stream",
    "token",
    "tokenizer",
    "with",
];

/// What such texts are called.
pub(in crate::infer) const CONTENTS: &[&str] = &[
    "buf", "buffer", "chars", "code", "content", "contents", "cur", "css", "data", "doc", "document", "html",
    "input", "json", "markup", "source", "src", "str", "string", "text", "xml", "yaml",
];

/// Words of functions that make an object.
pub(in crate::infer) const CONSTRUCTORS: &[&str] =
    &["alloc", "allocate", "calloc", "create", "make", "malloc", "new"];

/// Words of functions that make an object like another one.
pub(in crate::infer) const COPIES: &[&str] = &["clone", "copy", "dup", "duplicate"];

/// Words of functions that may make what they return, whatever they are called otherwise.
pub(in crate::infer) const MAKES: &[&str] = &[
    "accept", "acquire", "build", "compile", "connect", "decode", "detach", "fork", "import", "load", "open",
    "parse", "pop", "steal", "strdup", "strndup", "take",
];

/// Words of functions that keep the last thing they are given: `allocator_set_default(allocator)`.
pub(in crate::infer) const STORES: &[&str] = &[
    "activate", "add", "append", "assign", "attach", "bind", "default", "enqueue", "insert", "install",
    "link", "prepend", "provide", "publish", "push", "queue", "register", "replace", "set", "store", "use",
];

/// Words of functions that put an object into another one.
pub(in crate::infer) const COLLECTS: &[&str] =
    &["add", "append", "attach", "enqueue", "insert", "link", "prepend", "push", "store"];

/// Words of functions after which something goes on using an object that they cannot change: `ZSTD_CCtx_refCDict(cctx, const cdict)`,
/// `dev_set_ctx(dev, const ctx)`.
pub(in crate::infer) const KEEPS_OBJECT: &[&str] = &[
    "activate",
    "add",
    "ahead",
    "aio",
    "alias",
    "append",
    "apply",
    "assign",
    "associate",
    "async",
    "attach",
    "begin",
    "bind",
    "borrow",
    "byref",
    "cache",
    "capture",
    "chain",
    "conf",
    "config",
    "configure",
    "connect",
    "const",
    "cont",
    "continue",
    "cow",
    "cs",
    "current",
    "default",
    "defer",
    "define",
    "delegate",
    "dma",
    "embed",
    "enable",
    "enqueue",
    "enter",
    "focus",
    "follow",
    "forward",
    "handler",
    "highlight",
    "hold",
    "hook",
    "hooks",
    "include",
    "inherit",
    "init",
    "initialise",
    "initialize",
    "insert",
    "install",
    "intern",
    "iread",
    "irecv",
    "irq",
    "it",
    "iter",
    "iterate",
    "keep",
    "later",
    "launch",
    "lazily",
    "lazy",
    "link",
    "listen",
    "load",
    "log",
    "map",
    "mirror",
    "monitor",
    "mount",
    "nb",
    "nocopy",
    "nonblock",
    "nowait",
    "observe",
    "on",
    "open",
    "opt",
    "option",
    "options",
    "overlapped",
    "override",
    "own",
    "parent",
    "pick",
    "pin",
    "play",
    "plug",
    "post",
    "prefer",
    "prefetch",
    "prefix",
    "prep",
    "prepare",
    "prepend",
    "profile",
    "progress",
    "provide",
    "publish",
    "push",
    "put",
    "queue",
    "record",
    "ref",
    "reference",
    "register",
    "reinit",
    "remember",
    "reopen",
    "replace",
    "report",
    "reset",
    "restart",
    "resume",
    "retain",
    "rewind",
    "route",
    "save",
    "schedule",
    "seek",
    "select",
    "set",
    "setup",
    "shallow",
    "share",
    "start",
    "stash",
    "static",
    "store",
    "style",
    "submit",
    "subscribe",
    "switch",
    "target",
    "theme",
    "tie",
    "trace",
    "track",
    "trust",
    "use",
    "view",
    "walk",
    "watch",
    "wrap",
    "zerocopy",
];

/// Beginnings of words that are such a word with its object: `dev_setctx`, `dev_addctx`, `dev_useconf`.
pub(in crate::infer) const KEEPS_OBJECT_FROM: &[&str] =
    &["add", "attach", "bind", "init", "install", "register", "set", "use"];

/// Beginnings of words that begin so and say something else: `dev_settings`, `EVP_MD_settable_ctx_params`, `dev_user_name`.
pub(in crate::infer) const KEEPS_NOTHING_FROM: &[&str] =
    &["addit", "addr", "binding", "settable", "setting", "used", "useful", "user"];

/// Words behind which stands what something is done with, now or from now on: `compress_usingCDict(cctx, …, const cdict)`, `open_with(db, const key)`.
pub(in crate::infer) const WITH: &[&str] = &["using", "with"];

/// Last words of functions that give an object the value of another one of its type.
pub(in crate::infer) const TAKES_VALUE: &[&str] = &["add", "assign", "set"];

/// Words of functions that compare objects and leave them alone.
pub(in crate::infer) const COMPARES: &[&str] =
    &["cmp", "compare", "eq", "equal", "equals", "same", "similar"];

/// Words of numbers that tell a function to end an object, or to take it over.
pub(in crate::infer) const ENDS_IF: &[&str] =
    &["consume", "delete", "destroy", "dispose", "free", "steal", "take", "unref"];

/// Words of functions that count who holds an object.
pub(in crate::infer) const REFERENCES: &[&str] = &["ref", "refcount", "refs"];

/// Names of numbers by which they count up or, negative, down.
pub(in crate::infer) const COUNTS: &[&str] = &["count", "delta", "inc", "increment", "refs"];

/// Words of functions that begin again what [`CLOSES`] ends: `queue_start(queue)` and `queue_stop(queue)`. Not `open`:
/// `mdb_env_close` releases what `mdb_env_create` makes and `mdb_env_open(env, path)` opens.
pub(in crate::infer) const STARTS: &[&str] = &["begin", "enable", "restart", "resume", "start"];

/// Names of texts that tell where in the program a call is; libraries keep them for their messages.
pub(in crate::infer) const LITERALS: &[&str] = &["caller", "func", "function", "location", "where"];

/// Words, or their ends, of functions that use data up before they return, or copy it.
pub(in crate::infer) const USES: &[&str] = &[
    "check", "compare", "compress", "crypt", "decode", "digest", "encode", "escape", "exec", "execute",
    "exists", "find", "import", "lookup", "print", "query", "search", "send", "sign", "update", "verify",
    "write",
];

/// Words of functions that fill memory, or change it in place, before they return.
pub(in crate::infer) const FILLS: &[&str] = &[
    "copy",
    "decompress",
    "decrypt",
    "derive",
    "describe",
    "dump",
    "encrypt",
    "extract",
    "fill",
    "final",
    "format",
    "generate",
    "get",
    "gets",
    "name",
    "peek",
    "print",
    "pull",
    "rand",
    "random",
    "read",
    "receive",
    "recv",
    "retrieve",
    "save",
    "snprint",
    "sprint",
    "strerror",
];

/// Words of functions that say that they keep what they are given, even a name.
pub(in crate::infer) const BORROWS: &[&str] =
    &["borrow", "byref", "const", "cs", "nocopy", "ref", "reference", "static", "view", "zerocopy"];

/// Words of functions whose data an object may point to afterwards: `zmq_send_const`,
/// `ZSTD_compressBegin_usingDict`, `hash_add(table, key, len)`, `io_uring_prep_write(sqe, fd, buf, nbytes)`.
pub(in crate::infer) const KEEPS_DATA: &[&str] = &[
    "add",
    "ahead",
    "aio",
    "append",
    "assign",
    "async",
    "attach",
    "begin",
    "bind",
    "borrow",
    "byref",
    "const",
    "cont",
    "continue",
    "cs",
    "defer",
    "dma",
    "enable",
    "enqueue",
    "enter",
    "init",
    "insert",
    "intern",
    "iread",
    "irecv",
    "irq",
    "it",
    "keep",
    "later",
    "link",
    "load",
    "map",
    "monitor",
    "nb",
    "nocopy",
    "nonblock",
    "nowait",
    "opt",
    "option",
    "options",
    "overlapped",
    "post",
    "prefetch",
    "prefix",
    "prep",
    "prepare",
    "prepend",
    "profile",
    "progress",
    "push",
    "put",
    "queue",
    "ref",
    "reference",
    "register",
    "remember",
    "replace",
    "report",
    "retain",
    "schedule",
    "set",
    "setup",
    "start",
    "stash",
    "static",
    "store",
    "submit",
    "trace",
    "track",
    "use",
    "view",
    "watch",
    "wrap",
    "zerocopy",
];

/// The same of texts: these, functions whose result may point into what they read (`uriParseSingleUriA`), and
/// those that take what they are told under a name.
pub(in crate::infer) const KEEPS_TEXT: &[&str] = &[
    "add",
    "add0",
    "alias",
    "append",
    "assign",
    "async",
    "attach",
    "banner",
    "bind",
    "borrow",
    "byref",
    "caption",
    "const",
    "cs",
    "default",
    "define",
    "enqueue",
    "enter",
    "feed",
    "hold",
    "init",
    "input",
    "insert",
    "install",
    "intern",
    "keep",
    "label",
    "link",
    "load",
    "map",
    "nocopy",
    "parse",
    "pointer",
    "prep",
    "prepare",
    "prepend",
    "prompt",
    "push",
    "put",
    "read",
    "record",
    "ref",
    "reference",
    "register",
    "remember",
    "rename",
    "replace",
    "result",
    "retain",
    "rewind",
    "scan",
    "set",
    "set0",
    "source",
    "stash",
    "static",
    "store",
    "tag",
    "title",
    "tokenize",
    "use",
    "view",
    "watch",
    "wrap",
    "zerocopy",
];

/// Words of functions that open or make something by a name.
pub(in crate::infer) const OPENERS: &[&str] = &["connect", "create", "load", "new", "open", "parse", "read"];

/// Words of functions after which there is more in the memory than before: a length beside it says how much is there.
pub(in crate::infer) const GROWS: &[&str] = &[
    "append", "center", "encode", "encrypt", "escape", "expand", "extend", "grow", "justify", "pad", "quote",
    "repeat", "stuff", "wrap",
];

/// Words of functions that end an object, or that end it for one of several who have it, besides those of releases.
pub(in crate::infer) const ENDS_BESIDES: &[&str] =
    &["dealloc", "decref", "deinit", "discard", "drop", "put", "unload"];
