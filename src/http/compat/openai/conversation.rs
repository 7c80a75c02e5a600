//! Messages → the last question, the questions before it, and what was answered.

use serde_json::Value;

use super::OpenAiProblem;
use crate::library::Asking;
use crate::retrieve::Question;

/// Passages that a chat's answer is made from.
const PASSAGES: usize = 5;
/// Earlier messages that are read.
const REACH: usize = 16;

/// The text of a message: a text, or a list of parts.
pub(in crate::http) fn text_of(content: &Value, param: &'static str) -> Result<String, OpenAiProblem> {
    match content {
        Value::String(text) => Ok(text.clone()),
        Value::Null => Ok(String::new()),
        Value::Array(parts) => {
            let texts = parts.iter().map(|part| match part["type"].as_str() {
                Some("text" | "input_text" | "output_text") => Ok(part["text"].as_str().unwrap_or_default()),
                Some(kind) => {
                    let message = format!("a part of type `{}` cannot be read: ibid answers texts only", kind.escape_debug());
                    Err(OpenAiProblem::field(param, message))
                }
                None => Err(OpenAiProblem::field(param, "each part of a message needs a `type`")),
            });
            Ok(texts.collect::<Result<Vec<_>, _>>()?.join("\n"))
        }
        Value::Bool(_) | Value::Number(_) | Value::Object(_) => {
            Err(OpenAiProblem::field(param, "`content` must be a text or a list of parts"))
        }
    }
}

/// Which message asks: the last of the user, or the last of all.
fn last(messages: &[Value]) -> usize {
    messages.iter().rposition(|message| message["role"] == "user").unwrap_or(messages.len().saturating_sub(1))
}

/// The text of the message that asks.
pub(in crate::http) fn last_text(messages: &[Value], param: &'static str) -> Result<String, OpenAiProblem> {
    let asks = messages.get(last(messages)).ok_or_else(|| OpenAiProblem::field(param, format!("`{param}` is empty")))?;
    text_of(&asks["content"], param)
}

/// What the conversation asks.
pub(in crate::http) fn asking(
    messages: &[Value],
    param: &'static str,
    max_question_chars: usize,
) -> Result<Asking, OpenAiProblem> {
    for (place, message) in messages.iter().enumerate() {
        let role = message["role"].as_str().unwrap_or_default();
        if !matches!(role, "system" | "developer" | "user" | "assistant" | "tool" | "function") {
            return Err(OpenAiProblem::field(param, format!("`{param}[{place}].role` is `{}`", role.escape_debug())));
        }
    }
    let question = Question::parse(&last_text(messages, param)?, Some(max_question_chars))?;
    let last = last(messages);
    let mut asking = Asking::of(question, PASSAGES);
    for message in &messages[last.saturating_sub(REACH)..last] {
        let text = text_of(&message["content"], param)?;
        match message["role"].as_str() {
            // What was no question then is none now.
            Some("user") => asking.earlier.extend(Question::parse(&text, Some(max_question_chars))),
            // The texts went out with their marks escaped; sentences are compared without.
            Some("assistant") => asking.said.push(text.replace('\\', "")),
            _ => {}
        }
    }
    Ok(asking)
}
