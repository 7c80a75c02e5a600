//! Hidden prompts by which frontends ask for a title, tags or follow-up questions.
//!
//! They come as ordinary chats. They are answered from the conversation that they
//! quote, without searching: a search would put cited sentences into the title.

use serde_json::json;

/// The answer to a hidden prompt, `None` for a question of a reader.
pub(in crate::http) fn answer(prompt: &str) -> Option<String> {
    // A frontend's own template for retrieval begins in the same way; only tasks ask for
    // JSON and quote the conversation.
    let is_task = prompt.trim_start().starts_with("### Task:")
        && prompt.to_lowercase().contains("json")
        && prompt.contains("<chat_history>");
    if !is_task {
        return None;
    }
    let asked = first_question(prompt);
    let wanted = |key: &str| prompt.contains(&format!("\"{key}\""));
    let answer = if wanted("title") {
        json!({ "title": title(&asked) })
    } else if wanted("tags") {
        json!({ "tags": [] })
    } else if wanted("follow_ups") {
        json!({ "follow_ups": [] })
    } else if wanted("queries") {
        json!({ "queries": [asked] })
    } else if wanted("prompt") {
        json!({ "prompt": "" })
    } else if wanted("text") {
        json!({ "text": "" })
    } else {
        json!({})
    };
    Some(answer.to_string())
}

/// The first thing that the user says in the quoted conversation.
fn first_question(prompt: &str) -> String {
    let history = prompt.split_once("<chat_history>").map_or("", |(_, rest)| rest);
    let history = history.split("</chat_history>").next().unwrap_or_default();
    let from_user = history.lines().find_map(|line| line.trim().strip_prefix("USER:"));
    from_user.unwrap_or_else(|| history.trim().lines().next().unwrap_or_default()).trim().to_owned()
}

/// A question is its own title, cut at a word's end.
fn title(question: &str) -> String {
    const WIDTH: usize = 28;
    let mut width = 0;
    let fits = question.char_indices().find(|(_, c)| {
        width += if c.is_ascii() { 1 } else { 2 };
        width > WIDTH
    });
    match fits {
        None => question.to_owned(),
        Some((end, _)) => {
            let head = &question[..end];
            let head = head.rsplit_once(' ').map_or(head, |(words, _)| words);
            format!("{head}…")
        }
    }
}

#[cfg(test)]
mod tests {
    use super::answer;

    #[test]
    fn a_hidden_task_is_told_from_a_question() {
        let task = "### Task:\nGenerate a concise title.\n### Output:\nJSON format: { \"title\": \"…\" }\n<chat_history>\nUSER: 夜市的摊位费每晚收多少钱，由谁来收取？\nASSISTANT: 二十元\n</chat_history>";
        assert_eq!(answer(task).as_deref(), Some("{\"title\":\"夜市的摊位费每晚收多少钱，由…\"}"));
        assert_eq!(answer("### Task:\nRespond to the user query using the context.\n<context>JSON</context>"), None);
        assert_eq!(answer("夜市的摊位费每晚收多少元？"), None);
    }
}
