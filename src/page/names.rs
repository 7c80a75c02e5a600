//! Bylines: lines that hold nothing but the names of authors.

use super::lines::is_han;

/// Family names, simplified and traditional.
const SURNAMES: &str = "赵钱孙李周吴郑王冯陈褚卫蒋沈韩杨朱秦尤许何吕施张孔曹严华金魏陶姜戚谢邹喻柏水窦章云苏潘葛奚范彭郎鲁韦昌马苗凤花方俞任袁柳酆鲍史唐费廉岑薛雷贺倪汤滕殷罗毕郝邬安常乐于时傅皮卞齐康伍余元卜顾孟平黄和穆萧尹姚邵湛汪祁毛禹狄米贝明臧计伏成戴谈宋茅庞熊纪舒屈项祝董梁杜阮蓝闵席季麻强贾路娄危江童颜郭梅盛林刁钟徐邱骆高夏蔡田樊胡凌霍虞万支柯昝管卢莫经房裘缪干解应宗丁宣贲邓郁单杭洪包诸左石崔吉钮龚程嵇邢滑裴陆荣翁荀羊於惠甄曲家封芮羿储靳汲邴糜松井段富巫乌焦巴弓牧隗山谷车侯宓蓬全郗班仰秋仲伊宫宁仇栾暴甘钭厉戎祖武符刘景詹束龙叶幸司韶郜黎蓟薄印宿白怀蒲邰从鄂索咸籍赖卓蔺屠蒙池乔阴胥能苍双闻莘党翟谭贡劳逄姬申扶堵冉宰郦雍璩桑桂濮牛寿通边扈燕冀郏浦尚农温别庄晏柴瞿阎充慕连茹习宦艾鱼容向古易慎戈廖庾终暨居衡步都耿满弘匡文寇广禄阙东欧沃利蔚越夔隆师巩厍聂晁勾敖融冷訾辛阚那简饶空曾沙养鞠须丰巢关蒯相查后荆红游竺权逯盖益桓公付肖闫涂揭佟仝覃镇岳帅缑亢况有琴商牟佘伯赏墨哈谯年爱阳代占苟阿敬撒楼裔由晋楚仉闪侴覺趙錢孫鄭馮陳褚衛蔣韓楊許呂張嚴華謝鄒竇雲蘇範魯韋馬鳳費賀湯羅畢鄔樂時傅齊顧黃蕭貝計談龐紀項藍閔賈婁顏鐘駱萬盧經繆幹應鄧單諸鈕龔陸榮儲烏車寧仇欒厲劉葉龍黎懷從賴藺喬陰雙聞黨譚貢勞扶莊閻連習魚終滿廣祿闕東歐師鞏聶簡饒養須豐關後遊權蓋曉岡張溫廉龜鍾呂";
const COMPOUND: [&str; 16] = [
    "欧阳", "司马", "上官", "诸葛", "夏侯", "东方", "皇甫", "尉迟", "公孙", "慕容", "令狐", "端木", "歐陽", "司馬", "諸葛",
    "東方",
];
/// Words of two or three characters that begin like a name and are none: columns and labels.
const NO_NAMES: [&str; 56] = [
    "文化",
    "文艺",
    "文苑",
    "文摘",
    "时评",
    "时政",
    "时事",
    "时论",
    "金融",
    "财经",
    "关注",
    "党建",
    "党史",
    "安全",
    "国际",
    "常识",
    "广告",
    "公告",
    "公示",
    "连载",
    "高端",
    "方法",
    "方法论",
    "经济",
    "经济学",
    "应用",
    "华人",
    "和谐",
    "成长",
    "平安",
    "健康",
    "温馨",
    "边走边看",
    "都市",
    "都市圈",
    "文旅",
    "文学",
    "農業",
    "农业",
    "农村",
    "农事",
    "寿命",
    "单位",
    "项目",
    "计划",
    "简讯",
    "简介",
    "通讯",
    "通知",
    "施工",
    "时代",
    "时间",
    "解读",
    "解码",
    "史话",
    "章程",
];
/// What may stand before names.
const ROLES: [&str; 24] = [
    "本报特约评论员",
    "本报评论员",
    "本报首席记者",
    "本报见习记者",
    "本报通讯员",
    "本报记者",
    "首席记者",
    "见习记者",
    "实习记者",
    "实习生",
    "通讯员",
    "特约评论员",
    "评论员",
    "特约撰稿人",
    "撰稿人",
    "撰稿",
    "记者",
    "作者",
    "本報特約記者",
    "本報記者",
    "通訊員",
    "評論員",
    "特約撰述",
    "記者",
];

/// The authors that `line` names, when it holds nothing else.
pub(super) fn byline(line: &str) -> Option<Vec<String>> {
    const LONGEST: usize = 40;
    let bare = line.trim_matches(|c: char| c.is_whitespace() || "□■○●◎▲△◆◇★☆※▪·".contains(c));
    if bare.chars().count() > LONGEST || bare.contains(['。', '！', '？', '“', '《']) {
        return None;
    }
    let bare = bare.strip_prefix('（').and_then(|rest| rest.strip_suffix('）')).unwrap_or(bare);
    let (bare, marked) = strip_pen(bare);
    let (names, role) = take_names(bare)?;
    let convincing = |name: &String| is_name(name) || ((role || marked) && could_be_name(name));
    (!names.is_empty() && names.len() <= 8 && names.iter().all(convincing)).then_some(names)
}

