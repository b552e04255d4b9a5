//! bind.toml to checked interface: parsing, inference rules, diagnostics with source spans.
