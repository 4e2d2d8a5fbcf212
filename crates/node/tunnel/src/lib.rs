//! The gateway as a state machine without I/O: desired state in, commands and reports out.
