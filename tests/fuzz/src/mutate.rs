//! Inputs made of another one. The same in, the same out: what a test finds, it finds again.

/// What parsers have stumbled over, and pieces of what these ones read.
const DICTIONARY: &[&[u8]] = &[
    b"\0",
    b"\n",
    b"\r\n",
    b"\t",
    b" ",
    b"..",
    b"/../",
    b"//",
    b"\\",
    b"%",
    b"%00",
    b"%2e%2e",
    b"%2F",
    b"%5c",
    b"%25",
    b"%c0%ae",
    b";",
    b"#",
    b"?",
    b"&",
    b"=",
    b"==",
    b",",
    b":",
    b"@",
    b".",
    b"\"",
    b"\\u0000",
    b"\\ud800",
    b"{}",
    b"[]",
    b"[[[[[[[[",
    b"{\"a\":",
    b"null",
    b"true",
    b"-0",
    b"1e999",
    b"18446744073709551616",
    b"-1",
    b"\xff",
    b"\xc0\xaf",
    b"\xed\xa0\x80",
    b"\xef\xbb\xbf",
    b"\xe2\x80\xae",
    b"none",
    b"HS256",
    b"\"crit\":[\"x\"],",
    b"\"alg\":\"none\",",
    b"\"kid\":\"rsa\",",
    b"t=1,",
    b"v1=",
    b"&a",
    b"*a",
    b"<<: ",
    b"!!python/object",
    b"---\n",
    b"- ",
    b"a: ",
    b"https://",
    b"@evil.example/",
    b"javascript:",
    b"cookie: a=b\n",
    b"host: x\n",
];

/// `count` inputs made of `input`, each with one to four changes: bits, bytes and stretches of it
/// changed, put in, taken out, said twice or cut off.
pub fn mutations(input: &[u8], count: u32) -> impl Iterator<Item = Vec<u8>> {
    let seed = input.iter().fold(0xcbf2_9ce4_8422_2325, |hash, byte| {
        (hash ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3)
    });
    (0..count).map(move |round| {
        let mut numbers = Numbers(seed ^ (u64::from(round) << 32));
        let mut bytes = input.to_vec();
        for _ in 0..=numbers.below(4) {
            change(&mut bytes, &mut numbers);
        }
        bytes
    })
}

/// SplitMix64.
struct Numbers(u64);

impl Numbers {
    fn next(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mut z = self.0;
        z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        z ^ (z >> 31)
    }

    /// From 0, and below `end`; 0 when there is nothing below it.
    fn below(&mut self, end: usize) -> usize {
        (self.next() % (end.max(1) as u64)) as usize
    }

    fn byte(&mut self) -> u8 {
        self.next().to_le_bytes()[0]
    }
}

fn change(bytes: &mut Vec<u8>, numbers: &mut Numbers) {
    let at = numbers.below(bytes.len() + 1);
    let length = numbers.below(16.min(bytes.len() - at) + 1);
    let stretch = at..at + length;
    match numbers.below(8) {
        0 | 1 if at < bytes.len() => bytes[at] ^= 1 << numbers.below(8),
        2 if at < bytes.len() => bytes[at] = numbers.byte(),
        3 => bytes.insert(at, numbers.byte()),
        4 => drop(bytes.drain(stretch)),
        5 => {
            let copy = bytes[stretch].to_vec();
            let to = numbers.below(bytes.len() + 1);
            bytes.splice(to..to, copy);
        }
        6 if numbers.below(4) == 0 => bytes.truncate(at),
        _ => {
            let word = DICTIONARY[numbers.below(DICTIONARY.len())];
            bytes.splice(at..at, word.iter().copied());
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mutations_differ_and_come_again() {
        let first: Vec<_> = mutations(b"a=1&b=2", 100).collect();
        assert_eq!(first, mutations(b"a=1&b=2", 100).collect::<Vec<_>>());
        let changed = first.iter().filter(|own| own.as_slice() != b"a=1&b=2");
        assert!(changed.count() > 90);
        assert_eq!(mutations(b"", 100).count(), 100);
    }
}
