//! Tables for people: columns as wide as their widest cell.

use crate::terminal;

/// Longest cell, in characters: an absurd one must not push the others away.
const WIDEST: usize = 80;
/// What stands where there is nothing.
const NOTHING: &str = "-";

/// Rows below a heading.
#[derive(Debug)]
pub struct Table {
    rows: Vec<Vec<String>>,
}

impl Table {
    /// A table with a heading and no rows.
    pub fn new(heading: &[&str]) -> Self {
        let heading = heading.iter().map(|name| name.to_uppercase()).collect();
        Self {
            rows: vec![heading],
        }
    }

    /// A table of names and values, without a heading.
    pub const fn plain() -> Self {
        Self { rows: Vec::new() }
    }

    /// Adds a row. The cells may be anybody's text.
    pub fn row<'a>(&mut self, cells: impl IntoIterator<Item = Option<&'a str>>) {
        let cell = |text: Option<&str>| match text {
            Some(text) if !text.is_empty() => terminal::short(text, WIDEST),
            _ => NOTHING.to_owned(),
        };
        self.rows.push(cells.into_iter().map(cell).collect());
    }

    /// The table, a line for each row.
    pub fn render(&self) -> String {
        let columns = self.rows.iter().map(Vec::len).max().unwrap_or(0);
        let width = |column: usize| {
            let cells = self.rows.iter().filter_map(|row| row.get(column));
            cells.map(|cell| cell.chars().count()).max().unwrap_or(0)
        };
        let widths: Vec<usize> = (0..columns).map(width).collect();
        let mut text = String::new();
        for row in &self.rows {
            let cells = row.iter().zip(&widths);
            let line: Vec<String> = cells
                .map(|(cell, width)| format!("{cell:width$}"))
                .collect();
            text.push_str(line.join("  ").trim_end());
            text.push('\n');
        }
        text
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_are_aligned_whatever_is_in_them() {
        let mut table = Table::new(&["email", "name", "role"]);
        table.row([Some("zoe@acme.example"), Some("Zoë"), None]);
        table.row([Some("a@b.c"), Some("\u{1b}[2J"), Some("super_admin")]);
        assert_eq!(
            table.render(),
            "EMAIL             NAME  ROLE\n\
             zoe@acme.example  Zoë   -\n\
             a@b.c             \u{fffd}[2J  super_admin\n"
        );
    }

    #[test]
    fn an_absurd_cell_is_cut() {
        let mut table = Table::plain();
        table.row([Some("x".repeat(100_000).as_str()), Some("y")]);
        assert_eq!(table.render(), format!("{}…  y\n", "x".repeat(WIDEST)));
    }
}
