//! The checked interface: types, functions, ownership, size expressions, wire layout, fingerprints.
