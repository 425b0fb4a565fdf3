//! The printable characters that stand for bytes in the tokens of a byte-level BPE.

/// The character that stands for a byte in the text of a token.
///
/// Source: openai/gpt-2 `src/encoder.py`, `bytes_to_unicode`.
pub fn char_of_byte(byte: u8) -> char {
    let code = match byte {
        b'!'..=b'~' | 0xA1..=0xAC | 0xAE..=0xFF => u32::from(byte),
        // The other bytes, in order, take the code points from U+0100 on.
        0..=b' ' => 0x100 + u32::from(byte),
        0x7F..=0xA0 => 0x100 + 33 + u32::from(byte - 0x7F),
        0xAD => 0x100 + 67,
    };
    char::from_u32(code).expect("all code points here are below U+0144")
}

/// A text with every byte replaced by its character.
pub fn in_byte_alphabet(text: &str) -> String {
    text.bytes().map(char_of_byte).collect()
}
