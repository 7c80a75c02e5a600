//! Page furniture: what is printed on a page and belongs to no article.

/// Why a line is furniture wherever it stands, even in the middle of a paragraph.
pub(super) fn anywhere(text: &str) -> Option<&'static str> {
    const CREDITS: [&str; 22] = [
        "责任编辑",
        "责编",
        "本版编辑",
        "本版责编",
        "编辑：",
        "编辑:",
        "版式设计",
        "版式",
        "美编",
        "美术编辑",
        "校对：",
        "校对:",
        "校对 ",
        "组版",
        "值班主任",
        "一读",
        "責任編輯",
        "責編",
        "本版編輯",
        "版面編輯",
        "美術編輯",
        "校對",
    ];
    let bare = text.trim_matches(|c: char| c.is_whitespace() || "（）()【】[]—-·■□".contains(c));
    let turned = ["下转", "上接", "紧接", "下轉", "上接", "緊接"].iter().any(|word| bare.starts_with(word));
    if turned && bare.contains('版') && bare.chars().count() <= 16 {
        return Some("a pointer to another page");
    }
    if CREDITS.iter().any(|word| bare.starts_with(word)) && !text.contains('。') {
        return Some("credits");
    }
    if is_masthead(bare) {
        return Some("the newspaper's name");
    }
    (is_page_number(bare) || is_date_line(bare)).then_some("the page's date or number")
}

/// Why a line that stands between paragraphs is furniture.
pub(super) fn between(text: &str) -> Option<&'static str> {
    const CONTACTS: [&str; 22] = [
        "电话",
        "热线",
        "邮箱",
        "http",
        "www.",
        "@",
        "邮编",
        "邮发代号",
        "国内统一",
        "刊号",
        "订阅",
        "投稿",
        "承印",
        "零售价",
        "定价",
        "二维码",
        "電話",
        "熱線",
        "郵箱",
        "訂閱",
        "投稿",
        "傳真",
    ];
    if super::lines::ends_statement(text) {
        return None;
    }
    let lower = text.to_lowercase();
    if CONTACTS.iter().any(|word| lower.contains(word)) {
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
    matches!(bare, "广告" | "公益广告" | "广 告" | "廣告" | "分类广告" | "遗失声明" | "分類廣告" | "公益廣告" | "启事" | "啟事")
}

/// A line that heads a page's lead: "导读".
pub(super) fn is_lead_label(text: &str) -> bool {
    const LABELS: [&str; 16] = [
        "导读",
        "编者按",
        "编者的话",
        "开栏的话",
        "开栏语",
        "核心提示",
        "按语",
        "本期导读",
        "内容提要",
        "提要",
        "導讀",
        "編者按",
        "編者的話",
        "核心提示",
        "本期導讀",
        "前言",
    ];
    let bare: String = text.chars().filter(|c| !c.is_whitespace() && !"【】[]：:■□".contains(*c)).collect();
    LABELS.contains(&bare.as_str())
}

/// The name of a column: short, and of words that columns are named with.
pub(super) fn looks_like_column(text: &str) -> bool {
    const WORDS: [&str; 40] = [
        "理论",
        "智库",
        "时评",
        "评论",
        "观察",
        "要闻",
        "副刊",
        "专版",
        "专刊",
        "周刊",
        "视点",
        "论坛",
        "言论",
        "综合",
        "广角",
        "之窗",
        "特别报道",
        "专栏",
        "专题",
        "聚焦",
        "纵横",
        "民生",
        "深度",
        "关注",
        "文化",
        "思想",
        "学习",
        "城事",
        "都市",
        "理論",
        "評論",
        "觀察",
        "要聞",
        "專版",
        "專刊",
        "週刊",
        "論壇",
        "副刊",
        "綜合",
        "專題",
    ];
    let bare: String = text.chars().filter(|c| !c.is_whitespace() && !"【】[]■□◎".contains(*c)).collect();
    let length = bare.chars().count();
    // "县域·都市圈": two short words with a dot between.
    let dotted = bare.split(['·', '｜', '|']).collect::<Vec<_>>();
    let pair = dotted.len() == 2 && dotted.iter().all(|part| (2..=4).contains(&part.chars().count()));
    pair || length <= 10
        && !bare.contains(['，', '“', '：', '？', '！'])
        && WORDS
            .iter()
            .any(|word| bare.ends_with(word) || (bare.starts_with(word) && (bare.contains(['·', '|', '｜']) || length <= 4)))
}

const ADVERTISING: [&str; 28] = [
    "抢购",
    "优惠",
    "特价",
    "开盘",
    "招商",
    "咨询",
    "诚聘",
    "招聘",
    "转让",
    "遗失",
    "热销",
    "盛大",
    "钜惠",
    "折扣",
    "促销",
    "酬宾",
    "现房",
    "首付",
    "均价",
    "免费试",
    "全场",
    "優惠",
    "特價",
    "開盤",
    "諮詢",
    "大減價",
    "折價",
    "酬賓",
];

/// A line that is advertising whatever stands around it.
fn is_advertisement(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    let hits = ADVERTISING.iter().filter(|word| text.contains(**word)).count();
    let price = text.contains(['￥', '¥', '㎡']);
    hits >= 2 || (hits >= 1 && (price || digits >= 3)) || (digits >= 7 && !text.contains(['，', '年']))
}

/// A line that is advertising where advertising was announced.
pub(super) fn may_advertise(text: &str) -> bool {
    let digits = text.chars().filter(char::is_ascii_digit).count();
    digits >= 3 || ADVERTISING.iter().any(|word| text.contains(word)) || text.contains(['￥', '¥', '㎡', '★', '☆', '!', '！'])
}

/// The newspaper's name, alone on a line.
fn is_masthead(text: &str) -> bool {
    const KINDS: [&str; 22] = [
        "日报",
        "晚报",
        "时报",
        "早报",
        "晨报",
        "周报",
        "商报",
        "联报",
        "都市报",
        "青年报",
        "快报",
        "导报",
        "经济报",
        "学习时报",
        "日報",
        "晚報",
        "時報",
        "早報",
        "週報",
        "聯報",
        "商報",
        "青年報",
    ];
    (3..=9).contains(&text.chars().count()) && KINDS.iter().any(|kind| text.ends_with(kind)) && !text.contains(['，', '“', '《'])
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
    let more = ["星期", "版", "农历", "農曆", "日报", "晚报", "日報", "晚報"].iter().any(|word| bare.contains(word));
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
