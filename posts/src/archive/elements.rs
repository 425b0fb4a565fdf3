//! `Elements`: the elements of the lists in a JSON file of any length, one after the other, in bounded memory.
//!
//! serde_json reads each element out of a buffer; what is here finds where the next begins. Files of four shapes are read:
//! a list, a document whose fields are lists, one value per line, and a list assigned to a variable of JavaScript, as in
//! `window.YTD.tweets.part0 = [ … ]`.

use std::io::Read;

use serde::de::{DeserializeOwned, IgnoredAny, MapAccess, Visitor};

use super::error::{Encoding, MAX_ELEMENT_BYTES, ReadError};
use super::lossy::{Lossy, NOT_UTF8};

/// Bytes of the buffer at first; it grows for a longer element.
const BUFFER_BYTES: usize = 256 << 10;
/// Most bytes of JavaScript before the list.
const MAX_PREFIX_BYTES: usize = 4096;
/// Deepest list of lists.
const MAX_DEPTH: usize = 16;

/// The fields of a document whose lists are read. They tell a document from an element of one value per line.
pub(super) const LISTS: [&str; 16] = [
    "account",
    "profile",
    "tweets",
    "tweet",
    "note-tweet",
    "note_tweet",
    "community-tweet",
    "community_tweet",
    "upload-options",
    "orderedItems",
    "records",
    "feed",
    "statuses",
    "data",
    "results",
    "posts",
];

/// Where the file stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Next {
    /// Before an element of the list that [`Elements::list`] names.
    Element,
    /// At the end.
    End,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Shape {
    /// Nothing is known yet.
    Unknown,
    /// A value with lists as its fields.
    Document,
    /// Values on the top level are elements, and so are those of lists there.
    Values,
}

/// A reader of one JSON file.
pub(super) struct Elements {
    name: String,
    input: Box<dyn Read>,
    buffer: Vec<u8>,
    /// The part of the buffer that is filled and not yet read.
    at: usize,
    filled: usize,
    /// Offset of the buffer's beginning in the file.
    offset: u64,
    is_at_end: bool,
    /// An error of the input, which counts once the bytes before it are used.
    failed: Option<std::io::Error>,
    shape: Shape,
    /// Open lists.
    depth: usize,
    is_in_document: bool,
    list: String,
    first_list: String,
    /// Whether the file is JavaScript that assigns a list.
    pub is_script: bool,
    has_begun: bool,
}

impl Elements {
    /// `name`: for errors.
    pub fn new(name: &str, input: Box<dyn Read>) -> Self {
        Self {
            name: name.to_owned(),
            input,
            buffer: vec![0; BUFFER_BYTES],
            at: 0,
            filled: 0,
            offset: 0,
            is_at_end: false,
            failed: None,
            shape: Shape::Unknown,
            depth: 0,
            is_in_document: false,
            list: String::new(),
            first_list: String::new(),
            is_script: false,
            has_begun: false,
        }
    }

    /// The file's name.
    pub fn name(&self) -> &str {
        &self.name
    }

    /// Bytes of the file used so far.
    pub fn position(&self) -> u64 {
        self.offset + self.at as u64
    }

    /// The document's field whose list is read; empty outside of a document.
    pub fn list(&self) -> &str {
        &self.list
    }

    /// The document's first field of [`LISTS`]; empty if the file is no document.
    pub fn first_list(&self) -> &str {
        &self.first_list
    }

    /// Looks at the beginning, which [`Self::advance`] otherwise does: what kind of file it is.
    ///
    /// # Errors
    /// As [`Self::advance`].
    pub fn look(&mut self) -> Result<(), ReadError> {
        if !self.has_begun {
            self.has_begun = true;
            self.begin()?;
        }
        if self.shape == Shape::Unknown && self.peek()? == Some(b'{') {
            self.shape = self.shape_of_value()?;
        }
        Ok(())
    }

