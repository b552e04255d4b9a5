//! Direct calls of C libraries, linked in as usual: what contained calls are compared with.

pub mod cjson;
pub mod sqlite3;
pub mod zlib;
pub mod zstd;
