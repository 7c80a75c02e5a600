//! RTF: the paragraphs, headings, rows of tables and footnotes of a Rich Text document.
//!
//! Pictures, objects, fields' instructions, heads and feet of pages and whatever else is no text are passed over.

mod words;

use std::collections::HashMap;
use std::sync::Arc;

use encoding_rs::{Encoding, WINDOWS_1252};

use self::words::{Word, words};
use super::document::{self, Block, BlockCell, BlockRow};
use super::properties::Properties;
use super::{Error, guard};
use crate::article::{Article, Record};

/// Groups within groups.
const DEEPEST: usize = 1000;
/// Groups that hold no text of the document.
const PASSED_OVER: [&str; 25] = [
    "fonttbl",
    "colortbl",
    "listtable",
    "listoverridetable",
    "revtbl",
    "rsidtbl",
    "generator",
    "pict",
    "object",
    "header",
    "headerl",
    "headerr",
    "headerf",
    "footer",
    "footerl",
    "footerr",
    "footerf",
    "fldinst",
    "xmlnstbl",
    "themedata",
    "datastore",
    "template",
    "filetbl",
    "listtext",
    "pntext",
];

/// The article that an RTF file holds.
pub(super) fn article(bytes: &Arc<Vec<u8>>, stem: &str) -> Result<Article, Error> {
    if !bytes.starts_with(b"{\\rtf") {
        return Err(Error::Damaged("it is no RTF".to_owned()));
    }
    let (bytes, stem) = (Arc::clone(bytes), stem.to_owned());
    guard::bounded(move || read(&bytes, &stem))?
}

fn read(bytes: &[u8], stem: &str) -> Result<Article, Error> {
    let mut reader = Reader::default();
    for word in words(bytes) {
        reader.take(&word)?;
    }
    reader.end_paragraph();
    reader.end_table();
    let authors: Vec<String> = reader.author.into_iter().collect();
    let created = if let [year, month, day] = reader.created[..] { Some(format!("{year:04}-{month:02}-{day:02}")) } else { None };
    let properties = Properties::of(reader.title, &authors, created.as_deref());
    document::article(&reader.blocks, properties, Record { encoding: "RTF".to_owned(), ..Record::default() }, stem)
}

/// What a paragraph is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Role {
    #[default]
    Text,
    Title,
    Heading(u8),
}

/// Where text goes that is met.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
enum Target {
    #[default]
    Text,
    Footnote,
    Title,
    Author,
    Created,
    Styles,
    Nowhere,
}

/// What holds within a group.
#[derive(Debug, Clone, Copy, Default)]
struct Group {
    target: Target,
    hidden: bool,
    /// How many characters stand for one that is given by its number, for readers that do not know it.
    substitutes: usize,
    begun: bool,
}

struct Reader {
    group: Group,
    /// The groups around it.
    groups: Vec<Group>,
    charset: &'static Encoding,
    /// Bytes of the charset that wait for their next ones.
    bytes: Vec<u8>,
    text: String,
    footnote: String,
    footnotes: Vec<String>,
    title: Option<String>,
    author: Option<String>,
    /// What the paragraph is.
    role: Role,
    /// What paragraphs of each style are.
    styles: HashMap<i32, Role>,
    /// The style that is used, or defined.
    style: i32,
    /// Year, month and day on which it was made.
    created: Vec<i32>,
    in_table: bool,
    row: BlockRow,
    rows: Vec<BlockRow>,
    blocks: Vec<Block>,
    /// Substitutes that are still to be passed over.
    passing: usize,
    /// The first half of a character that is written as two.
    half: Option<u16>,
}

impl Default for Reader {
    fn default() -> Self {
        Self {
            group: Group { substitutes: 1, ..Group::default() },
            groups: Vec::new(),
            charset: WINDOWS_1252,
            bytes: Vec::new(),
            text: String::new(),
            footnote: String::new(),
            footnotes: Vec::new(),
            title: None,
            author: None,
            role: Role::Text,
            styles: HashMap::new(),
            style: 0,
            created: Vec::new(),
            in_table: false,
            row: BlockRow::default(),
            rows: Vec::new(),
            blocks: Vec::new(),
            passing: 0,
            half: None,
        }
    }
}