    /// Reads the element and stays before it.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn peek_at<T: DeserializeOwned>(&mut self) -> Result<Option<T>, ReadError> {
        let start = self.position();
        let value = self.parse::<T>()?;
        let len = usize::try_from(self.position() - start).unwrap_or_default();
        self.at -= len;
        Ok(value)
    }

    /// Moves to the next element.
    ///
    /// # Errors
    /// [`ReadError`] if the file is no JSON, ends in the middle, or cannot be read.
    pub fn advance(&mut self) -> Result<Next, ReadError> {
        if !self.has_begun {
            self.has_begun = true;
            self.begin()?;
        }
        loop {
            let Some(byte) = self.peek()? else {
                return match self.depth > 0 || self.is_in_document {
                    true => Err(self.cut_short()),
                    false => Ok(Next::End),
                };
            };
            match byte {
                b',' | b';' => self.at += 1,
                b'[' if self.depth < MAX_DEPTH => {
                    self.at += 1;
                    self.depth += 1;
                }
                b']' if self.depth > 0 => {
                    self.at += 1;
                    self.depth -= 1;
                }
                _ if self.depth > 0 => return Ok(Next::Element),
                b'}' if self.is_in_document => {
                    self.at += 1;
                    self.is_in_document = false;
                }
                b'"' if self.is_in_document => self.field()?,
                b'{' if !self.is_in_document => {
                    if self.shape == Shape::Unknown {
                        self.shape = self.shape_of_value()?;
                    }
                    match self.shape {
                        Shape::Document => {
                            self.at += 1;
                            self.is_in_document = true;
                        }
                        _ => {
                            self.list.clear();
                            return Ok(Next::Element);
                        }
                    }
                }
                b'"' => return Ok(Next::Element),
                _ => return Err(self.bad_json()),
            }
        }
    }

    /// Reads a field of a document up to the list that is its value; any other value is left out.
    fn field(&mut self) -> Result<(), ReadError> {
        self.list = self.parse::<String>()?.unwrap_or_default();
        if self.peek()? != Some(b':') {
            return Err(self.bad_json());
        }
        self.at += 1;
        match self.peek()? {
            Some(b'[') => {
                self.at += 1;
                self.depth = 1;
            }
            Some(_) => self.skip()?,
            None => return Err(self.cut_short()),
        }
        Ok(())
    }

    /// Reads the element; `None` if it has another shape than `T`.
    ///
    /// # Errors
    /// As [`Self::advance`], and [`ReadError::TooLong`].
    pub fn parse<T: DeserializeOwned>(&mut self) -> Result<Option<T>, ReadError> {
        loop {
            let bytes = &self.buffer[self.at..self.filled];
            let mut values = serde_json::Deserializer::from_slice(bytes).into_iter::<T>();
            match values.next() {
                Some(Ok(value)) => {
                    let len = values.byte_offset();
                    // A number or word at the end of the buffer may go on.
                    let may_go_on = len == bytes.len()
                        && !self.is_at_end
                        && !bytes.ends_with(b"}")
                        && !bytes.ends_with(b"]")
                        && !bytes.ends_with(b"\"");
                    if !may_go_on {
                        self.at += len;
                        return Ok(Some(value));
                    }
                }
                Some(Err(error)) if error.is_eof() => {
                    if self.is_at_end {
                        return Err(self.cut_short());
                    }
                }
                Some(Err(error)) if error.is_data() => {
                    if error.to_string().starts_with(NOT_UTF8) {
                        return Err(self.not_utf8());
                    }
                    self.skip()?;
                    return Ok(None);
                }
                Some(Err(_)) => return Err(self.bad_json()),
                None => return Err(self.cut_short()),
            }
            self.fill()?;
        }
    }

    /// Moves behind the element.
    ///
    /// # Errors
    /// As [`Self::parse`].
    pub fn skip(&mut self) -> Result<(), ReadError> {
        match self.parse::<IgnoredAny>()? {
            Some(_) => Ok(()),
            None => Err(self.bad_json()),
        }
    }

    /// Reads the rest of the input, which lets a compressed file check its end.
    ///
    /// # Errors
    /// The error of the input.
    pub fn drain(&mut self) -> Result<(), ReadError> {
        while !self.is_at_end {
            self.offset += self.filled as u64;
            (self.at, self.filled) = (0, 0);
            self.fill()?;
        }
        match self.failed.take() {
            Some(source) => Err(ReadError::of_io(&self.name, source)),
            None => Ok(()),
        }
    }

    /// Skips the byte order mark and what JavaScript there is before the list.
    fn begin(&mut self) -> Result<(), ReadError> {
        self.fill()?;
        let bytes = &self.buffer[..self.filled];
        if bytes.starts_with(b"\xef\xbb\xbf") {
            self.at = 3;
        } else if is_utf16(bytes) {
            return Err(ReadError::Encoding {
                name: self.name.clone(),
                encoding: Encoding::Utf16,
            });
        }
        if let Some(byte) = self.peek()?
            && !matches!(byte, b'[' | b'{' | b'"')
        {
            let prefix = &self.buffer[self.at..self.filled.min(self.at + MAX_PREFIX_BYTES)];
            match memchr::memchr(b'=', prefix) {
                Some(len) => self.at += len + 1,
                None => return Err(self.bad_json()),
            }
            self.is_script = true;
            // A list that is a field of the assigned value is read too, but not a value per line.
            self.shape = Shape::Values;
        }
        Ok(())
    }

    /// Whether the value that begins here is a document with one of [`LISTS`].
    fn shape_of_value(&mut self) -> Result<Shape, ReadError> {
        loop {
            let bytes = &self.buffer[self.at..self.filled];
            let mut probe = serde_json::Deserializer::from_slice(bytes).into_iter::<Probe>();
            match probe.next() {
                Some(Ok(_)) => return Ok(Shape::Values),
                Some(Err(error)) if error.to_string().starts_with(HAS_LIST) => {
                    let message = error.to_string();
                    let found = LISTS.iter().find(|list| {
                        let named = message[HAS_LIST.len()..].strip_prefix(**list);
                        named.is_some_and(|rest| rest.starts_with(' ') || rest.is_empty())
                    });
                    self.first_list = found.copied().unwrap_or_default().to_owned();
                    return Ok(Shape::Document);
                }
                Some(Err(error)) if error.is_eof() => match self.is_at_end {
                    true => return Ok(Shape::Values),
                    false => self.fill()?,
                },
                _ => return Err(self.bad_json()),
            }
        }
    }

    /// The next byte that is no white space.
    fn peek(&mut self) -> Result<Option<u8>, ReadError> {
        loop {
            let rest = &self.buffer[self.at..self.filled];
            let found = rest.iter().position(|b| !b.is_ascii_whitespace());
            match found {
                Some(n) => {
                    self.at += n;
                    return Ok(Some(self.buffer[self.at]));
                }
                None if self.is_at_end => {
                    self.at = self.filled;
                    return match self.failed.take() {
                        Some(source) => Err(ReadError::of_io(&self.name, source)),
                        None => Ok(None),
                    };
                }
                None => {
                    self.at = self.filled;
                    self.fill()?;
                }
            }
        }
    }

    /// Moves what is unread to the buffer's beginning and fills the rest.
    fn fill(&mut self) -> Result<(), ReadError> {
        self.buffer.copy_within(self.at..self.filled, 0);
        self.filled -= self.at;
        self.offset += self.at as u64;
        self.at = 0;
        if self.filled == self.buffer.len() {
            if self.filled >= MAX_ELEMENT_BYTES {
                return Err(ReadError::TooLong {
                    name: self.name.clone(),
                    at: self.offset,
                });
            }
            self.buffer.resize(2 * self.filled, 0);
        }
        while self.filled < self.buffer.len() {
            match self.input.read(&mut self.buffer[self.filled..]) {
                Ok(0) => {
                    self.is_at_end = true;
                    break;
                }
                Ok(n) => self.filled += n,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => {
                    self.failed = Some(error);
                    self.is_at_end = true;
                    break;
                }
            }
        }
        Ok(())
    }

    fn cut_short(&mut self) -> ReadError {
        match self.failed.take() {
            Some(source) => ReadError::of_io(&self.name, source),
            None => ReadError::CutShort {
                name: self.name.clone(),
                at: self.offset + self.filled as u64,
            },
        }
    }

    fn not_utf8(&self) -> ReadError {
        ReadError::Encoding {
            name: self.name.clone(),
            encoding: Encoding::SingleByte,
        }
    }

    fn bad_json(&self) -> ReadError {
        let rest = &self.buffer[self.at..self.filled];
        let around = &rest[..rest.len().min(MAX_ELEMENT_BYTES)];
        // A strict parser stops at the byte that is no UTF-8 too.
        match std::str::from_utf8(around) {
            Err(error) if error.error_len().is_some() => self.not_utf8(),
            _ => ReadError::Json {
                name: self.name.clone(),
                at: self.position(),
            },
        }
    }
}

