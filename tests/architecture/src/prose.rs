//! What the sources that ship say to a reader: their texts, as the compiler reads them.

use std::fs;
use std::io;
use std::iter::Peekable;
use std::path::{Path, PathBuf};
use std::str::Chars;

/// Folders of what ships, below the root of the workspace.
const SHIPPED: [&str; 3] = ["crates", "components", "cli"];

/// A text, and where it stands.
#[derive(Clone, Debug)]
pub struct Text {
    /// The file.
    pub file: PathBuf,
    /// What it says.
    pub words: String,
}

/// Every text with a space in it, of every source that ships.
///
/// # Errors
/// A source can't be read.
pub fn texts() -> io::Result<Vec<Text>> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("../..");
    let mut files = Vec::new();
    for folder in SHIPPED {
        sources(&root.join(folder), &mut files)?;
    }
    let mut texts = Vec::new();
    for file in files {
        let source = fs::read_to_string(&file)?;
        // Tests stand at the end, and tell nobody what to do.
        let shipped = source.split("#[cfg(test)]\nmod tests {").next();
        for words in literals(shipped.unwrap_or_default()) {
            if words.contains(' ') {
                let file = file.clone();
                texts.push(Text { file, words });
            }
        }
    }
    Ok(texts)
}

fn sources(folder: &Path, found: &mut Vec<PathBuf>) -> io::Result<()> {
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        let is_test = path.file_stem().is_some_and(|name| name == "tests");
        if is_test {
            continue;
        }
        if path.is_dir() {
            sources(&path, found)?;
        } else if path.extension().is_some_and(|end| end == "rs") {
            found.push(path);
        }
    }
    Ok(())
}

/// The string literals of a source, without raw ones: those are SQL, JSON and patterns.
fn literals(source: &str) -> Vec<String> {
    let mut found = Vec::new();
    let mut chars = source.chars().peekable();
    while let Some(c) = chars.next() {
        match (c, chars.peek()) {
            ('/', Some('/')) => {
                chars.by_ref().find(|c| *c == '\n');
            }
            // A character may be a quote; what else begins so is a lifetime.
            ('\'', Some('\\')) => {
                chars.nth(1);
            }
            ('\'', Some('"')) => {
                chars.next();
            }
            ('r', Some('"' | '#')) => skip_raw(&mut chars),
            ('"', _) => found.push(literal(&mut chars)),
            _ => {}
        }
    }
    found
}

/// Goes behind a raw literal, if one begins here.
fn skip_raw(chars: &mut Peekable<Chars<'_>>) {
    let mut hashes = 0;
    while chars.next_if_eq(&'#').is_some() {
        hashes += 1;
    }
    if chars.next_if_eq(&'"').is_none() {
        return;
    }
    while chars.by_ref().any(|c| c == '"') {
        let mut left = hashes;
        while left > 0 && chars.next_if_eq(&'#').is_some() {
            left -= 1;
        }
        if left == 0 {
            return;
        }
    }
}

/// The rest of a literal whose quote was just read.
fn literal(chars: &mut Peekable<Chars<'_>>) -> String {
    let mut words = String::new();
    while let Some(c) = chars.next() {
        match c {
            '"' => break,
            '\\' => match chars.next() {
                // Goes on where the next line begins.
                Some('\n') => while chars.next_if(|c| c.is_whitespace()).is_some() {},
                Some('n') => words.push('\n'),
                Some(other) => words.push(other),
                None => {}
            },
            _ => words.push(c),
        }
    }
    words
}

#[cfg(test)]
mod tests {
    use super::literals;

    #[test]
    fn literals_are_read_as_the_compiler_does() {
        let source = r##"
            // "not this"
            let a = "one \"two\" \
                     three"; let b = '"'; let c = '\''; fn d<'a>(e: &'a str) {}
            let f = r#"not "this" either"#; let g = r"nor this"; let h = b"four";
        "##;
        assert_eq!(literals(source), ["one \"two\" three", "four"]);
    }
}
