//! Texts on their way to JavaScript, in the form that its strings have.

use napi::bindgen_prelude::{Latin1String, ToNapiValue, Utf16String};
use napi::sys;

/// Texts behind each other, as one: a byte a character as long as all of it is ASCII, and UTF-16 from then on.
///
/// In this form JavaScript copies it, and has not to look at each byte first, which takes its thread several times as long.
pub struct Text(Form);

enum Form {
    Ascii(String),
    Utf16(Vec<u16>),
}

impl Default for Text {
    fn default() -> Self {
        Self::with_capacity(0)
    }
}

impl Text {
    /// An empty one that has place for so many characters.
    pub(crate) fn with_capacity(characters: usize) -> Self {
        Self(Form::Ascii(String::with_capacity(characters)))
    }

    /// How long it is in UTF-16 code units. No more than 2^29 are ever read: JavaScript has no longer strings.
    pub(crate) fn units(&self) -> u32 {
        match &self.0 {
            Form::Ascii(text) => text.len() as u32,
            Form::Utf16(units) => units.len() as u32,
        }
    }

    /// Adds a piece, and says where it begins and ends, in UTF-16 code units.
    pub(crate) fn add(&mut self, piece: &str) -> [u32; 2] {
        let begin = self.units();
        match &mut self.0 {
            Form::Ascii(text) if piece.is_ascii() => text.push_str(piece),
            Form::Ascii(text) => {
                let mut units = Vec::with_capacity(text.capacity());
                units.extend(text.bytes().map(u16::from));
                units.extend(piece.encode_utf16());
                self.0 = Form::Utf16(units);
            }
            Form::Utf16(units) if piece.is_ascii() => units.extend(piece.bytes().map(u16::from)),
            Form::Utf16(units) => units.extend(piece.encode_utf16()),
        }
        [begin, self.units()]
    }
}

impl ToNapiValue for Text {
    unsafe fn to_napi_value(env: sys::napi_env, text: Self) -> napi::Result<sys::napi_value> {
        // SAFETY: whoever calls this gives an environment that is alive, on its thread; nothing else is asked for.
        unsafe {
            match text.0 {
                Form::Ascii(text) => Latin1String::to_napi_value(env, text.into()),
                Form::Utf16(units) => Utf16String::to_napi_value(env, units.into()),
            }
        }
    }
}
