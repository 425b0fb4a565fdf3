//! TensorBoard's event files.
//!
//! A file is a list of records: the length, its checksum, the bytes of an `Event` message, their checksum. The messages
//! are protocol buffers, of which these few fields are written by hand.
//!
//! Source: tensorflow `lib/io/record_writer.cc`, `util/event.proto`, `framework/summary.proto`.

use super::Run;

/// The content of a run's event file: its configuration as a text, and every metric.
pub fn file(run: &Run) -> Vec<u8> {
    let mut out = Vec::new();
    let seconds = |ms: i64| ms as f64 / 1e3;
    let mut version = Message::event(seconds(run.begun_ms), 0);
    version.bytes(3, b"brain.Event:2");
    put_record(&version.0, &mut out);
    let config = serde_json::to_string_pretty(&run.config).unwrap_or_default();
    // Four spaces make a text verbatim in Markdown.
    let config: String = config.lines().map(|line| format!("    {line}\n")).collect();
    let mut event = Message::event(seconds(run.begun_ms), 0);
    let mut summary = Message::default();
    summary.message(1, &text_value("config", &config));
    event.message(5, &summary);
    put_record(&event.0, &mut out);
    for metric in &run.metrics {
        let mut summary = Message::default();
        for (name, value) in &metric.values {
            let mut scalar = Message::default();
            scalar.bytes(1, name.as_bytes());
            scalar.float(2, *value as f32);
            summary.message(1, &scalar);
        }
        let mut event = Message::event(seconds(metric.time_ms), u64::from(metric.step));
        event.message(5, &summary);
        put_record(&event.0, &mut out);
    }
    out
}

/// The name of a run's event file. TensorBoard knows a file by this form, and orders files by the time in it.
pub fn file_name(run: &Run) -> String {
    format!("events.out.tfevents.{}.{}", run.begun_ms / 1000, run.id)
}

/// A value that TensorBoard's plugin for texts shows.
fn text_value(tag: &str, text: &str) -> Message {
    /// `DT_STRING`
    const STRING: u64 = 7;
    let mut plugin = Message::default();
    plugin.bytes(1, b"text");
    let mut metadata = Message::default();
    metadata.message(1, &plugin);
    let mut tensor = Message::default();
    tensor.number(1, STRING);
    // A shape without dimensions: one text.
    tensor.message(2, &Message::default());
    tensor.bytes(8, text.as_bytes());
    let mut value = Message::default();
    value.bytes(1, tag.as_bytes());
    value.message(8, &tensor);
    value.message(9, &metadata);
    value
}

/// The bytes of a message, field by field.
#[derive(Default)]
struct Message(Vec<u8>);

impl Message {
    fn event(seconds: f64, step: u64) -> Self {
        let mut event = Self::default();
        event.0.push(1 << 3 | 1);
        event.0.extend(seconds.to_le_bytes());
        event.number(2, step);
        event
    }

    fn varint(&mut self, mut number: u64) {
        while number >= 0x80 {
            self.0.push(number as u8 | 0x80);
            number >>= 7;
        }
        self.0.push(number as u8);
    }

    fn number(&mut self, field: u64, number: u64) {
        self.varint(field << 3);
        self.varint(number);
    }

    fn float(&mut self, field: u64, number: f32) {
        self.varint(field << 3 | 5);
        self.0.extend(number.to_le_bytes());
    }

    fn bytes(&mut self, field: u64, bytes: &[u8]) {
        self.varint(field << 3 | 2);
        self.varint(bytes.len() as u64);
        self.0.extend_from_slice(bytes);
    }

    fn message(&mut self, field: u64, message: &Self) {
        self.bytes(field, &message.0);
    }
}

fn put_record(message: &[u8], out: &mut Vec<u8>) {
    let len = (message.len() as u64).to_le_bytes();
    out.extend(len);
    out.extend(masked(crc32c(&len)).to_le_bytes());
    out.extend_from_slice(message);
    out.extend(masked(crc32c(message)).to_le_bytes());
}

/// A checksum as it is stored beside what it is of.
fn masked(crc: u32) -> u32 {
    crc.rotate_right(15).wrapping_add(0xa282_ead8)
}

/// CRC-32 with Castagnoli's polynomial, reflected.
fn crc32c(bytes: &[u8]) -> u32 {
    let crc = bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| match crc & 1 {
            1 => crc >> 1 ^ 0x82f6_3b78,
            _ => crc >> 1,
        })
    });
    !crc
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::runs::tests::example;

    #[test]
    fn the_checksum_is_castagnolis() {
        // RFC 3720, B.4.
        assert_eq!(crc32c(&[0; 32]), 0x8a91_36aa);
        assert_eq!(crc32c(b"123456789"), 0xe306_9283);
    }

    #[test]
    fn every_record_has_its_length_and_checksums() {
        let file = file(&example("abcdefg1", 0.5).run);
        let (mut rest, mut n) = (&file[..], 0);
        while !rest.is_empty() {
            let len = u64::from_le_bytes(*rest.first_chunk().unwrap_or(&[0; 8])) as usize;
            let at = |at: usize| u32::from_le_bytes(*rest[at..].first_chunk().unwrap_or(&[0; 4]));
            assert_eq!(at(8), masked(crc32c(&rest[..8])));
            assert_eq!(at(12 + len), masked(crc32c(&rest[12..12 + len])));
            rest = &rest[16 + len..];
            n += 1;
        }
        // The version, the configuration, and three metrics.
        assert_eq!(n, 5);
    }
}
