//! Names of variables.

use anyhow::bail;

/// Checks a variable name: lower-case ASCII letters, digits and single
/// underscores, a letter first, a letter or digit last.
pub(crate) fn check_name(name: &str) -> anyhow::Result<()> {
    let allowed = |c: char| c.is_ascii_lowercase() || c.is_ascii_digit() || c == '_';
    let reason = if name.is_empty() {
        "must not be empty".to_owned()
    } else if let Some(invalid) = name.chars().find(|c| !allowed(*c)) {
        format!("invalid character {invalid:?}")
    } else if !name.starts_with(|c: char| c.is_ascii_lowercase()) {
        "must start with a lower-case letter".to_owned()
    } else if name.ends_with('_') {
        "must end with a lower-case letter or a digit".to_owned()
    } else if name.contains("__") {
        "must not contain consecutive underscores".to_owned()
    } else {
        return Ok(());
    };
    bail!("invalid variable name {name:?}: {reason}")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_follow_spins_rule() {
        for (name, valid) in [
            ("a", true),
            ("a_b1", true),
            ("", false),
            ("1a", false),
            ("_a", false),
            ("a_", false),
            ("a__b", false),
            ("aB", false),
            ("a-b", false),
        ] {
            assert_eq!(check_name(name).is_ok(), valid, "{name:?}");
        }
    }
}
