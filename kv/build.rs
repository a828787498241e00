//! Packs the migrations: every component that has the database carries them.

use std::collections::HashMap;
use std::path::Path;
use std::{env, fs, io};

#[path = "src/schema/migrations.rs"]
mod migrations;
#[path = "src/schema/packing.rs"]
mod packing;

use migrations::MIGRATIONS;
use packing::{END_OF_MIGRATION, END_OF_STATEMENT, unpack};

/// What a repetition of four bytes more than 127 is packed as two.
const LONGEST: usize = 127 + 4;
const SHORTEST: usize = 4;
/// Earlier places that are tried for a longer repetition.
const TRIED: usize = 256;

fn main() -> io::Result<()> {
    println_cargo("rerun-if-changed=src/schema");
    println_cargo("rerun-if-changed=build.rs");
    let mut text = String::new();
    for migration in MIGRATIONS {
        for statement in *migration {
            text.push_str(statement);
            text.push(END_OF_STATEMENT);
        }
        text.push(END_OF_MIGRATION);
    }
    let packed = pack(text.as_bytes());
    if unpack(&packed).as_deref() != Some(text.as_bytes()) {
        return Err(io::Error::other(
            "the migrations do not come back as they were packed",
        ));
    }
    let source = format!(
        "pub(super) const VERSION: i64 = {};\npub(super) const PACKED: &[u8] = &{packed:?};\n",
        MIGRATIONS.len()
    );
    #[expect(
        clippy::disallowed_methods,
        reason = "cargo tells a build script so where to write"
    )]
    let folder = env::var_os("OUT_DIR").ok_or_else(|| io::Error::other("cargo sets OUT_DIR"))?;
    fs::write(Path::new(&folder).join("migrations.rs"), source)
}

fn println_cargo(line: &str) {
    println!("cargo::{line}");
}

/// Packs greedily: at each place the longest repetition of something before.
fn pack(bytes: &[u8]) -> Vec<u8> {
    let mut packed = Vec::new();
    let mut literal: Vec<u8> = Vec::new();
    let mut places: HashMap<&[u8], Vec<usize>> = HashMap::new();
    let mut at = 0;
    while at < bytes.len() {
        let (length, distance) = longest(bytes, at, &places);
        let step = if length < SHORTEST {
            literal.extend(bytes.get(at));
            1
        } else {
            flush(&mut literal, &mut packed);
            let count = u8::try_from(length - SHORTEST).unwrap_or(127);
            packed.push(0x80 | count);
            packed.extend(u16::try_from(distance).unwrap_or_default().to_le_bytes());
            length
        };
        for place in at..at + step {
            if let Some(key) = bytes.get(place..place + SHORTEST) {
                places.entry(key).or_default().push(place);
            }
        }
        at += step;
    }
    flush(&mut literal, &mut packed);
    packed
}

/// Length and distance of the longest repetition at a place; 0 for none.
fn longest(bytes: &[u8], at: usize, places: &HashMap<&[u8], Vec<usize>>) -> (usize, usize) {
    let earlier = bytes
        .get(at..at + SHORTEST)
        .and_then(|key| places.get(key))
        .map_or(&[][..], Vec::as_slice);
    let candidates = earlier.iter().rev().take(TRIED);
    let lengths = candidates
        .filter(|place| at - **place <= usize::from(u16::MAX))
        .map(|place| {
            let pairs = bytes.iter().skip(*place).zip(bytes.iter().skip(at));
            let length = pairs.take(LONGEST).take_while(|(a, b)| a == b).count();
            (length, at - place)
        });
    lengths.max_by_key(|(length, _)| *length).unwrap_or((0, 0))
}

fn flush(literal: &mut Vec<u8>, packed: &mut Vec<u8>) {
    for part in literal.chunks(128) {
        packed.push(u8::try_from(part.len() - 1).unwrap_or_default());
        packed.extend_from_slice(part);
    }
    literal.clear();
}