/// Whether text begins with a mark of UTF-16, or has a zero in each second byte.
pub(super) fn is_utf16(bytes: &[u8]) -> bool {
    bytes.starts_with(b"\xff\xfe")
        || bytes.starts_with(b"\xfe\xff")
        || bytes.len() >= 4
            && (bytes[0] == 0) != (bytes[1] == 0)
            && (bytes[2] == 0) == (bytes[0] == 0)
            && (bytes[3] == 0) == (bytes[1] == 0)
}

/// The error with which [`Probe`] says that the value has one of [`LISTS`].
const HAS_LIST: &str = "has the list ";

/// Looks for one of [`LISTS`] among the fields of a value.
struct Probe;

impl<'de> serde::Deserialize<'de> for Probe {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for Probe {
    type Value = Self;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("an object")
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        while let Some(key) = map.next_key::<Lossy>()? {
            if LISTS.contains(&key.0.as_str()) {
                // The value of `data` or `tweet` may be an object, as in a list's elements.
                let value = map.next_value::<ListStart>();
                value.map_err(|_| serde::de::Error::custom(format!("{HAS_LIST}{}", key.0)))?;
            } else {
                map.next_value::<IgnoredAny>()?;
            }
        }
        Ok(self)
    }
}

/// Fails with [`HAS_LIST`] if the value is a list.
struct ListStart;

impl<'de> serde::Deserialize<'de> for ListStart {
    fn deserialize<D: serde::Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        deserializer.deserialize_any(Self)
    }
}

impl<'de> Visitor<'de> for ListStart {
    type Value = Self;

    fn expecting(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("any value")
    }

    fn visit_seq<A: serde::de::SeqAccess<'de>>(self, _: A) -> Result<Self, A::Error> {
        Err(serde::de::Error::custom(HAS_LIST))
    }

    fn visit_map<A: MapAccess<'de>>(self, mut map: A) -> Result<Self, A::Error> {
        while map.next_entry::<IgnoredAny, IgnoredAny>()?.is_some() {}
        Ok(self)
    }

    fn visit_bool<E>(self, _: bool) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_i64<E>(self, _: i64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_u64<E>(self, _: u64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_f64<E>(self, _: f64) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_str<E>(self, _: &str) -> Result<Self, E> {
        Ok(self)
    }

    fn visit_unit<E>(self) -> Result<Self, E> {
        Ok(self)
    }
}
