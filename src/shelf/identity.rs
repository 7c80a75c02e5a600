//! What a shelf was filled with.

use crate::embed::ModelInfo;

/// What vectors and passages depend on; a shelf opens only with what filled it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The embedding model.
    pub model: ModelInfo,
    /// [`crate::chunk::Rules::fingerprint`].
    pub chunk_rules: String,
}

impl std::fmt::Display for Identity {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let model = &self.model;
        let prefixes = format!("{:?}/{:?}", model.question_prefix, model.passage_prefix);
        write!(
            f,
            "model `{}` (weights {}, {} dimensions, {} pooling, prefixes {prefixes}) and chunk rules {}",
            model.id,
            model.sha256.get(..16).unwrap_or(&model.sha256),
            model.dimension,
            model.pooling,
            self.chunk_rules
        )
    }
}
