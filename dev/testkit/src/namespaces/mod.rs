//! Network namespaces as the hosts of a test: made with names of their own, wired by veth pairs, removed with what runs
//! in them when the value is dropped, also by a panic. What a killed test left is swept by the next one.
//!
//! Needs root and Debian's iproute2.

