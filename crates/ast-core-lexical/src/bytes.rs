//! Numbers as bytes, and back with every bound checked.

use crate::error::Damage;

/// Appends a number in groups of seven bits, low ones first, as LEB128 does.
pub(crate) fn put(out: &mut Vec<u8>, mut number: u64) {
    while number >= 0x80 {
        out.push(number as u8 | 0x80);
        number >>= 7;
    }
    out.push(number as u8);
}

/// How many bytes [`put`] appends.
pub(crate) fn size(number: u64) -> usize {
    (64 - (number | 1).leading_zeros() as usize).div_ceil(7)
}

/// Reads bytes from the front.
#[derive(Debug, Clone)]
pub(crate) struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl<'a> Reader<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { bytes, at: 0 }
    }

    /// Reads what is from this offset on.
    pub(crate) fn from(bytes: &'a [u8], at: usize) -> Self {
        Self { bytes, at: at.min(bytes.len()) }
    }

    pub(crate) fn at(&self) -> usize {
        self.at
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.at == self.bytes.len()
    }

    pub(crate) fn byte(&mut self) -> Result<u8, Damage> {
        let byte = *self.bytes.get(self.at).ok_or(Damage("it ends early"))?;
        self.at += 1;
        Ok(byte)
    }

    pub(crate) fn take(&mut self, count: usize) -> Result<&'a [u8], Damage> {
        let rest = &self.bytes[self.at..];
        let taken = rest.get(..count).ok_or(Damage("it ends early"))?;
        self.at += count;
        Ok(taken)
    }

    #[inline]
    pub(crate) fn u64(&mut self) -> Result<u64, Damage> {
        let first = self.byte()?;
        if first < 0x80 {
            return Ok(u64::from(first));
        }
        let mut number = u64::from(first & 0x7F);
        for shift in (7..64).step_by(7) {
            let byte = self.byte()?;
            let bits = u64::from(byte & 0x7F);
            if shift == 63 && bits > 1 {
                break;
            }
            number |= bits << shift;
            if byte < 0x80 {
                return Ok(number);
            }
        }
        Err(Damage("a number does not end"))
    }

    #[inline]
    pub(crate) fn u32(&mut self) -> Result<u32, Damage> {
        u32::try_from(self.u64()?).map_err(|_| Damage("a number is too large"))
    }

    /// A number of things that take a byte each at least, so that memory for them is within reason.
    pub(crate) fn count(&mut self) -> Result<usize, Damage> {
        let count = self.u64()?;
        match usize::try_from(count) {
            Ok(count) if count <= self.bytes.len() - self.at => Ok(count),
            _ => Err(Damage("it counts more than it can hold")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn numbers_come_back(numbers in prop::collection::vec(
            (any::<u64>(), 0..64_u32).prop_map(|(number, shift)| number >> shift), 0..50,
        )) {
            let mut bytes = Vec::new();
            for &number in &numbers {
                let before = bytes.len();
                put(&mut bytes, number);
                prop_assert_eq!(bytes.len() - before, size(number));
            }
            let mut reader = Reader::new(&bytes);
            for &number in &numbers {
                prop_assert_eq!(reader.u64(), Ok(number));
            }
            prop_assert!(reader.is_empty());
        }

        #[test]
        fn any_bytes_are_numbers_or_damage(bytes in prop::collection::vec(any::<u8>(), 0..40)) {
            let mut reader = Reader::new(&bytes);
            while !reader.is_empty() && reader.u64().is_ok() {}
        }
    }
}
