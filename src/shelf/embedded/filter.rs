//! Which passages a filter allows, and what articles can be chosen by.
//!
//! Articles are chosen by an index that holds all that filters ask, so that no text is read; then come their
//! passages, by another. A list is a set that is made once, however many articles are compared with it.

use rusqlite::types::Value;
use rusqlite::{Connection, params_from_iter};

use super::rows::{from_json, to_json};
use crate::shelf::{Described, Filter, PassageId};

/// Holds what filters ask of current articles. Databases of the same format may lack it: it is added when they are opened.
pub(super) const INDEX: &str = "CREATE INDEX IF NOT EXISTS articles_filtered \
    ON articles (id, version, source, published, language, authors, superseded) WHERE superseded IS NULL";

/// The numbers of passages of current articles that `filter` allows; some may have been removed meanwhile.
pub(super) fn allowed(connection: &Connection, filter: &Filter) -> rusqlite::Result<Vec<PassageId>> {
    let (conditions, values) = conditions(connection, filter)?;
    let indexed = indexed(connection)?;
    let sql = format!(
        "WITH chosen AS MATERIALIZED (SELECT a.id, a.version FROM articles a {indexed} WHERE {conditions})
         SELECT p.rowid FROM chosen c CROSS JOIN passages p INDEXED BY passages_of_article
         ON p.article = c.id AND p.version = c.version"
    );
    let mut statement = connection.prepare_cached(&sql)?;
    let rows = statement.query_map(params_from_iter(values), |row| row.get(0))?;
    rows.collect()
}

/// Names the index where it is there: left to choose, SQLite takes another, and reads each row to its end.
fn indexed(connection: &Connection) -> rusqlite::Result<&'static str> {
    let mut known =
        connection.prepare_cached("SELECT 1 FROM sqlite_master WHERE type = 'index' AND name = 'articles_filtered'")?;
    Ok(if known.exists([])? { "INDEXED BY articles_filtered" } else { "" })
}

/// The conditions that `filter` makes of an article, and their values, in order.
fn conditions(connection: &Connection, filter: &Filter) -> rusqlite::Result<(String, Vec<Value>)> {
    let Filter { authors, published_from, published_to, articles, sources, languages } = filter;
    let (mut conditions, mut values) = (vec!["a.superseded IS NULL".to_owned()], Vec::new());
    let mut add = |condition: &str, value: String| {
        values.push(Value::Text(value));
        conditions.push(condition.replace('?', &format!("?{}", values.len())));
    };
    if !articles.is_empty() {
        add("a.id IN (SELECT value FROM json_each(?))", to_json(articles));
    }
    if !sources.is_empty() {
        add("a.source IN (SELECT s.id FROM sources s WHERE s.path IN (SELECT value FROM json_each(?)))", to_json(sources));
    }
    if let Some(day) = published_from {
        add("a.published >= ?", day.clone());
    }
    if let Some(day) = published_to {
        add("a.published <= ?", day.clone());
    }
    if !languages.is_empty() {
        add("a.language IN (SELECT value FROM json_each(?))", to_json(&tags(connection, languages)?));
    }
    if !authors.is_empty() {
        let among = "SELECT 1 FROM json_each(a.authors) x WHERE x.value IN (SELECT value FROM json_each(?))";
        add(&format!("EXISTS ({among})"), to_json(authors));
    }
    Ok((conditions.join(" AND "), values))
}

/// The tags that there are, of languages that `wanted` allows: `zh` allows `zh-Hant`.
fn tags(connection: &Connection, wanted: &[String]) -> rusqlite::Result<Vec<String>> {
    let indexed = indexed(connection)?;
    let sql = format!("SELECT DISTINCT language FROM articles {indexed} WHERE superseded IS NULL AND language IS NOT NULL");
    let mut statement = connection.prepare_cached(&sql)?;
    let there: Vec<String> = statement.query_map([], |row| row.get(0))?.collect::<rusqlite::Result<_>>()?;
    let allows = |wanted: &String, tag: &str| {
        tag.strip_prefix(wanted.as_str()).is_some_and(|rest| rest.is_empty() || rest.starts_with('-'))
    };
    Ok(there.into_iter().filter(|tag| wanted.iter().any(|wanted| allows(wanted, tag))).collect())
}

/// What current articles can be chosen by, without their texts: those after row `after`, `limit` at most, with the
/// row of the last.
pub(super) fn described(connection: &Connection, after: i64, limit: usize) -> rusqlite::Result<(Vec<Described>, i64)> {
    let mut statement = connection.prepare_cached(
        "SELECT a.rowid, a.id, a.title, a.authors, a.published, s.path, a.language, a.affiliation FROM articles a JOIN sources s ON s.id = a.source
         WHERE a.rowid > ?1 AND a.superseded IS NULL ORDER BY a.rowid LIMIT ?2",
    )?;
    let mut last = after;
    let rows = statement.query_map((after, limit), |row| {
        last = row.get(0)?;
        Ok(Described {
            id: row.get(1)?,
            title: row.get(2)?,
            authors: from_json(&row.get::<_, String>(3)?),
            published: row.get(4)?,
            source_path: row.get(5)?,
            language: row.get(6)?,
            affiliation: row.get(7)?,
        })
    })?;
    let found = rows.collect::<rusqlite::Result<_>>()?;
    Ok((found, last))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::shelf::embedded::database;

    #[test]
    fn a_filter_reads_no_article_and_looks_up_what_it_names() {
        let folder = tempfile::tempdir().unwrap();
        let connection = database::open(folder.path(), |_| Ok(())).unwrap();
        database::add_indexes(&connection);
        let text = || vec!["x".to_owned()];
        let day = || Some("2024-01-01".to_owned());
        let all = Filter {
            authors: text(),
            published_from: day(),
            published_to: day(),
            articles: text(),
            sources: text(),
            languages: text(),
        };
        let (conditions, values) = conditions(&connection, &all).unwrap();
        assert_eq!(values.len(), 6);
        let indexed = indexed(&connection).unwrap();
        let plan = |what: &str, conditions: &str, values: Vec<Value>| {
            let sql = format!("EXPLAIN QUERY PLAN SELECT {what} FROM articles a {indexed} WHERE {conditions}");
            let mut statement = connection.prepare(&sql).unwrap();
            let steps = statement.query_map(params_from_iter(values), |row| row.get::<_, String>(3)).unwrap();
            steps.map(Result::unwrap).collect::<Vec<_>>().join("; ")
        };
        let by_all = plan("a.id, a.version", &conditions, values);
        assert!(by_all.contains("COVERING INDEX articles_filtered (id=?"), "{by_all}");
        assert_eq!(allowed(&connection, &all).unwrap(), Vec::<PassageId>::new());
        let (conditions, values) = super::conditions(&connection, &Filter { articles: vec![], ..all }).unwrap();
        for plan in [
            plan("a.id, a.version", &conditions, values),
            plan("DISTINCT language", "superseded IS NULL AND language IS NOT NULL", vec![]),
        ] {
            assert!(plan.contains("COVERING INDEX articles_filtered"), "no text is read: {plan}");
        }
        connection.execute_batch("DROP INDEX articles_filtered").unwrap();
        assert_eq!(super::indexed(&connection).unwrap(), "", "without it a filter is slower, and no error");
    }
}
