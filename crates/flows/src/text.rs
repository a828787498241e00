//! Texts and names from outside, bounded.

use scaigate_problem::Problem;
use scaigate_types::{FlowId, GroupId, PackageId};

use scaigate_problem::Code;

/// Longest name, in characters.
pub const MAX_NAME: usize = 200;
/// Longest description, in characters.
pub const MAX_DESCRIPTION: usize = 4000;
/// Longest read-me, in bytes.
pub const MAX_README: usize = 65_536;
/// Most groups a package is shown to.
pub const MAX_GROUPS: usize = 100;

/// Characters that let a text be read as another.
const fn changes_direction(c: char) -> bool {
    matches!(c, '\u{200e}' | '\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2066}'..='\u{2069}')
}

fn bounded<'a>(field: &str, text: &'a str, max: usize) -> Result<&'a str, Problem> {
    let text = text.trim();
    if text.chars().count() > max {
        return Err(Problem::invalid_field(field, "too long").with("limit", max));
    }
    Ok(text)
}

/// A name: one line that is not empty.
///
/// # Errors
/// [`Code::InvalidRequest`].
pub fn name(text: &str) -> Result<&str, Problem> {
    let text = bounded("name", text, MAX_NAME)?;
    if text.is_empty() {
        return Err(Problem::invalid_field("name", "empty"));
    }
    if text.chars().any(|c| c.is_control() || changes_direction(c)) {
        return Err(Problem::invalid_field(
            "name",
            "holds a control or direction-changing character",
        ));
    }
    Ok(text)
}

/// A description: lines. `None` for an empty one.
///
/// # Errors
/// [`Code::InvalidRequest`].
pub fn description(text: &str) -> Result<Option<&str>, Problem> {
    let text = bounded("description", text, MAX_DESCRIPTION)?;
    lines("description", text).map(|text| Some(text).filter(|text| !text.is_empty()))
}

/// A read-me, as it is.
///
/// # Errors
/// [`Code::InvalidRequest`].
pub fn readme(text: &str) -> Result<&str, Problem> {
    if text.len() > MAX_README {
        return Err(Problem::invalid_field("readme", "too long").with("limit", MAX_README));
    }
    lines("readme", text)
}

fn lines<'a>(field: &str, text: &'a str) -> Result<&'a str, Problem> {
    let is_bad = |c: char| c.is_control() && !matches!(c, '\n' | '\r' | '\t');
    if text.chars().any(|c| is_bad(c) || changes_direction(c)) {
        return Err(Problem::invalid_field(
            field,
            "holds a control or direction-changing character",
        ));
    }
    Ok(text)
}

/// What is looked for in names.
///
/// # Errors
/// [`Code::InvalidRequest`].
pub fn search(text: &str) -> Result<&str, Problem> {
    if text.chars().count() > MAX_NAME || text.chars().any(char::is_control) {
        return Err(Problem::invalid_field(
            "search",
            "too long, or not printable",
        ));
    }
    Ok(text)
}

/// A flow of an address. What is no identifier is not there.
///
/// # Errors
/// [`Code::FlowNotFound`].
pub fn flow_id(text: &str) -> Result<FlowId, Problem> {
    FlowId::parse(text).map_err(|_| Problem::new(Code::FlowNotFound))
}

fn is_package_id(text: &str) -> bool {
    text.starts_with(|c: char| c.is_ascii_alphanumeric())
        && text
            .bytes()
            .all(|byte| byte.is_ascii_alphanumeric() || matches!(byte, b'.' | b'_' | b'-'))
        // The address of publishing.
        && text != "publish"
}

/// A package of an address. What is no identifier is not there.
///
/// # Errors
/// [`Code::PackageNotFound`].
pub fn package_id(text: &str) -> Result<PackageId, Problem> {
    PackageId::parse(text)
        .ok()
        .filter(|id| is_package_id(id.as_str()))
        .ok_or_else(|| Problem::new(Code::PackageNotFound))
}

/// The name that an author gives a package.
///
/// # Errors
/// [`Code::InvalidRequest`].
pub fn new_package_id(text: &str) -> Result<PackageId, Problem> {
    package_id(text).map_err(|_| {
        Problem::invalid_field(
            "package_id",
            "not 1 to 100 letters, digits, dots, underscores and hyphens, beginning with a letter or digit",
        )
    })
}

/// The groups of a package.
///
/// # Errors
/// [`Code::InvalidRequest`].
pub fn group_ids(field: &str, texts: &[String]) -> Result<Vec<GroupId>, Problem> {
    if texts.len() > MAX_GROUPS {
        return Err(Problem::invalid_field(field, "too many").with("limit", MAX_GROUPS));
    }
    texts
        .iter()
        .map(|text| {
            GroupId::parse(text).map_err(|error| Problem::invalid_field(field, &error.to_string()))
        })
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_are_one_printable_line() {
        assert_eq!(name("  Expense approval ").unwrap(), "Expense approval");
        assert_eq!(
            name(&"é".repeat(MAX_NAME)).unwrap().chars().count(),
            MAX_NAME
        );
        for bad in [
            "",
            "  ",
            "a\nb",
            "a\0",
            "a\u{202e}b",
            &"x".repeat(MAX_NAME + 1),
        ] {
            assert_eq!(
                name(bad).unwrap_err().code(),
                Code::InvalidRequest,
                "{bad:?}"
            );
        }
        assert_eq!(description(" a\nb\tc ").unwrap(), Some("a\nb\tc"));
        assert_eq!(description("").unwrap(), None);
        for bad in [
            "a\0",
            "\u{1b}[31m",
            "\u{2066}",
            &"x".repeat(MAX_DESCRIPTION + 1),
        ] {
            assert!(
                description(bad).is_err() && readme("\0").is_err(),
                "{bad:?}"
            );
        }
    }

    #[test]
    fn a_package_is_named_by_one_segment_of_an_address() {
        for good in [
            "a",
            "expense-approval",
            "acme.expense_2",
            "9",
            &"x".repeat(100),
        ] {
            assert!(new_package_id(good).is_ok(), "{good}");
        }
        for bad in [
            "",
            "publish",
            "a/b",
            "a%2fb",
            "..",
            ".a",
            "-a",
            "é",
            "a b",
            &"x".repeat(101),
        ] {
            assert_eq!(
                new_package_id(bad).unwrap_err().code(),
                Code::InvalidRequest,
                "{bad}"
            );
            assert_eq!(
                package_id(bad).unwrap_err().code(),
                Code::PackageNotFound,
                "{bad}"
            );
        }
    }

    #[test]
    fn what_is_looked_for_is_printable_and_no_longer_than_a_name() {
        for good in ["", "Expense", " 100 % ", &"é".repeat(MAX_NAME)] {
            assert_eq!(search(good).unwrap(), good);
        }
        for bad in ["a\nb", "\0", "\u{1b}", &"é".repeat(MAX_NAME + 1)] {
            let refused = search(bad).unwrap_err();
            assert_eq!(refused.code(), Code::InvalidRequest, "{bad:?}");
        }
        assert!(readme(&"x".repeat(MAX_README)).is_ok());
        assert!(readme(&"x".repeat(MAX_README + 1)).is_err());
    }

    #[test]
    fn an_address_that_names_no_flow_finds_none() {
        assert_eq!(flow_id("flow_1").unwrap().as_str(), "flow_1");
        for bad in ["", "a b", "a\"b", &"x".repeat(1_000)] {
            let refused = flow_id(bad).unwrap_err();
            assert_eq!(refused.code(), Code::FlowNotFound, "{bad}");
        }
    }
}
