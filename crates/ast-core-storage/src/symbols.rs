//! Definitions by their names.

use crate::store::json_list;
use crate::{Store, StoreError};
use ast_core_model::{FileId, LanguageName, RepoPath, SymbolId, SymbolKind};
use sqlx::{AssertSqlSafe, Row};

/// Which definitions are looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolQuery {
    /// The name, or a part of it.
    pub name: String,
    /// How names are compared with it.
    pub matching: NameMatch,
    /// Only of these kinds; of all if empty.
    pub kinds: Vec<SymbolKind>,
    /// Only in these files; in all if `None`.
    pub files: Option<Vec<FileId>>,
    /// Only those after this one, in order of ids: where the last page ended.
    pub after: Option<SymbolId>,
    /// The most that are returned.
    pub limit: usize,
}

/// How a name is compared with the one looked for. Letters of ASCII are alike in upper and lower case, except in
/// [`Exact`](Self::Exact).
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum NameMatch {
    /// The same, letter by letter.
    Exact,
    /// The same but for the case.
    IgnoreCase,
    /// It begins with it.
    Prefix,
    /// It holds it. All names are looked at.
    Substring,
}

/// A definition that was found by its name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SymbolRecord {
    /// The file and the place in its document's list of symbols.
    pub id: SymbolId,
    /// Its name.
    pub name: String,
    /// Its kind.
    pub kind: SymbolKind,
    /// The path of its file.
    pub path: RepoPath,
    /// The language of its file.
    pub language: LanguageName,
}

/// What all of them select; behind it comes how names are compared.
const SELECT: &str = "\
    SELECT s.id, s.name, s.kind, f.path, f.language FROM symbols AS s \
    JOIN files AS f ON f.id = s.id >> 20 WHERE ";

const REST: &str = " AND s.id > ?3 AND (?4 IS NULL OR s.kind IN (SELECT value FROM json_each(?4))) \
    AND (?5 IS NULL OR s.id >> 20 IN (SELECT value FROM json_each(?5))) ORDER BY s.id LIMIT ?6";

/// The condition on the name, of ?1 and ?2.
const fn condition(matching: NameMatch) -> &'static str {
    match matching {
        NameMatch::Exact => "s.name = ?1 COLLATE NOCASE AND s.name = ?1 AND ?2 IS NULL",
        NameMatch::IgnoreCase => "s.name = ?1 COLLATE NOCASE AND ?2 IS NULL",
        NameMatch::Prefix => {
            "s.name >= ?1 COLLATE NOCASE AND (?2 IS NULL OR s.name < ?2 COLLATE NOCASE) \
             AND substr(s.name, 1, length(?1)) = ?1 COLLATE NOCASE"
        }
        NameMatch::Substring => "instr(lower(s.name), lower(?1)) > 0 AND ?2 IS NULL",
    }
}

/// The statement of a search; it is made of constants only.
pub(crate) fn statement(matching: NameMatch) -> String {
    format!("{SELECT}{}{REST}", condition(matching))
}

/// The least text that comes after all that begin with this one; `None` if there is none.
fn behind(prefix: &str) -> Option<String> {
    // Comparison without case is of the lower case.
    let mut text = prefix.to_ascii_lowercase();
    while let Some(last) = text.pop() {
        let next = (u32::from(last) + 1..=u32::from(char::MAX)).find_map(char::from_u32);
        // What follows `@` would be compared as `a`.
        if let Some(next) = next.map(|next| next.to_ascii_lowercase()) {
            text.push(next);
            return Some(text);
        }
    }
    None
}

impl Store {
    /// The definitions whose names match, in order of ids. The next page begins after the last of them.
    pub async fn symbols(&self, query: &SymbolQuery) -> Result<Vec<SymbolRecord>, StoreError> {
        let kinds: Vec<String> = query.kinds.iter().map(|kind| format!("\"{kind}\"")).collect();
        let files = query.files.as_ref().map(|files| json_list(files.iter().map(|file| file.get())));
        let mut connection = self.reader().await?;
        let rows = sqlx::query(AssertSqlSafe(statement(query.matching)))
            .bind(&query.name)
            .bind(if query.matching == NameMatch::Prefix { behind(&query.name) } else { None })
            .bind(query.after.map_or(0, |after| after.get().cast_signed()))
            .bind((!kinds.is_empty()).then(|| format!("[{}]", kinds.join(","))))
            .bind(files)
            .bind(i64::try_from(query.limit).unwrap_or(i64::MAX))
            .fetch_all(&mut *connection)
            .await
            .map_err(|error| self.failed(error))?;
        let record = |row: &sqlx::sqlite::SqliteRow| {
            let read = |error| self.failed(error);
            let number: u64 = self.unsigned(row, 0, "symbol id")?;
            let kind: &str = row.try_get(2).map_err(read)?;
            Ok(SymbolRecord {
                id: SymbolId::from_raw(number).ok_or_else(|| self.corrupt(format!("symbol id {number}")))?,
                name: row.try_get(1).map_err(read)?,
                kind: kind.parse().map_err(|_| self.corrupt(format!("symbol kind {kind:?}")))?,
                path: RepoPath::new(row.try_get::<String, _>(3).map_err(read)?)
                    .map_err(|error| self.corrupt(error.to_string()))?,
                language: LanguageName::new(row.try_get::<String, _>(4).map_err(read)?),
            })
        };
        rows.iter().map(record).collect()
    }
}
