//! `.env`: `NAME=value` lines, optionally after `export`; values bare (a ` #` begins a comment), or in
//! single or double quotes. No expansion. The same grammar as `cargo xtask up` reads.

use std::ops::Range;

/// A line that is no `NAME=value`, from 1. It may hold a credential: it is named, not shown.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct BadLine(pub usize);

/// A value that no line can hold: it has a line end, or both kinds of quotes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Unwritable;

/// One assignment.
struct Assignment<'a> {
    name: &'a str,
    value: &'a str,
    /// Where the value is within the line, its quotes included.
    place: Range<usize>,
}

/// All assignments, in their order.
///
/// # Errors
/// The first [`BadLine`].
pub fn read(text: &str) -> Result<Vec<(String, String)>, BadLine> {
    let mut values = Vec::new();
    for (index, line) in text.lines().enumerate() {
        if let Some(found) = assignment(line).map_err(|_| BadLine(index + 1))? {
            values.push((found.name.to_owned(), found.value.to_owned()));
        }
    }
    Ok(values)
}

/// The text with `name` set to `value`: in place wherever it is set already (names compare without
/// case, and the last one counts), else on a new line. Everything else stays, byte for byte.
///
/// # Errors
/// [`Unwritable`]. The text has been read before: a bad line is left as it is.
pub fn set(text: &str, name: &str, value: &str) -> Result<String, Unwritable> {
    let quoted = quote(value)?;
    let mut edited = String::with_capacity(text.len() + name.len() + quoted.len() + 2);
    let mut is_set = false;
    for whole in text.split_inclusive('\n') {
        let line = whole.strip_suffix('\n').unwrap_or(whole);
        let line = line.strip_suffix('\r').unwrap_or(line);
        let found = assignment(line).ok().flatten();
        match found.filter(|found| found.name.eq_ignore_ascii_case(name)) {
            Some(found) => {
                is_set = true;
                edited.push_str(whole.get(..found.place.start).unwrap_or_default());
                edited.push_str(&quoted);
                let rest = whole.get(found.place.end..).unwrap_or_default();
                if rest.starts_with('#') && !quoted.is_empty() {
                    edited.push(' ');
                }
                edited.push_str(rest);
            }
            None => edited.push_str(whole),
        }
    }
    if !is_set {
        if !edited.is_empty() && !edited.ends_with('\n') {
            edited.push('\n');
        }
        edited.push_str(&format!("{name}={quoted}\n"));
    }
    Ok(edited)
}

/// `None` for an empty line or a comment.
fn assignment(line: &str) -> Result<Option<Assignment<'_>>, Unreadable> {
    let trimmed = line.trim();
    if trimmed.is_empty() || trimmed.starts_with('#') {
        return Ok(None);
    }
    let pair = trimmed.strip_prefix("export ").unwrap_or(trimmed);
    let (name, value) = pair.split_once('=').ok_or(Unreadable)?;
    let name = name.trim();
    let plain = |letter: char| letter.is_ascii_alphanumeric() || letter == '_';
    if name.is_empty() || !name.chars().all(plain) {
        return Err(Unreadable);
    }
    let (value, written) = parse_value(value.trim()).ok_or(Unreadable)?;
    // `value` ends where the trimmed line does.
    let after = line.len() - line.trim_start().len() + trimmed.len();
    let begin = after - pair_rest(pair).len();
    Ok(Some(Assignment {
        name,
        value,
        place: begin..begin + written,
    }))
}

struct Unreadable;

/// What comes after the `=`, without the spaces in between.
fn pair_rest(pair: &str) -> &str {
    pair.split_once('=')
        .map_or("", |(_, value)| value.trim_start())
}

/// The value, and how many bytes of the text it is written in.
fn parse_value(text: &str) -> Option<(&str, usize)> {
    for quote in ['"', '\''] {
        if let Some(rest) = text.strip_prefix(quote) {
            let (value, after) = rest.split_once(quote)?;
            let after = after.trim();
            let ends = after.is_empty() || after.starts_with('#');
            return ends.then_some((value, value.len() + 2));
        }
    }
    if text.starts_with('#') {
        return Some(("", 0));
    }
    let end = text.find(" #").unwrap_or(text.len());
    let value = text.get(..end)?.trim_end();
    Some((value, value.len()))
}

/// As a value is written: bare where a shell reads it so too, else in quotes.
fn quote(value: &str) -> Result<String, Unwritable> {
    let bare = |c: char| c.is_ascii_alphanumeric() || "_./:@%+=,~-".contains(c);
    if value.chars().all(bare) {
        return Ok(value.to_owned());
    }
    if value.contains(['\n', '\r']) {
        return Err(Unwritable);
    }
    match (value.contains('\''), value.contains('"')) {
        (false, _) => Ok(format!("'{value}'")),
        (true, false) => Ok(format!("\"{value}\"")),
        (true, true) => Err(Unwritable),
    }
}

#[cfg(test)]
mod tests;