impl Reader {
    fn take(&mut self, word: &Word<'_>) -> Result<(), Error> {
        if !matches!(word, Word::Byte(_)) {
            self.flush();
        }
        match *word {
            Word::Open => {
                self.groups.push(self.group);
                (self.group.begun, self.passing) = (false, 0);
                if self.groups.len() > DEEPEST {
                    return Err(Error::Damaged(format!("it nests more than {DEEPEST} groups")));
                }
            }
            Word::Close => self.close(),
            // A group that may be passed over by those who do not know it; of these, none holds text.
            Word::Optional => self.group.target = Target::Nowhere,
            Word::Control(name, number) => self.control(name, number),
            Word::Byte(byte) => {
                if self.passing > 0 {
                    self.passing -= 1;
                } else {
                    self.bytes.push(byte);
                }
            }
        }
        Ok(())
    }

    /// Ends a group; what closes more than is open closes nothing.
    fn close(&mut self) {
        self.passing = 0;
        let around = self.groups.pop().unwrap_or(self.group);
        let closed = std::mem::replace(&mut self.group, around);
        if closed.target == Target::Footnote && self.group.target != Target::Footnote {
            let footnote = std::mem::take(&mut self.footnote);
            self.footnotes.push(footnote.trim().to_owned());
        }
    }

    /// Decodes the bytes that have been met.
    fn flush(&mut self) {
        if !self.bytes.is_empty() {
            let bytes = std::mem::take(&mut self.bytes);
            let (text, _) = self.charset.decode_without_bom_handling(&bytes);
            self.say(&text);
        }
    }

    fn say(&mut self, words: &str) {
        if self.group.hidden {
            return;
        }
        match self.group.target {
            Target::Nowhere | Target::Created => {}
            Target::Text => self.text.push_str(words),
            Target::Footnote => self.footnote.push_str(words),
            Target::Title => self.title.get_or_insert_default().push_str(words),
            Target::Author => self.author.get_or_insert_default().push_str(words),
            Target::Styles => self.style_name(words),
        }
    }

    fn control(&mut self, name: &str, number: Option<i32>) {
        let first = !std::mem::replace(&mut self.group.begun, true);
        match name {
            _ if first && PASSED_OVER.contains(&name) => self.group.target = Target::Nowhere,
            "info" => self.group.target = Target::Nowhere,
            // Both are said twice where the charset does not hold them; the second is the better.
            "title" if first => (self.group.target, self.title) = (Target::Title, None),
            "author" if first => (self.group.target, self.author) = (Target::Author, None),
            "creatim" if first => self.group.target = Target::Created,
            "stylesheet" if first => self.group.target = Target::Styles,
            "yr" | "mo" | "dy" if self.group.target == Target::Created => self.created.push(number.unwrap_or(0)),
            "footnote" if first => self.group.target = Target::Footnote,
            "ansicpg" => {
                let page = number.unwrap_or(1252);
                let label = match page {
                    936 => "gbk".to_owned(),
                    950 => "big5".to_owned(),
                    932 => "shift_jis".to_owned(),
                    949 => "euc-kr".to_owned(),
                    page => format!("windows-{page}"),
                };
                self.charset = Encoding::for_label(label.as_bytes()).unwrap_or(WINDOWS_1252);
            }
            "uc" => self.group.substitutes = number.and_then(|count| count.try_into().ok()).unwrap_or(1).min(8),
            "u" => self.unicode(number.unwrap_or(0)),
            "v" => self.group.hidden = number != Some(0),
            "par" | "sect" | "page" if self.group.target == Target::Text => self.end_paragraph(),
            "line" => self.say("\n"),
            "par" | "tab" | "emspace" | "enspace" => self.say(" "),
            "emdash" => self.say("—"),
            "endash" => self.say("–"),
            "lquote" => self.say("‘"),
            "rquote" => self.say("’"),
            "ldblquote" => self.say("“"),
            "rdblquote" => self.say("”"),
            "bullet" => self.say("•"),
            "~" => self.say("\u{a0}"),
            "_" => self.say("-"),
            "{" | "}" | "\\" => self.say(name),
            // What a footnote or a number's group says of paragraphs is not said of the one around it.
            "pard" | "outlinelevel" | "intbl" | "s" if !matches!(self.group.target, Target::Text | Target::Styles) => {}
            "pard" => (self.role, self.in_table) = (Role::Text, false),
            "outlinelevel" => {
                let level = number.and_then(|level| u8::try_from(level).ok()).filter(|level| *level < 9);
                let role = level.map_or(Role::Text, |level| Role::Heading(level + 1));
                if self.group.target == Target::Styles { self.define(role) } else { self.role = role }
            }
            "intbl" => self.in_table = true,
            "s" => self.style(number.unwrap_or(0)),
            "cell" | "nestcell" => {
                let blocks = self.taken();
                self.row.cells.push(BlockCell { blocks, columns: 1, rows: 1 });
            }
            "trhdr" => self.row.header = true,
            "trowd" => self.row.header = false,
            "row" | "nestrow" => self.rows.push(std::mem::take(&mut self.row)),
            _ => {}
        }
    }

