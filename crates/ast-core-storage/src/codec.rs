//! Numbers and texts in bytes, as documents are made of.

/// Writes; nothing that it writes can fail to be read.
#[derive(Debug, Default)]
pub(crate) struct Encoder {
    bytes: Vec<u8>,
}

impl Encoder {
    /// Seven bits a byte, the low ones first, as in LEB128.
    pub(crate) fn number(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.bytes.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.bytes.push(number as u8);
    }

    /// A number of any sign that is mostly small.
    pub(crate) fn difference(&mut self, number: i64) {
        self.number(((number << 1) ^ (number >> 63)).cast_unsigned());
    }

    pub(crate) fn optional_text(&mut self, text: Option<&str>) {
        match text {
            None => self.number(0),
            Some(text) => {
                self.number(text.len() as u64 + 1);
                self.raw(text.as_bytes());
            }
        }
    }

    pub(crate) fn raw(&mut self, bytes: &[u8]) {
        self.bytes.extend_from_slice(bytes);
    }

    pub(crate) fn finish(self) -> Vec<u8> {
        self.bytes
    }
}

/// Reads what may be damaged.
#[derive(Debug)]
pub(crate) struct Decoder<'a> {
    rest: &'a [u8],
}

type Decoded<T> = Result<T, String>;

impl<'a> Decoder<'a> {
    pub(crate) fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    /// How many bytes are still to be read.
    pub(crate) fn left(&self) -> usize {
        self.rest.len()
    }

    pub(crate) fn is_at_end(&self) -> bool {
        self.rest.is_empty()
    }

    pub(crate) fn number(&mut self) -> Decoded<u64> {
        let mut number = 0_u64;
        for shift in (0..64).step_by(7) {
            let (&byte, rest) = self.rest.split_first().ok_or("it ends inside of a number")?;
            self.rest = rest;
            let bits = u64::from(byte & 0x7F);
            if bits << shift >> shift != bits {
                break;
            }
            number |= bits << shift;
            if byte & 0x80 == 0 {
                return Ok(number);
            }
        }
        Err("a number has more than 64 bits".into())
    }

    pub(crate) fn narrow<T: TryFrom<u64>>(&mut self) -> Decoded<T> {
        let number = self.number()?;
        T::try_from(number).map_err(|_| format!("{number} is out of range"))
    }

    pub(crate) fn difference(&mut self) -> Decoded<i64> {
        let number = self.number()?;
        Ok((number >> 1).cast_signed() ^ -((number & 1).cast_signed()))
    }

    /// How many things follow, each of which takes at least a byte: a damaged number asks for no memory.
    pub(crate) fn count(&mut self) -> Decoded<usize> {
        let count = self.narrow::<usize>()?;
        match count <= self.rest.len() {
            true => Ok(count),
            false => Err(format!("{count} things in {} bytes", self.rest.len())),
        }
    }

    pub(crate) fn raw(&mut self, length: usize) -> Decoded<&'a [u8]> {
        let (bytes, rest) = self.rest.split_at_checked(length).ok_or("it ends inside of a text")?;
        self.rest = rest;
        Ok(bytes)
    }

    fn text_of(&mut self, length: usize) -> Decoded<&'a str> {
        std::str::from_utf8(self.raw(length)?).map_err(|error| error.to_string())
    }

    pub(crate) fn optional_text(&mut self) -> Decoded<Option<&'a str>> {
        match self.narrow::<usize>()? {
            0 => Ok(None),
            length => self.text_of(length - 1).map(Some),
        }
    }

    pub(crate) fn optional_number(&mut self) -> Decoded<Option<u32>> {
        match self.number()? {
            0 => Ok(None),
            number => u32::try_from(number - 1).map(Some).map_err(|_| format!("{number} is out of range")),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use proptest::prelude::*;

    proptest! {
        #[test]
        fn what_is_written_is_read(
            number: u64, difference: i64, maybe: Option<String>, narrow: Option<u32>,
        ) {
            let mut encoder = Encoder::default();
            encoder.number(number);
            encoder.difference(difference);
            encoder.optional_text(maybe.as_deref());
            encoder.number(narrow.map_or(0, |number| u64::from(number) + 1));
            let bytes = encoder.finish();
            let mut decoder = Decoder::new(&bytes);
            prop_assert_eq!(decoder.number(), Ok(number));
            prop_assert_eq!(decoder.difference(), Ok(difference));
            prop_assert_eq!(decoder.optional_text(), Ok(maybe.as_deref()));
            prop_assert_eq!(decoder.optional_number(), Ok(narrow));
            prop_assert!(decoder.is_at_end());
        }
    }

    #[test]
    fn what_is_cut_off_or_out_of_range_is_an_error() {
        assert!(Decoder::new(&[0x80]).number().is_err());
        assert!(Decoder::new(&[0xFF; 11]).number().is_err());
        assert!(Decoder::new(&[4, b'a']).optional_text().is_err());
        assert!(Decoder::new(&[2, 0xFF]).optional_text().is_err());
        assert!(Decoder::new(&[200, 1]).narrow::<u8>().is_ok());
        assert!(Decoder::new(&[200, 2]).narrow::<u8>().is_err());
        assert!(Decoder::new(&[9, 0, 0]).count().is_err());
    }
}
