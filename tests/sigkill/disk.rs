//! Disks that are full or broken from the n-th operation on, for every n, for whole runs.
