//! A value that is never printed and is wiped when dropped.

use std::fmt;

use zeroize::Zeroize;

/// Holds a secret. `Debug` shows only that there is one; reading it takes the word `expose`.
#[derive(Clone)]
pub struct Secret<T: Zeroize>(T);

impl<T: Zeroize> Secret<T> {
    /// Takes `value` into keeping.
    pub const fn new(value: T) -> Self {
        Self(value)
    }
    /// The value itself; take care where it goes.
    pub const fn expose(&self) -> &T {
        &self.0
    }
}

impl<T: Zeroize> Drop for Secret<T> {
    fn drop(&mut self) {
        self.0.zeroize();
    }
}

impl<T: Zeroize> fmt::Debug for Secret<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Secret(…)")
    }
}
