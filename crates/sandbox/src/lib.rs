//! Launch steps and limits of a worker, as data; system calls only in src/sys.
