//! Contracts that cannot be read, and what is said about them.
