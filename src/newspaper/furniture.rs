//! Page furniture: what is printed on a page and belongs to no article.

use super::words::WORDS;

/// Why a line is furniture wherever it stands, even in the middle of a paragraph.
pub(super) fn anywhere(text: &str) -> Option<&'static str> {
    let bare = text.trim_matches(|c: char| c.is_whitespace() || "（）()【】[]—-·■□".contains(c));
    let turned = WORDS.page_pointers.iter().any(|word| bare.starts_with(word));
    if turned && bare.contains('版') && bare.chars().count() <= 16 {
        return Some("a pointer to another page");
    }
    if WORDS.credits.iter().any(|word| bare.starts_with(word)) && !text.contains('。') {
        return Some("credits");
    }
    if is_masthead(bare) {
        return Some("the newspaper's name");
    }
    (is_page_number(bare) || is_date_line(bare)).then_some("the page's date or number")
}

/// Why a line that stands between paragraphs is furniture.
pub(super) fn between(text: &str) -> Option<&'static str> {
    if super::lines::ends_statement(text) {
        return None;
    }
    let lower = text.to_lowercase();
    if WORDS.contacts.iter().any(|word| lower.contains(word)) {
        return Some("contact");
    }
    if is_advertisement(text) {
        return Some("an advertisement");
    }
    (text.chars().all(|c| !c.is_alphanumeric())).then_some("a rule")
}

/// A line that announces advertising: all until the next article is of it.
pub(super) fn opens_advertisement(text: &str) -> bool {
    let bare = text.trim_matches(|c: char| c.is_whitespace() || "（）()【】[]—-·■□〔〕".contains(c));
    WORDS.advertisement_labels.iter().any(|label| label == bare)
}

/// A line that heads a page's lead: "导读".
pub(super) fn is_lead_label(text: &str) -> bool {
    let bare: String = text.chars().filter(|c| !c.is_whitespace() && !"【】[]：:■□".contains(*c)).collect();
    WORDS.lead_labels.contains(&bare)
}

/// The name of a column: short, and of words that columns are named with.
pub(super) fn looks_like_column(text: &str) -> bool {
    let bare: String = text.chars().filter(|c| !c.is_whitespace() && !"【】[]■□◎".contains(*c)).collect();
    let length = bare.chars().count();
    // "县域·都市圈": two short words with a dot between.
    let dotted = bare.split(['·', '｜', '|']).collect::<Vec<_>>();
    let pair = dotted.len() == 2 && dotted.iter().all(|part| (2..=4).contains(&part.chars().count()));
    pair || length <= 10
        && !bare.contains(['，', '“', '：', '？', '！'])
        && WORDS
            .columns
            .iter()
            .any(|word| bare.ends_with(word) || (bare.starts_with(word) && (bare.contains(['·', '|', '｜']) || length <= 4)))
}

/// A line that is advertising whatever stands around it.
fn is_advertisement(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let hits = WORDS.advertising.iter().filter(|word| text.contains(word.as_str())).count();
    let price = text.contains(['￥', '¥', '㎡']);
    hits >= 2 || (hits >= 1 && (price || digits >= 3)) || (digits >= 7 && !text.contains(['，', '年']))
}

/// A line that is advertising where advertising was announced.
pub(super) fn may_advertise(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    digits >= 3
        || WORDS.advertising.iter().any(|word| text.contains(word))
        || text.contains(['￥', '¥', '㎡', '★', '☆', '!', '！'])
}

/// The newspaper's name, alone on a line.
fn is_masthead(text: &str) -> bool {
    (3..=9).contains(&text.chars().count())
        && WORDS.newspapers.iter().any(|kind| text.ends_with(kind))
        && !text.contains(['，', '“', '《'])
}

fn is_page_number(text: &str) -> bool {
    let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    if bare.chars().count() > 8 {
        return false;
    }
    let digits = |text: &str| {
        let text = text.trim_start_matches(|c: char| c.is_ascii_uppercase());
        !text.is_empty() && text.chars().all(|c| c.is_ascii_digit() || "０１２３４５６７８９一二三四五六七八九十".contains(c))
    };
    let numbered = bare.strip_suffix('版').map(|rest| rest.trim_start_matches('第'));
    numbered.is_some_and(digits) || (bare.chars().any(|c| c.is_ascii_digit()) && digits(&bare) && bare.len() <= 4)
}

/// "2022年1月5日 星期三 第8版 责编…": a date, and little else.
fn is_date_line(text: &str) -> bool {
    let bare: String = text.chars().filter(|c| !c.is_whitespace()).collect();
    let dated = bare.contains('年') && bare.contains('月') && bare.contains('日');
    let more = WORDS.beside_dates.iter().any(|word| bare.contains(word));
    let only_date = bare.chars().filter(|c| !c.is_ascii_digit() && !"年月日二〇○零一三四五六七八九十".contains(*c)).count() == 0;
    dated && bare.chars().count() <= 40 && !bare.contains(['，', '。']) && (more || only_date)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn furniture_is_told_from_text() {
        for line in [
            "责任编辑：何山 版式：林月",
            "2022年1月5日 星期三",
            "第08版",
            "A3",
            "（下转第三版）",
            "二〇二二年一月五日 星期三 第8版",
        ] {
            assert!(anywhere(line).is_some(), "{line}");
        }
        for line in ["2022年1月5日，市里开了会", "编辑部里的灯还亮着，他说", "版画展览在老厂房里开幕", "15分钟"]
        {
            assert_eq!(anywhere(line), None, "{line}");
        }
        for line in ["订阅热线：0731-1234567", "江景现房 首付三成 均价8888元/㎡", "※ ※ ※"] {
            assert!(between(line).is_some(), "{line}");
        }
        assert!(looks_like_column("理论·智库") && looks_like_column("城市观察"));
        assert!(!looks_like_column("以系统观念推进县域发展"));
    }
}