    /// A paragraph has the style `number`, or the style is defined.
    fn style(&mut self, number: i32) {
        self.style = number;
        if self.group.target != Target::Styles {
            self.role = self.styles.get(&number).copied().unwrap_or_default();
        }
    }

    fn define(&mut self, role: Role) {
        self.styles.insert(self.style, role);
    }

    /// The name of the style that is defined.
    fn style_name(&mut self, name: &str) {
        match name.trim().trim_end_matches(';') {
            "Title" => self.define(Role::Title),
            name => {
                let level = name.to_lowercase().strip_prefix("heading ").and_then(|level| level.trim().parse().ok());
                if let Some(level) = level.filter(|level| (1..=9).contains(level)) {
                    self.define(Role::Heading(level));
                }
            }
        }
    }

    /// A character by its number; a surrogate by its two halves.
    fn unicode(&mut self, number: i32) {
        // Numbers above 32767 are written as negative ones.
        let unit = u16::try_from(number & 0xffff).unwrap_or(0);
        let units = [self.half.take(), Some(unit)].into_iter().flatten();
        for character in char::decode_utf16(units) {
            match character {
                Ok(character) => self.say(character.encode_utf8(&mut [0; 4])),
                // The second half may follow.
                Err(half) if (0xd800..0xdc00).contains(&half.unpaired_surrogate()) => self.half = Some(half.unpaired_surrogate()),
                Err(_) => self.say("\u{fffd}"),
            }
        }
        self.passing = self.group.substitutes;
    }

    /// The paragraph that was met, with its footnotes after it.
    fn taken(&mut self) -> Vec<Block> {
        let text = std::mem::take(&mut self.text).trim().to_owned();
        let footnotes = std::mem::take(&mut self.footnotes).into_iter().filter(|text| !text.is_empty()).map(Block::Paragraph);
        let said = !text.is_empty();
        let block = match self.role {
            Role::Text => Block::Paragraph(text),
            Role::Title => Block::Title(text),
            Role::Heading(level) => Block::Heading(level, text),
        };
        said.then_some(block).into_iter().chain(footnotes).collect()
    }

    fn end_paragraph(&mut self) {
        if self.in_table {
            // A cell may hold several paragraphs.
            self.text.push(' ');
            return;
        }
        let blocks = self.taken();
        if !blocks.is_empty() {
            self.end_table();
        }
        self.blocks.extend(blocks);
    }

    fn end_table(&mut self) {
        let rows = std::mem::take(&mut self.rows);
        self.blocks.extend(document::table(rows));
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_rtf_gives_its_words_headings_rows_and_footnotes() {
        let text = r"{\rtf1\ansi\ansicpg936{\fonttbl{\f0 Arial;}}{\info{\title \u27827?\u36793?}{\author Ada Lin}}{\*\generator x;}
{\header head}\pard\outlinelevel0 One\par\pard A \'b4\'ba{\footnote Note.} \b bold\b0{\v hidden}\u-10179?\u-8704?.\par
\trowd\trhdr\pard\intbl Stop\cell Visitors\cell\row\trowd\pard\intbl Mill\cell 3\cell\row\pard End \{x\}.\par}}}";
        let article = article(&Arc::new(text.as_bytes().to_vec()), "stem").unwrap();
        assert_eq!(article.text, "One\nA 春 bold😀.\nNote.\nStop | Visitors\nStop: Mill | Visitors: 3\nEnd {x}.");
        assert_eq!((article.record.title.as_str(), article.record.authors.join("/").as_str()), ("河边", "Ada Lin"));
        assert_eq!(article.heading_texts().collect::<Vec<_>>(), ["One"]);
    }
}
