//! What a host and its worker say to each other: layouts, packets, error kinds. Pure data.
