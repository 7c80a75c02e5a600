//! What can be asked, in one line and in the asker's language: the answer to what is no question.

use crate::text::{language, sure_language};

/// A language: its tag, greetings and thanks that tell it where a text is too short to, and the line.
type Row = (&'static str, &'static [&'static str], &'static str);

const ROWS: [Row; 17] = [
    (
        "en",
        &[],
        "Ask a question about these articles: who, what, when, where, how many or why. The answer is quoted from them, with its source.",
    ),
    ("zh", &[], "请就这些文章提一个问题，比如谁、什么、何时、何地、多少、为什么。答案逐字引自文章，并注明出处。"),
    ("zh-Hant", &[], "請就這些文章提一個問題，比如誰、什麼、何時、何地、多少、為什麼。答案逐字引自文章，並註明出處。"),
    (
        "ja",
        &[],
        "これらの記事について質問してください。誰が、何を、いつ、どこで、いくつ、なぜ、など。答えは記事から出典とともに引用されます。",
    ),
    (
        "ko",
        &[],
        "이 글들에 대해 질문해 주세요. 누가, 무엇을, 언제, 어디서, 얼마나, 왜 등입니다. 답은 글에서 그대로 인용하고 출처를 밝힙니다.",
    ),
    (
        "es",
        &["hola", "gracias", "buenos", "buenas", "adiós", "adios"],
        "Haga una pregunta sobre estos artículos: quién, qué, cuándo, dónde, cuántos o por qué. La respuesta se cita de ellos, con su fuente.",
    ),
    (
        "fr",
        &["bonjour", "bonsoir", "salut", "merci"],
        "Posez une question sur ces articles : qui, quoi, quand, où, combien ou pourquoi. La réponse en est citée, avec sa source.",
    ),
    (
        "de",
        &["hallo", "danke", "guten", "tschüss", "moin", "servus"],
        "Stellen Sie eine Frage zu diesen Artikeln: wer, was, wann, wo, wie viele oder warum. Die Antwort wird daraus zitiert, mit Quelle.",
    ),
    (
        "ru",
        &[],
        "Задайте вопрос об этих статьях: кто, что, когда, где, сколько или почему. Ответ цитируется из них с указанием источника.",
    ),
    (
        "pt",
        &["olá", "oi", "obrigado", "obrigada", "bom", "boa", "tchau"],
        "Faça uma pergunta sobre estes artigos: quem, o quê, quando, onde, quantos ou porquê. A resposta é citada deles, com a fonte.",
    ),
    (
        "it",
        &["ciao", "grazie", "buongiorno", "buonasera", "arrivederci"],
        "Faccia una domanda su questi articoli: chi, che cosa, quando, dove, quanti o perché. La risposta è citata da essi, con la fonte.",
    ),
    ("ar", &[], "اطرح سؤالاً عن هذه المقالات: من أو ماذا أو متى أو أين أو كم أو لماذا. يُقتبس الجواب منها مع ذكر المصدر."),
    ("hi", &[], "इन लेखों के बारे में प्रश्न पूछें: कौन, क्या, कब, कहाँ, कितने या क्यों। उत्तर स्रोत सहित इन्हीं से उद्धृत होता है।"),
    ("th", &[], "ถามคำถามเกี่ยวกับบทความเหล่านี้ เช่น ใคร อะไร เมื่อไร ที่ไหน เท่าไร หรือทำไม คำตอบยกมาจากบทความพร้อมแหล่งที่มา"),
    (
        "vi",
        &["chào", "cảm", "xin", "ơn"],
        "Hãy đặt câu hỏi về các bài viết này: ai, cái gì, khi nào, ở đâu, bao nhiêu hoặc vì sao. Câu trả lời được trích nguyên văn, kèm nguồn.",
    ),
    (
        "tr",
        &["merhaba", "selam", "teşekkürler", "teşekkür", "günaydın", "sağol"],
        "Bu yazılar hakkında bir soru sorun: kim, ne, ne zaman, nerede, kaç veya neden. Yanıt yazılardan kaynağıyla alıntılanır.",
    ),
    (
        "el",
        &[],
        "Κάντε μια ερώτηση για αυτά τα άρθρα: ποιος, τι, πότε, πού, πόσα ή γιατί. Η απάντηση παρατίθεται από αυτά, με την πηγή της.",
    ),
];

/// The line in the language of `text`; in English where that is none of ours, or cannot be told.
pub(in crate::http) fn help(text: &str) -> &'static str {
    let tag = by_script(text).or_else(|| by_words(text)).or_else(|| sure_language(text)).unwrap_or("en");
    ROWS.iter().find(|(known, ..)| *known == tag).unwrap_or(&ROWS[0]).2
}

/// By its first letter; a single kana makes Japanese of Chinese characters.
fn by_script(text: &str) -> Option<&'static str> {
    if text.chars().any(|c| matches!(c, '\u{3041}'..='\u{30ff}')) {
        return Some("ja");
    }
    match text.chars().find(|c| c.is_alphabetic())? {
        '\u{370}'..='\u{3ff}' | '\u{1f00}'..='\u{1fff}' => Some("el"),
        '\u{400}'..='\u{52f}' => Some("ru"),
        '\u{600}'..='\u{77f}' => Some("ar"),
        '\u{900}'..='\u{97f}' => Some("hi"),
        '\u{e00}'..='\u{e7f}' => Some("th"),
        '\u{1100}'..='\u{11ff}' | '\u{3130}'..='\u{318f}' | '\u{ac00}'..='\u{d7af}' => Some("ko"),
        '\u{3400}'..='\u{9fff}' => language(text).filter(|tag| *tag == "zh-Hant").or(Some("zh")),
        _ => None,
    }
}

fn by_words(text: &str) -> Option<&'static str> {
    let folded = text.to_lowercase();
    let mut words = folded.split(|c: char| !c.is_alphabetic());
    words.find_map(|word| ROWS.iter().find(|(_, known, _)| known.contains(&word)).map(|(tag, ..)| *tag))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn help_is_in_the_askers_language() {
        let rows = [
            ("你好", "zh"),
            ("謝謝你們", "zh-Hant"),
            ("hello", "en"),
            ("Thanks!", "en"),
            ("こんにちは", "ja"),
            ("안녕하세요", "ko"),
            ("¡Hola!", "es"),
            ("Merci beaucoup", "fr"),
            ("Guten Morgen", "de"),
            ("Спасибо", "ru"),
            ("obrigado", "pt"),
            ("Buongiorno", "it"),
            ("شكرا", "ar"),
            ("नमस्ते", "hi"),
            ("สวัสดี", "th"),
            ("xin chào", "vi"),
            ("merhaba", "tr"),
            ("Γεια σας", "el"),
            ("qwrtz", "en"),
        ];
        for (text, tag) in rows {
            let expected = ROWS.iter().find(|(known, ..)| *known == tag).unwrap().2;
            assert_eq!(help(text), expected, "{text}");
        }
        assert!(ROWS.iter().all(|(.., line)| !line.contains('\n')));
    }
}
