//! Call any C library; a crash on the C side is an error value.
