//! Numbers side by side that are alike: a column a kind. What is nearly always zero takes no room, as the zeros at the end
//! of a column are left out.

use crate::codec::{Decoder, Encoder};

/// Writes `N` columns of numbers, and texts behind them.
pub(super) struct Columns<const N: usize> {
    numbers: [Encoder; N],
    texts: Encoder,
}

impl<const N: usize> Columns<N> {
    pub(super) fn new() -> Self {
        Self { numbers: std::array::from_fn(|_| Encoder::default()), texts: Encoder::default() }
    }

    pub(super) fn number(&mut self, column: usize, number: u64) {
        self.numbers[column].number(number);
    }

    pub(super) fn difference(&mut self, column: usize, value: impl Into<i64>, expected: impl Into<i64>) {
        self.numbers[column].difference(value.into() - expected.into());
    }

    /// A number that is mostly the one that is expected.
    pub(super) fn maybe(&mut self, column: usize, number: Option<u32>, expected: Option<u32>) {
        let code = match number {
            same if same == expected => 0,
            None => 1,
            Some(number) => u64::from(number) + 2,
        };
        self.number(column, code);
    }

    /// A text, whose length is to be found elsewhere.
    pub(super) fn text(&mut self, text: &[u8]) {
        self.texts.raw(text);
    }

    pub(super) fn finish(self) -> Vec<u8> {
        let mut all = Encoder::default();
        let columns = self.numbers.map(|column| {
            let mut bytes = column.finish();
            // The last byte of a number is zero only if all of it is.
            let end = bytes.iter().rposition(|byte| *byte != 0).map_or(0, |at| at + 1);
            bytes.truncate(end);
            bytes
        });
        columns.iter().for_each(|column| all.number(column.len() as u64));
        columns.iter().for_each(|column| all.raw(column));
        all.raw(&self.texts.finish());
        all.finish()
    }
}

/// Reads what [`Columns`] wrote, or what may be damaged.
pub(super) struct ColumnReader<'a, const N: usize> {
    numbers: [Decoder<'a>; N],
    texts: Decoder<'a>,
}

impl<'a, const N: usize> ColumnReader<'a, N> {
    pub(super) fn new(bytes: &'a [u8]) -> Result<Self, String> {
        let mut all = Decoder::new(bytes);
        let mut lengths = [0; N];
        for length in &mut lengths {
            *length = all.narrow::<usize>()?;
        }
        let mut numbers = std::array::from_fn(|_| Decoder::new(&[]));
        for (column, length) in numbers.iter_mut().zip(lengths) {
            *column = Decoder::new(all.raw(length)?);
        }
        Ok(Self { numbers, texts: all })
    }

    pub(super) fn number(&mut self, column: usize) -> Result<u64, String> {
        match self.numbers[column].is_at_end() {
            true => Ok(0),
            false => self.numbers[column].number(),
        }
    }

    /// How many numbers are left in a column of which none is zero: a number that is damaged asks for no memory.
    pub(super) fn at_most(&self, column: usize) -> usize {
        self.numbers[column].left()
    }

    pub(super) fn has(&self, column: usize) -> bool {
        !self.numbers[column].is_at_end()
    }

    pub(super) fn length(&mut self, column: usize) -> Result<usize, String> {
        let number = self.number(column)?;
        usize::try_from(number).map_err(|error| error.to_string())
    }

    pub(super) fn difference(&mut self, column: usize, expected: impl Into<i64>) -> Result<u32, String> {
        let number = self.number(column)?;
        let expected = expected.into();
        let value = expected.checked_add((number >> 1).cast_signed() ^ -((number & 1).cast_signed()));
        value
            .and_then(|value| u32::try_from(value).ok())
            .ok_or_else(|| format!("a place that is out of range, beside {expected}"))
    }

    pub(super) fn maybe(&mut self, column: usize, expected: Option<u32>) -> Result<Option<u32>, String> {
        match self.number(column)? {
            0 => Ok(expected),
            1 => Ok(None),
            code => u32::try_from(code - 2).map(Some).map_err(|_| format!("{code} is out of range")),
        }
    }

    pub(super) fn text(&mut self, length: usize) -> Result<&'a [u8], String> {
        self.texts.raw(length)
    }

    /// An error if there is more than was read.
    pub(super) fn finish(self) -> Result<(), String> {
        match self.texts.is_at_end() && self.numbers.iter().all(Decoder::is_at_end) {
            true => Ok(()),
            false => Err("more than was written".into()),
        }
    }
}
