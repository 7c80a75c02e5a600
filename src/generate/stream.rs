//! Lines of a response → pieces of text: server-sent events, or one JSON object where the endpoint does not stream.

use serde_json::Value;

use super::Failure;

/// Bytes of a response that is no stream.
const LARGEST: usize = 1 << 20;
/// Lines in a row that are no events: what an endpoint that only keeps the connection open sends.
const SILENT: usize = 10_000;

/// What a line says.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Event {
    /// A piece of what is written.
    Text(String),
    /// Tokens that were used, in all.
    Used(usize),
    /// An error object in place of a chunk.
    Refused,
    /// The end.
    Done,
}

/// Reads lines one after the other.
#[derive(Debug, Default)]
pub(super) struct Events {
    /// A body that is no stream, so far.
    whole: String,
    silent: usize,
    /// A chunk gave the reason why it ended: the stream may close without `[DONE]`.
    finished: bool,
}

impl Events {
    /// What the next line says.
    pub(super) fn read(&mut self, line: &str) -> Result<Vec<Event>, Failure> {
        let line = line.trim_end_matches(['\r', '\n']);
        if let Some(data) = line.strip_prefix("data:") {
            self.silent = 0;
            let data = data.trim();
            if data == "[DONE]" {
                return Ok(vec![Event::Done]);
            }
            let chunk: Value = serde_json::from_str(data).map_err(|_| Failure::Garbled)?;
            return Ok(self.chunk(&chunk));
        }
        let is_field = line.is_empty() || [":", "event:", "id:", "retry:"].iter().any(|field| line.starts_with(field));
        if is_field && self.whole.is_empty() {
            self.silent += 1;
            return if self.silent > SILENT { Err(Failure::Endless) } else { Ok(vec![]) };
        }
        self.whole.push_str(line);
        self.whole.push('\n');
        if self.whole.len() > LARGEST { Err(Failure::Garbled) } else { Ok(vec![]) }
    }

    fn chunk(&mut self, chunk: &Value) -> Vec<Event> {
        if chunk.get("error").is_some_and(|error| !error.is_null()) {
            return vec![Event::Refused];
        }
        let choice = &chunk["choices"][0];
        self.finished |= choice["finish_reason"].is_string();
        let text = choice["delta"]["content"].as_str().or_else(|| choice["text"].as_str()).filter(|text| !text.is_empty());
        let used = chunk["usage"]["total_tokens"].as_u64().and_then(|tokens| usize::try_from(tokens).ok());
        text.map(|text| Event::Text(text.to_owned())).into_iter().chain(used.map(Event::Used)).collect()
    }

    /// What the end of the body says; `None` where it came too early.
    pub(super) fn end(&self) -> Option<Event> {
        if self.whole.is_empty() {
            return self.finished.then_some(Event::Done);
        }
        let whole: Option<Value> = serde_json::from_str(&self.whole).ok();
        let text = whole.as_ref().and_then(|whole| whole["choices"][0]["message"]["content"].as_str());
        Some(text.map_or(Event::Refused, |text| Event::Text(text.to_owned())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(lines: &str) -> (Vec<Event>, Option<Event>) {
        let mut events = Events::default();
        let read = lines.lines().flat_map(|line| events.read(line).unwrap()).collect();
        (read, events.end())
    }

    fn text(text: &str) -> Event {
        Event::Text(text.to_owned())
    }

    #[test]
    fn a_stream_gives_its_pieces_and_its_end() {
        let (events, _) = read(
            ": hello\nevent: x\n\ndata: {\"choices\":[{\"delta\":{\"role\":\"assistant\",\"content\":\"\"}}]}\n\
             data: {\"choices\":[{\"delta\":{\"content\":\"一\"}}]}\n\ndata:{\"choices\":[{\"delta\":{\"content\":\"b\"}}]}\n\
             data: {\"choices\":[],\"usage\":{\"total_tokens\":7}}\ndata: [DONE]",
        );
        assert_eq!(events, [text("一"), text("b"), Event::Used(7), Event::Done]);
    }

    #[test]
    fn an_end_without_a_reason_came_too_early() {
        let piece = "data: {\"choices\":[{\"delta\":{\"content\":\"x\"},\"finish_reason\":null}]}";
        assert_eq!(read(piece).1, None);
        let last = "data: {\"choices\":[{\"delta\":{},\"finish_reason\":\"stop\"}]}";
        assert_eq!(read(&format!("{piece}\n{last}")).1, Some(Event::Done));
    }

    #[test]
    fn a_whole_completion_is_one_piece_and_anything_else_is_refused() {
        assert_eq!(read("{\"choices\":[{\"message\":{\n\"content\":\"a [1.1]\"}}]}").1, Some(text("a [1.1]")));
        assert_eq!(read("<html>").1, Some(Event::Refused));
        assert_eq!(read("data: {\"error\":{\"message\":\"no\"}}").0, [Event::Refused]);
        assert_eq!(Events::default().read("data: {\"cho"), Err(Failure::Garbled));
    }
}
