//! What the OpenAI routes read, for the document: they ignore all else.
#![expect(dead_code, reason = "the fields are read from the JSON, and described here")]

use serde::Deserialize;
use utoipa::ToSchema;

use crate::http::dto::AnswerModeBody;

/// A chat.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct ChatRequest {
    /// `ibid`; `ibid:written` has a language model write, where one is configured.
    model: Option<String>,
    /// The last one of the user is the question; the others are its context.
    #[schema(min_items = 1)]
    messages: Vec<Message>,
    stream: Option<bool>,
    stream_options: Option<StreamOptions>,
    #[schema(minimum = 1, maximum = 1)]
    n: Option<usize>,
    ibid: Option<Options>,
}

#[derive(Deserialize, ToSchema)]
struct StreamOptions {
    /// A last chunk says what was used.
    include_usage: Option<bool>,
}

/// Our own options.
#[derive(Deserialize, ToSchema)]
struct Options {
    /// Whether the text ends with a list of sources.
    sources: Option<bool>,
    /// Who answers; without it, as `generate.default_mode` says.
    mode: Option<AnswerModeBody>,
}

#[derive(Deserialize, ToSchema)]
struct Message {
    role: Role,
    content: Content,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Role {
    System,
    Developer,
    User,
    Assistant,
    Tool,
}

/// A text, or parts of one.
#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum Content {
    Text(Words),
    Parts(Parts),
}

#[derive(Deserialize, ToSchema)]
#[schema(
    min_length = 1,
    max_length = 4000,
    pattern = r"[^\x00-/:-@\[-`{-\u00bf\u1680\u2000-\u206f\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]"
)]
struct Words(String);

#[derive(Deserialize, ToSchema)]
#[schema(min_items = 1)]
struct Parts(Vec<Part>);

#[derive(Deserialize, ToSchema)]
struct Part {
    r#type: PartType,
    text: Words,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "snake_case")]
enum PartType {
    Text,
    InputText,
    OutputText,
}

/// A response that is asked for.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct ResponseRequest {
    /// `ibid`; `ibid:written` has a language model write, where one is configured.
    model: Option<String>,
    input: Input,
    stream: Option<bool>,
    ibid: Option<Options>,
}

#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum Input {
    Text(Words),
    Messages(Messages),
}

#[derive(Deserialize, ToSchema)]
#[schema(min_items = 1)]
struct Messages(Vec<Message>);

/// Texts to embed.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct EmbeddingRequest {
    model: Option<String>,
    input: Texts,
    encoding_format: Option<Encoding>,
    /// Numbers to keep of each vector: at most the model's own, 384 of the bundled one.
    #[schema(minimum = 1, maximum = 384)]
    dimensions: Option<usize>,
    input_type: Option<InputType>,
}

#[derive(Deserialize, ToSchema)]
#[serde(untagged)]
enum Texts {
    One(Words),
    Several(Several),
}

#[derive(Deserialize, ToSchema)]
#[schema(min_items = 1, max_items = 2048)]
struct Several(Vec<Words>);

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum Encoding {
    Float,
    Base64,
}

#[derive(Deserialize, ToSchema)]
#[serde(rename_all = "lowercase")]
enum InputType {
    Query,
    Passage,
}

/// Texts to rank.
#[derive(Deserialize, ToSchema)]
pub(in crate::http) struct RerankRequest {
    model: Option<String>,
    #[schema(
        min_length = 1,
        max_length = 4000,
        pattern = r"[^\x00-/:-@\[-`{-\u00bf\u1680\u2000-\u206f\u3000-\u303f\uff00-\uff0f\uff1a-\uff20\uff3b-\uff40\uff5b-\uff65]"
    )]
    query: String,
    #[schema(min_items = 1, max_items = 1000)]
    documents: Vec<String>,
    #[schema(minimum = 1)]
    top_n: Option<usize>,
    return_documents: Option<bool>,
}
