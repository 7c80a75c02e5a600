//! Other services' protocols: OpenAI's, Dify's, MCP, and citations as others shape them.

pub(in crate::http) mod dialects;
pub(in crate::http) mod dify;
pub(in crate::http) mod mcp;
pub(in crate::http) mod openai;
