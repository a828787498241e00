//! A gzip encoder as small as the format allows (RFC 1951, 1952): fixed codes, runs of one byte as matches.

/// Compresses; a run of one byte shrinks to a hundredth, anything else hardly.
pub(crate) fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut out = vec![0x1f, 0x8b, 8, 0, 0, 0, 0, 0, 0, 255];
    let mut bits = Bits {
        out: &mut out,
        held: 0,
        count: 0,
    };
    // One final block with the fixed codes.
    bits.push(0b011, 3);
    let mut at = 0;
    while at < bytes.len() {
        let run = bytes[at..].iter().take_while(|b| **b == bytes[at]).count();
        bits.literal(bytes[at]);
        at += 1;
        // Length 258 at distance 1: the longest match there is, with no extra bits.
        for _ in 0..(run - 1) / 258 {
            bits.code(0b1100_0101, 8);
            bits.code(0, 5);
            at += 258;
        }
    }
    bits.code(0, 7);
    bits.finish();
    out.extend(crc32(bytes).to_le_bytes());
    out.extend(
        u32::try_from(bytes.len() & 0xffff_ffff)
            .unwrap_or(0)
            .to_le_bytes(),
    );
    out
}

struct Bits<'a> {
    out: &'a mut Vec<u8>,
    held: u32,
    count: u32,
}

impl Bits<'_> {
    fn push(&mut self, bits: u32, count: u32) {
        self.held |= bits << self.count;
        self.count += count;
        while self.count >= 8 {
            self.out.push(self.held.to_le_bytes()[0]);
            self.held >>= 8;
            self.count -= 8;
        }
    }

    /// A Huffman code goes out from its highest bit.
    fn code(&mut self, code: u32, length: u32) {
        self.push(code.reverse_bits() >> (32 - length), length);
    }

    fn literal(&mut self, byte: u8) {
        let byte = u32::from(byte);
        if byte < 144 {
            self.code(0x30 + byte, 8);
        } else {
            self.code(0x190 + byte - 144, 9);
        }
    }

    fn finish(mut self) {
        self.push(0, (8 - self.count) % 8);
    }
}

fn crc32(bytes: &[u8]) -> u32 {
    !bytes.iter().fold(u32::MAX, |crc, byte| {
        (0..8).fold(crc ^ u32::from(*byte), |crc, _| {
            (crc >> 1) ^ (0xedb8_8320 & (crc & 1).wrapping_neg())
        })
    })
}

#[cfg(test)]
mod tests {
    use super::{crc32, gzip};

    #[test]
    fn checksum_is_the_known_one() {
        assert_eq!(crc32(b"123456789"), 0xcbf4_3926);
    }

    #[test]
    fn runs_shrink_to_a_hundredth() {
        assert!(gzip(&vec![b' '; 1 << 20]).len() < 12_000);
    }

    /// Vectors that another implementation reads back as the same text.
    #[test]
    fn encodes_as_another_implementation_reads_it() {
        for (text, expected) in [
            (&b""[..], "0300 00000000 00000000"),
            (
                b"{\"data\":[]}",
                "ab564a492c4954b28a8ead0500 9464b25e 0b000000",
            ),
            (b"\xc3\xa9\xff", "3bbcf23f00 26196f3e 03000000"),
            (&[b' '; 259], "53180500 81a850b9 03010000"),
        ] {
            let hex: String = gzip(text)[10..]
                .iter()
                .map(|b| format!("{b:02x}"))
                .collect();
            assert_eq!(hex, expected.replace(' ', ""));
        }
    }
}
