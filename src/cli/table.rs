//! The one table printer: columns by display width, every cell escaped.

use crate::domain::untrusted::{fit, visible, width};
use std::io::{self, Write};

/// A column's heading and the most that its cells may take.
#[derive(Debug, Clone, Copy)]
pub struct Column {
    heading: &'static str,
    most: usize,
}

/// A column; longer cells are cut, since `--json` has them whole.
pub(super) const fn column(heading: &'static str, most: usize) -> Column {
    Column { heading, most }
}

/// Rows under headings, each column as wide as its widest cell.
#[derive(Debug)]
pub struct Table {
    columns: Vec<Column>,
    rows: Vec<Vec<String>>,
}

impl Table {
    /// An empty table of these columns.
    pub fn of(columns: &[Column]) -> Table {
        Table { columns: columns.to_vec(), rows: Vec::new() }
    }

    /// Adds a row. What is escaped already passes unchanged.
    pub fn row(&mut self, cells: impl IntoIterator<Item = String>) {
        let cells = cells.into_iter().zip(&self.columns);
        self.rows.push(cells.map(|(cell, column)| fit(&visible(&cell), column.most).into_owned()).collect());
    }

    /// Prints headings and rows; a table without rows prints nothing.
    pub fn print(&self, out: &mut dyn Write) -> io::Result<()> {
        if self.rows.is_empty() {
            return Ok(());
        }
        let headings: Vec<String> = self.columns.iter().map(|column| column.heading.to_owned()).collect();
        let widths = self.widths(&headings);
        for row in std::iter::once(&headings).chain(&self.rows) {
            writeln!(out, "{}", padded(row, &widths))?;
        }
        Ok(())
    }

    fn widths(&self, headings: &[String]) -> Vec<usize> {
        let widest = |(index, heading): (usize, &String)| {
            let cells = self.rows.iter().filter_map(|row| row.get(index)).map(|cell| width(cell));
            cells.chain([width(heading)]).max().unwrap_or(0)
        };
        headings.iter().enumerate().map(widest).collect()
    }
}

/// Two blanks between columns, none at the end of a line.
fn padded(row: &[String], widths: &[usize]) -> String {
    let mut line = String::new();
    for (cell, columns) in row.iter().zip(widths) {
        line.push_str(cell);
        line.push_str(&" ".repeat(columns.saturating_sub(width(cell)) + 2));
    }
    line.truncate(line.trim_end().len());
    line
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn columns_align_by_width_and_nothing_moves_the_terminal() {
        let mut table = Table::of(&[column("LOGIN", 12), column("TITLE", 8)]);
        table.row(["日本".to_owned(), "No\u{1b}[2J MFA at all".to_owned()]);
        table.row(["ann".to_owned(), String::new()]);
        let mut out = Vec::new();
        table.print(&mut out).unwrap();
        assert_eq!(String::from_utf8(out).unwrap(), "LOGIN  TITLE\n日本   No<U+00…\nann\n");
    }

    #[test]
    fn an_empty_table_prints_nothing() {
        let mut out = Vec::new();
        Table::of(&[column("ID", 4)]).print(&mut out).unwrap();
        assert!(out.is_empty());
    }
}
