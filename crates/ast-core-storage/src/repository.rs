//! Which repository a store is of.

use std::fmt;
use std::str::FromStr;

/// The repository that a store holds the index of: 128 bits, drawn at random when the store is made, and its own from
/// then on.
///
/// A store that was removed and made again is another repository, whatever tree it is of; a copy of a store's file is
/// the same one. What is kept beside a store, such as a cache, can tell by it whose it is.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct RepositoryId([u8; 16]);

impl RepositoryId {
    /// The id of these bytes, which a store drew at random.
    pub const fn from_bytes(bytes: [u8; 16]) -> Self {
        Self(bytes)
    }

    /// The 16 bytes.
    pub const fn as_bytes(&self) -> &[u8; 16] {
        &self.0
    }
}

/// 32 hexadecimal digits.
impl fmt::Display for RepositoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.iter().try_for_each(|byte| write!(f, "{byte:02x}"))
    }
}

impl fmt::Debug for RepositoryId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

impl FromStr for RepositoryId {
    type Err = ();

    /// Reads what is shown; nothing else is one.
    fn from_str(text: &str) -> Result<Self, ()> {
        if text.len() != 32 || !text.bytes().all(|byte| matches!(byte, b'0'..=b'9' | b'a'..=b'f')) {
            return Err(());
        }
        u128::from_str_radix(text, 16).map(|number| Self(number.to_be_bytes())).map_err(|_| ())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_shown_is_read(bytes: [u8; 16]) {
            let id = RepositoryId::from_bytes(bytes);
            prop_assert_eq!(id.to_string().parse(), Ok(id));
            prop_assert_eq!(id.as_bytes(), &bytes);
        }
    }

    #[test]
    fn nothing_else_is_one() {
        let digits = "0123456789abcdef0123456789abcdef";
        assert!(digits.parse::<RepositoryId>().is_ok());
        for other in
            ["", &digits[1..], &digits.to_uppercase(), &format!("+{}", &digits[1..]), &format!("{digits}0")]
        {
            assert_eq!(other.parse::<RepositoryId>(), Err(()), "{other}");
        }
    }
}
