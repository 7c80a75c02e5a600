//! CSV, with commas, semicolons or tabs: an article a record where a column holds texts, else a table.

use ::csv::{ReaderBuilder, StringRecord};

use super::columns::{self, Field, Fields, names};
use super::table::{self, Cell, Row};
use super::{Decoded, Error};
use crate::article::{Article, Builder, Record};

/// The articles, and an error for each record that is none.
pub(super) fn articles(decoded: &Decoded, stem: &str) -> Result<(Vec<Article>, Vec<Error>), Error> {
    let mut builder = ReaderBuilder::new();
    builder.flexible(true).has_headers(false).delimiter(delimiter(&decoded.text));
    let mut records = builder.from_reader(decoded.text.as_bytes()).into_records();
    let broken = |error: &::csv::Error| Error::Damaged(format!("it is no CSV: {error}"));
    let header = records.next().ok_or(Error::Empty)?.map_err(|error| broken(&error))?;
    let column = |field| {
        let name = columns::find(field, &header.iter())?;
        header.iter().position(|other| other == name)
    };
    let records: Result<Vec<StringRecord>, ::csv::Error> = records.collect();
    let records = records.map_err(|error| broken(&error))?;
    let Some(text) = column(Field::Text) else { return Ok((vec![as_table(&header, &records, decoded, stem)], vec![])) };
    let columns = [Field::Key, Field::Title, Field::Authors, Field::Published, Field::Url].map(column);
    let (mut articles, mut errors) = (Vec::new(), Vec::new());
    for record in &records {
        let cell = |column: Option<usize>| column.and_then(|column| record.get(column)).map(str::to_owned);
        let [key, title, authors, published, url] = columns.map(cell);
        let authors = authors.map(|text| names(&text)).unwrap_or_default();
        let fields = Fields { key, title, text: cell(Some(text)).unwrap_or_default(), authors, published, url };
        if fields.text.trim().is_empty() {
            let name = header.get(text).unwrap_or_default();
            errors.push(Error::Line { line: line(record), reason: format!("column `{}` is empty", name.escape_debug()) });
        } else {
            articles.push(fields.article(line(record), decoded.encoding));
        }
    }
    if articles.is_empty() && errors.is_empty() { Err(Error::Empty) } else { Ok((articles, errors)) }
}

/// The line on which a record begins.
fn line(record: &StringRecord) -> u32 {
    record.position().and_then(|place| u32::try_from(place.line()).ok()).unwrap_or(1)
}

/// The mark that stands between the cells of the first line: the one that comes most often outside of quotes.
fn delimiter(text: &str) -> u8 {
    let first = text.lines().next().unwrap_or_default();
    let mut counts = [(b',', 0_usize), (b'\t', 0), (b';', 0)];
    let mut quoted = false;
    for byte in first.bytes() {
        quoted ^= byte == b'"';
        counts.iter_mut().filter(|(mark, _)| !quoted && *mark == byte).for_each(|(_, count)| *count += 1);
    }
    // Of equals the first.
    counts.into_iter().rev().max_by_key(|(_, count)| *count).map_or(b',', |(mark, _)| mark)
}

/// One article of all records: each is a row that repeats the header.
fn as_table(header: &StringRecord, records: &[StringRecord], decoded: &Decoded, stem: &str) -> Article {
    let row = |record: &StringRecord, header: bool| {
        let cell = |text: &str| {
            let text = text.split_whitespace().collect::<Vec<_>>().join(" ");
            Cell { text, line: line(record), columns: 1, rows: 1 }
        };
        Row { cells: record.iter().map(cell).collect(), header }
    };
    let rows: Vec<Row> = [row(header, true)].into_iter().chain(records.iter().map(|record| row(record, false))).collect();
    let mut builder = Builder::default();
    for (text, line) in table::lines(&rows).into_iter().flat_map(|pieces| pieces.into_iter().chain([("\n".to_owned(), 0)])) {
        if line > 0 { builder.push(&text, line) } else { builder.end_paragraph() }
    }
    let record = Record {
        title: stem.to_owned(),
        encoding: decoded.encoding.to_owned(),
        notes: decoded.notes.clone(),
        ..Record::default()
    };
    builder.finish(record)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> (Vec<Article>, Vec<Error>) {
        articles(&Decoded { text: text.to_owned(), encoding: "UTF-8", notes: vec![] }, "stem").unwrap()
    }

    #[test]
    fn each_record_is_an_article_where_a_column_holds_texts() {
        let (articles, errors) =
            read("标题;正文;作者;日期\n春水;\"第一行\n第二行\";李明、王芳;2024-05-06\n空;;;\n秋山;一。;;昨天\n");
        assert_eq!(errors[0].to_string(), "line 4: column `正文` is empty");
        let first = &articles[0];
        assert_eq!((first.record.title.as_str(), first.text.as_str()), ("春水", "第一行\n第二行"));
        assert_eq!(
            (first.record.authors.join("/"), first.record.published.as_deref()),
            ("李明/王芳".to_owned(), Some("2024-05-06"))
        );
        assert_eq!((first.lines.runs()[0].1, articles[1].lines.runs()[0].1), (2, 5));
        assert_eq!(articles[1].record.notes, ["`published` is no date: `昨天`"]);
    }

    #[test]
    fn any_other_file_is_a_table_whose_rows_repeat_the_header() {
        let (articles, _) = read("Stop,Visitors\n\"Mill, old\",310\nBridge,7\n");
        assert_eq!(articles[0].text, "Stop | Visitors\nStop: Mill, old | Visitors: 310\nStop: Bridge | Visitors: 7");
        assert_eq!(articles[0].lines.runs().iter().map(|run| run.1).collect::<Vec<_>>(), [1, 2, 3]);
    }
}
