//! Password hashing, secret tokens, sealing, permissions and the proof that one was held.