/// The reporters named at the end of a news item's text: "（记者 李明）".
pub(super) fn closing_byline(text: &str) -> Option<Vec<String>> {
    let inner = text.strip_suffix(['）', ')'])?;
    let at = inner.rfind(['（', '('])?;
    let inner = inner[at..].trim_start_matches(['（', '(']);
    let (names, role) = take_names(inner)?;
    (role && !names.is_empty() && names.iter().all(|name| could_be_name(name))).then_some(names)
}

/// "文/李明", "李明/文", "李明 文", "文：李明".
fn strip_pen(text: &str) -> (&str, bool) {
    const MARKS: [char; 6] = ['/', '／', '｜', '|', '：', ':'];
    for pen in ["撰文", "作者", "文", "口述", "整理"] {
        if let Some(rest) = text.strip_prefix(pen).and_then(|rest| rest.trim_start().strip_prefix(MARKS)) {
            return (rest.trim(), true);
        }
        let before = text.strip_suffix(pen);
        if let Some(rest) = before.and_then(|rest| rest.strip_suffix(|c: char| MARKS.contains(&c) || c.is_whitespace())) {
            return (rest.trim(), true);
        }
    }
    (text, false)
}

/// The names in `text` and whether a role stood before one.
fn take_names(text: &str) -> Option<(Vec<String>, bool)> {
    let mut role = false;
    let mut pieces: Vec<&str> = Vec::new();
    for piece in text.split(|c: char| c.is_whitespace() || "、，,；;".contains(c)) {
        let mut rest = piece;
        while let Some(shorter) = ROLES.iter().find_map(|word| rest.strip_prefix(word)) {
            role = true;
            rest = shorter.trim_start_matches(['：', ':']);
        }
        if !rest.is_empty() {
            pieces.push(rest);
        }
    }
    if pieces.is_empty() && role {
        return Some((vec![text.trim().to_owned()], true));
    }
    let names = join_single_characters(&pieces);
    names.iter().all(|name| name.chars().all(|c| is_han(c) || c == '·')).then_some((names, role))
}

/// "李 琳" is one name; "王 刚 李 明" are two.
fn join_single_characters(pieces: &[&str]) -> Vec<String> {
    let mut names: Vec<String> = Vec::new();
    let mut letters = String::new();
    let flush = |letters: &mut String, names: &mut Vec<String>| {
        let all: Vec<char> = std::mem::take(letters).chars().collect();
        let size = if all.len() > 3 && all.len().is_multiple_of(2) { 2 } else { all.len().max(1) };
        names.extend(all.chunks(size).map(|name| name.iter().collect::<String>()));
    };
    for piece in pieces {
        if piece.chars().count() == 1 {
            letters.push_str(piece);
        } else {
            flush(&mut letters, &mut names);
            names.push((*piece).to_owned());
        }
    }
    flush(&mut letters, &mut names);
    names
}

fn is_name(name: &str) -> bool {
    let length = name.chars().count();
    let compound = COMPOUND.iter().any(|surname| name.starts_with(surname));
    let single = name.chars().next().is_some_and(|first| SURNAMES.contains(first));
    // "理论·智库" is a column far more often than a foreign name stands in a byline without a role.
    let fits = (compound && (3..=4).contains(&length)) || (single && (2..=3).contains(&length));
    fits && !NO_NAMES.contains(&name)
}

fn could_be_name(name: &str) -> bool {
    (2..=12).contains(&name.chars().count()) && !NO_NAMES.contains(&name)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bylines_are_told_from_columns_and_words() {
        let rows: [(&str, Option<&[&str]>); 15] = [
            ("陈江月", Some(&["陈江月"])),
            ("李 琳", Some(&["李琳"])),
            ("赵一苇 孙舟", Some(&["赵一苇", "孙舟"])),
            ("王 刚 李 明", Some(&["王刚", "李明"])),
            ("□本报记者 周远 通讯员 吴青", Some(&["周远", "吴青"])),
            ("文/何山", Some(&["何山"])),
            ("欧阳修竹", Some(&["欧阳修竹"])),
            ("本报评论员", Some(&["本报评论员"])),
            ("劉雲 陳曉東", Some(&["劉雲", "陳曉東"])),
            ("理论·智库", None),
            ("时评", None),
            ("导读", None),
            ("振兴战略", None),
            ("安全", None),
            ("提升城市品质", None),
        ];
        for (line, names) in rows {
            let expected = names.map(|names| names.iter().map(ToString::to_string).collect::<Vec<_>>());
            assert_eq!(byline(line), expected, "{line}");
        }
        assert_eq!(closing_byline("花开了。（记者 李明 通讯员 王芳）"), Some(vec!["李明".to_owned(), "王芳".to_owned()]));
        assert_eq!(closing_byline("（见下图）"), None);
    }
}
