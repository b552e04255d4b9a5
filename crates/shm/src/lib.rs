//! Segments, lanes and waiting: all memory that is shared with a worker.
