//! Passwords, hashed with Argon2id (RFC 9106).

use argon2::{
    Algorithm, Argon2, Params, Version,
    password_hash::{PasswordHasher, PasswordVerifier, phc},
};
use warren_model::{Invalid, Random, ambient::random_bytes};
use zeroize::{Zeroize, ZeroizeOnDrop};

/// 19 MiB, two passes, one lane: the first choice of the OWASP Password Storage Cheat Sheet.
const MEMORY_KIB: u32 = 19 * 1024;
const PASSES: u32 = 2;
const LANES: u32 = 1;

/// The passwords that attackers try first and that are long enough to pass; the identity work brings the full list.
const COMMON: &str = include_str!("common_passwords.txt");

/// A password as somebody typed it: 10 to 256 characters, any of them. Wiped when dropped.
#[derive(Clone, Zeroize, ZeroizeOnDrop)]
pub struct Password(String);

impl Password {
    /// The shortest that may be set.
    pub const CHARACTERS_MIN: usize = 10;
    /// The longest that is read, to bound the work of hashing.
    pub const CHARACTERS_MAX: usize = 256;

    /// A password that is to be set.
    ///
    /// # Errors
    /// [`Invalid::TooShort`], [`Invalid::TooLong`] or [`Invalid::CommonPassword`].
    pub fn to_set(text: String) -> Result<Self, Invalid> {
        let password = Self::to_check(text)?;
        let length = password.0.chars().count();
        if length < Self::CHARACTERS_MIN {
            return Err(Invalid::TooShort { length, min: Self::CHARACTERS_MIN });
        }
        let lower = password.0.to_lowercase();
        let all_equal = lower.chars().all(|c| lower.starts_with(c));
        if all_equal || COMMON.lines().any(|common| common == lower) {
            Err(Invalid::CommonPassword)
        } else {
            Ok(password)
        }
    }

    /// A password that is compared with one set before.
    ///
    /// # Errors
    /// [`Invalid::TooLong`].
    pub fn to_check(text: String) -> Result<Self, Invalid> {
        let password = Self(text);
        let length = password.0.chars().count();
        if length > Self::CHARACTERS_MAX {
            Err(Invalid::TooLong { length, max: Self::CHARACTERS_MAX })
        } else {
            Ok(password)
        }
    }
}

impl std::fmt::Debug for Password {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("Password(…)")
    }
}

/// A hash in PHC string format, which names its own parameters.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PasswordHash(String);

impl PasswordHash {
    /// Hashes `password` with a fresh salt. Takes tens of milliseconds and 19 MiB.
    pub fn of(password: &Password, random: &dyn Random) -> Self {
        let salt: [u8; 16] = random_bytes(random);
        let hash = hasher()
            .hash_password_with_salt(password.0.as_bytes(), &salt)
            .expect("fixed parameters and a salt of 16 bytes are valid");
        Self(hash.to_string())
    }
    /// A hash as it was stored.
    pub const fn from_stored(text: String) -> Self {
        Self(text)
    }
    /// The PHC string.
    pub fn as_str(&self) -> &str {
        &self.0
    }
    /// Whether `password` is the one that was hashed. Takes as long as hashing.
    pub fn matches(&self, password: &Password) -> bool {
        let Ok(stored) = phc::PasswordHash::new(&self.0) else { return false };
        hasher().verify_password(password.0.as_bytes(), &stored).is_ok()
    }
    /// A hash that no password matches, for accounts that do not exist: refusing them takes the same time.
    pub fn of_nobody(random: &dyn Random) -> Self {
        Self::of(&Password(format!("{:x?}", random_bytes::<32>(random))), random)
    }
}

fn hasher() -> Argon2<'static> {
    let params = Params::new(MEMORY_KIB, PASSES, LANES, None).expect("the parameters lie within RFC 9106's limits");
    Argon2::new(Algorithm::Argon2id, Version::V0x13, params)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(Debug)]
    struct Counting;
    impl Random for Counting {
        fn fill(&self, buffer: &mut [u8]) {
            for (at, byte) in buffer.iter_mut().enumerate() {
                *byte = u8::try_from(at % 256).unwrap();
            }
        }
    }

    #[test]
    fn only_the_right_password_matches() {
        let hash = PasswordHash::of(&Password::to_set("correct horse battery".into()).unwrap(), &Counting);
        assert!(hash.as_str().starts_with("$argon2id$v=19$m=19456,t=2,p=1$"));
        assert!(hash.matches(&Password::to_check("correct horse battery".into()).unwrap()));
        assert!(!hash.matches(&Password::to_check("correct horse batterY".into()).unwrap()));
        assert!(!PasswordHash::from_stored("nonsense".into()).matches(&Password::to_check("nonsense".into()).unwrap()));
    }

    #[test]
    fn passwords_that_are_guessed_first_are_refused() {
        assert_eq!(Password::to_set("short".into()).unwrap_err(), Invalid::TooShort { length: 5, min: 10 });
        assert_eq!(Password::to_set("aaaaaaaaaaaa".into()).unwrap_err(), Invalid::CommonPassword);
        assert_eq!(Password::to_set("Password123".into()).unwrap_err(), Invalid::CommonPassword);
        assert!(matches!(Password::to_set("x".repeat(10_000)), Err(Invalid::TooLong { .. })));
        assert!(Password::to_set("пароль из шести слов".into()).is_ok());
    }
}
