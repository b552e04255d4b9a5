//! Interface to shim and packages.
