//! What a document says of itself: title, authors, the day it was made; only what can be true.

use super::date;

/// Longer titles and lists of authors are something else.
const LONGEST: usize = 200;

/// What is known of a document beside its text.
#[derive(Debug, Default)]
pub(super) struct Properties {
    /// Its title.
    pub(super) title: Option<String>,
    /// Its authors.
    pub(super) authors: Vec<String>,
    /// When it was made, `YYYY-MM-DD`.
    pub(super) created: Option<String>,
}

impl Properties {
    /// What can be true of `title`, `authors` and the day `created`, as a file states them.
    pub(super) fn of(title: Option<String>, authors: &[String], created: Option<&str>) -> Self {
        let short = |text: &String| text.chars().count() <= LONGEST;
        let title = title.map(|title| title.trim().to_owned()).filter(|title| short(title) && is_title(title));
        let today = jiff::Zoned::now().date().to_string();
        // Programs fill in the day before time began.
        let real = |day: &String| day.as_str() > "1980-01-01" && *day <= today;
        let authors = authors.iter().filter(|names| short(names)).flat_map(|names| names_in(names)).collect();
        Self { title, authors, created: created.and_then(date).filter(real) }
    }
}

/// Whether it is a title, and not what a program fills in where nobody has written one.
pub(super) fn is_title(text: &str) -> bool {
    let lower = text.to_lowercase();
    let file = [".doc", ".docx", ".indd", ".qxd", ".tex", ".dvi", ".pdf", ".odt", ".wps", ".ppt", ".pptx", ".xls", ".html"];
    let filler =
        ["untitled", "microsoft word", "microsoft powerpoint", "about:blank", "document", "无标题", "未命名", "幻灯片", "title"];
    let letters = text.chars().filter(|c| c.is_alphabetic()).count();
    letters >= 2
        && !file.iter().any(|end| lower.ends_with(end))
        && !filler
            .iter()
            .any(|word| lower == *word || lower.starts_with(&format!("{word} ")) || lower.starts_with(&format!("{word}-")))
}

/// The names in a list of authors, without those that programs fill in.
pub(super) fn names_in(names: &str) -> Vec<String> {
    let filler = [
        "user",
        "admin",
        "administrator",
        "owner",
        "author",
        "unknown",
        "anonymous",
        "root",
        "windows user",
        "python-docx",
        "作者",
        "用户",
        "微软用户",
    ];
    let parts = names.split([';', '、', '，', ',', '；']).flat_map(|part| part.split(" and ")).map(str::trim);
    let real = parts.filter(|name| name.chars().filter(|c| c.is_alphabetic()).count() >= 2);
    real.filter(|name| !filler.contains(&name.to_lowercase().as_str())).map(str::to_owned).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_programs_fill_in_is_nobodys_title_name_or_day() {
        assert!(is_title("河边的集市") && is_title("A Report on Ferries"));
        for filler in ["Microsoft Word - report.doc", "untitled", "Untitled 1", "report.indd", "--", "幻灯片 1"] {
            assert!(!is_title(filler), "{filler}");
        }
        assert_eq!(names_in("Administrator"), Vec::<String>::new());
        assert_eq!(names_in("Ada Lin and Bo Chen; 周一"), ["Ada Lin", "Bo Chen", "周一"]);
        let made = |day: &str| Properties::of(None, &[], Some(day)).created;
        assert_eq!(made("2023-05-06T07:00:00Z").as_deref(), Some("2023-05-06"));
        assert_eq!((made("1601-01-01T00:00:00Z"), made("2999-01-01")), (None, None));
    }
}
