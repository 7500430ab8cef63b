//! Content hashes.

use crate::ModelError;
use std::fmt;
use std::str::FromStr;

/// The first 128 bits of a content's BLAKE3 hash.
///
/// Two different contents share one with a chance of about 2^-64 among four billion of them, so equal hashes are
/// taken for equal contents.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct ContentHash([u8; 16]);

impl ContentHash {
    /// Hashes bytes.
    pub fn of(content: &[u8]) -> Self {
        let mut first = [0; 16];
        first.copy_from_slice(&blake3::hash(content).as_bytes()[..16]);
        Self(first)
    }

    /// The hash with these bytes.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

impl fmt::Display for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for ContentHash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for ContentHash {
    type Err = ModelError;

    fn from_str(text: &str) -> Result<Self, ModelError> {
        let invalid = || ModelError::InvalidHash { received: text.to_owned() };
        if text.len() != 32 || !text.bytes().all(|byte| byte.is_ascii_hexdigit()) {
            return Err(invalid());
        }
        let number = u128::from_str_radix(text, 16).map_err(|_| invalid())?;
        Ok(Self(number.to_be_bytes()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn is_the_published_blake3_of_the_empty_input() {
        // The first half of the test vector for input length 0 in the BLAKE3 repository.
        assert_eq!(ContentHash::of(b"").to_string(), "af1349b9f5f9a1a6a0404dea36dcc949");
    }

    #[test]
    fn text_form_round_trips_and_refuses_anything_else() {
        let hash = ContentHash::of(b"fn main() {}");
        assert_eq!(hash.to_string().parse(), Ok(hash));
        for text in ["", "af", "+f1349b9f5f9a1a6a0404dea36dcc949", "zz1349b9f5f9a1a6a0404dea36dcc949"] {
            assert!(text.parse::<ContentHash>().is_err(), "{text}");
        }
    }
}
