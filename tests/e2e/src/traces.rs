//! What a request has left behind.

use std::collections::{BTreeMap, BTreeSet};
use std::hash::{DefaultHasher, Hash as _, Hasher as _};

use rusqlite::types::ValueRef;

use crate::World;

/// What is kept, by where, as a digest: the rows of each table, the revocation index, what ScaiGrid has
/// made.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Traces(BTreeMap<String, u64>);

impl Traces {
    /// Where something is not as it was `before`.
    #[must_use]
    pub fn since(&self, before: &Self) -> BTreeSet<String> {
        let places = self.0.keys().chain(before.0.keys());
        places
            .filter(|place| self.0.get(*place) != before.0.get(*place))
            .cloned()
            .collect()
    }
}

impl World {
    /// What is kept now. ScaiKey's documents are not among it, nor who last asked for them: they can be
    /// read again.
    ///
    /// # Panics
    /// When the stores can't be read.
    #[must_use]
    pub fn traces(&self) -> Traces {
        // One for all tables: each reads the whole schema first.
        let database = self.connection();
        let mut tables = database
            .prepare(
                "SELECT name FROM sqlite_master
                  WHERE type = 'table' AND name NOT IN ('key_search', 'sqlite_sequence')",
            )
            .expect("the statement");
        let tables: Vec<String> = tables
            .query_map([], |row| row.get(0))
            .and_then(Iterator::collect)
            .expect("the tables");
        let mut kept: BTreeMap<String, u64> = tables
            .into_iter()
            .map(|table| {
                let rows = digest(&database, &format!("SELECT * FROM \"{table}\""));
                (format!("`{table}`"), rows)
            })
            .collect();
        let path = self.host().state_directory().join("sqlite_key_value.db");
        let store = rusqlite::Connection::open(path).expect("the key-value store");
        let keys = "SELECT key FROM spin_key_value WHERE key LIKE 'revocation:%' ORDER BY key";
        kept.insert("the revocation index".to_owned(), digest(&store, keys));
        if let Some(scaigrid) = &self.scaigrid {
            let grid = scaigrid.grid();
            let mut cores = DefaultHasher::new();
            grid.cores.iter().for_each(|core| core.id.hash(&mut cores));
            kept.insert("a core at ScaiGrid".to_owned(), cores.finish());
        }
        Traces(kept)
    }
}

/// One number for the rows of a statement.
fn digest(connection: &rusqlite::Connection, sql: &str) -> u64 {
    let mut digest = DefaultHasher::new();
    let mut statement = connection.prepare(sql).expect("the statement");
    let columns = statement.column_count();
    let mut rows = statement.query([]).expect("the rows");
    while let Some(row) = rows.next().expect("a row") {
        for column in 0..columns {
            match row.get_ref(column).expect("a column") {
                ValueRef::Null => digest.write_u8(0),
                ValueRef::Integer(number) => number.hash(&mut digest),
                ValueRef::Real(number) => number.to_bits().hash(&mut digest),
                ValueRef::Text(bytes) | ValueRef::Blob(bytes) => bytes.hash(&mut digest),
            }
        }
    }
    digest.finish()
}
