//! The lengths of a pickle's instructions, of which only those that `torch.save` writes are known.

const MAX_TEXT_BYTES: usize = 1 << 16;
const MAX_LINE_BYTES: usize = 1 << 10;

/// Length of the instruction that begins in `buffer`; while its length is unknown, a number above the buffer's length.
///
/// # Errors
/// What is wrong with the instruction.
pub(super) fn len(buffer: &[u8]) -> Result<usize, &'static str> {
    let Some(code) = buffer.first() else {
        return Ok(1);
    };
    let argument = &buffer[1..];
    let text = |prefix: usize| -> Result<usize, &'static str> {
        let Some(len) = argument.get(..prefix) else {
            return Ok(1 + prefix);
        };
        let mut bytes = [0; 8];
        bytes[..prefix].copy_from_slice(len);
        match usize::try_from(u64::from_le_bytes(bytes)) {
            Ok(len) if len <= MAX_TEXT_BYTES => Ok(1 + prefix + len),
            _ => Err("a name is longer than 64 KiB"),
        }
    };
    Ok(match *code {
        b'('
        | b')'
        | b'.'
        | b'N'
        | b'Q'
        | b'R'
        | b']'
        | b'a'
        | b'b'
        | b'e'
        | b's'
        | b't'
        | b'u'
        | b'}'
        | 0x81
        | 0x85..=0x89
        | 0x8f..=0x93
        | 0x94 => 1,
        0x80 | b'K' | b'h' | b'q' => 2,
        // The text of Python 2.
        b'U' => text(1)?,
        b'T' => text(4)?,
        b'M' => 3,
        b'J' | b'j' | b'r' => 5,
        b'G' | 0x95 => 9,
        b'X' | b'B' => text(4)?,
        b'C' | 0x8a | 0x8c => text(1)?,
        0x8d | 0x8e | 0x96 => text(8)?,
        // Two lines.
        b'c' | b'i' => match argument.iter().filter(|b| **b == b'\n').count() {
            2 => buffer.len(),
            _ if argument.len() > MAX_LINE_BYTES => {
                return Err("a name is longer than 1 KiB");
            }
            _ => buffer.len() + 1,
        },
        _ => return Err("it holds an instruction that torch.save does not write"),
    })
}
