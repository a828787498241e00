//! How the migrations are packed: LZ77 without tables, in a form that a few lines read.
//!
//! A byte below 128 is followed by that many bytes and one more, as they are. One of 128 or more is a
//! repetition of `byte - 128 + 4` bytes, and the two after it say, little-endian, how far back they are.
//! The build script packs, the components only unpack.

/// Ends a statement.
pub const END_OF_STATEMENT: char = '\u{1}';
/// Ends a migration.
pub const END_OF_MIGRATION: char = '\u{2}';

/// Shortest repetition: a shorter one is no shorter packed.
const SHORTEST: usize = 4;

/// The bytes that were packed; `None` for what is no packing.
pub fn unpack(mut packed: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    while let [control, rest @ ..] = packed {
        let length = usize::from(control & 0x7f);
        if *control < 0x80 {
            let (literal, after) = rest.split_at_checked(length + 1)?;
            bytes.extend_from_slice(literal);
            packed = after;
        } else {
            let [low, high, after @ ..] = rest else {
                return None;
            };
            let distance = usize::from(u16::from_le_bytes([*low, *high]));
            let start = bytes.len().checked_sub(distance)?;
            // Byte by byte: a repetition may reach into itself.
            for index in start..start + length + SHORTEST {
                let byte = *bytes.get(index)?;
                bytes.push(byte);
            }
            packed = after;
        }
    }
    Some(bytes)
}
