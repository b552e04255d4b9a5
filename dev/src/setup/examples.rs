//! The headers of the libraries in `examples/`: a line for each.

use super::{Packages, Requirement};

/// What the build needs for each library, from its name, one of its headers and the package that has it.
macro_rules! libraries {
    ($($library:literal $header:literal $package:literal)*) => {
        pub(super) const EXAMPLES: &[Requirement] = &[$(Requirement {
            name: concat!($library, "'s header"),
            why: concat!("an example binds ", $library),
            find: |machine| machine.header($header),
            packages: Packages::Named(&[$package]),
        }),*];

        /// Each package, and the file in it that is looked for.
        #[cfg(test)]
        pub(super) const CONTENTS: &[(&str, &str)] = &[$(($package, concat!("usr/include/", $header))),*];
    };
}

libraries! {
    "zlib" "zlib.h" "zlib1g-dev"
    "SQLite" "sqlite3.h" "libsqlite3-dev"
    "Zstandard" "zstd.h" "libzstd-dev"
    "cJSON" "cjson/cJSON.h" "libcjson-dev"
    "bzip2" "bzlib.h" "libbz2-dev"
    "liblzma" "lzma.h" "liblzma-dev"
    "LZ4" "lz4frame.h" "liblz4-dev"
    "Brotli" "brotli/encode.h" "libbrotli-dev"
    "libuuid" "uuid/uuid.h" "uuid-dev"
    "Hunspell" "hunspell/hunspell.h" "libhunspell-dev"
    "libwebp" "webp/decode.h" "libwebp-dev"
    "GMP" "gmp.h" "libgmp-dev"
    "GSL" "gsl/gsl_sf.h" "libgsl-dev"
    "libxml2" "libxml2/libxml/parser.h" "libxml2-dev"
    "OpenSSL" "openssl/evp.h" "libssl-dev"
    "libcurl" "curl/curl.h" "libcurl4-openssl-dev"
    "libtiff" "tiffio.h" "libtiff-dev"
    "libpng" "png.h" "libpng-dev"
    "FFTW" "fftw3.h" "libfftw3-dev"
    "FreeType" "freetype2/ft2build.h" "libfreetype-dev"
}
