//! Spawn, watch, limit, replace and report workers.
