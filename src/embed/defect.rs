//! What can be wrong inside a model's file: the reason of [`Error::Broken`](super::Error::Broken).

/// Why a file of a model is unusable.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ModelDefect {
    /// No JSON, or JSON without a field that is needed.
    #[error(transparent)]
    Json(#[from] serde_json::Error),
    /// The text is no UTF-8.
    #[error(transparent)]
    Encoding(#[from] std::str::Utf8Error),
    /// Weights that Candle cannot load as this architecture.
    #[error(transparent)]
    Weights(#[from] candle_core::Error),
    /// No safetensors file.
    #[error(transparent)]
    Safetensors(#[from] safetensors::SafeTensorError),
    /// A tokenizer that `tokenizers` cannot load.
    #[error(transparent)]
    Tokenizer(#[from] tokenizers::Error),
    /// A setting of the model that ibid does not run.
    #[error("{key} `{value}` is not supported; supported: {supported}")]
    Unsupported {
        /// The field, or what it is about.
        key: &'static str,
        /// What the file says.
        value: String,
        /// What it may say.
        supported: &'static str,
    },
    /// A number outside its range.
    #[error("`{key}` must be between {least} and {most}, not {value}")]
    Range {
        /// The field.
        key: &'static str,
        /// Its value.
        value: f64,
        /// The least value.
        least: f64,
        /// The greatest value.
        most: f64,
    },
    /// Sizes that do not fit each other.
    #[error("{what}: {found}, expected {expected}")]
    Size {
        /// What has the size.
        what: String,
        /// The size that is there.
        found: usize,
        /// The size, or the sizes, that would fit.
        expected: String,
    },
    /// A tensor or an entry that is needed.
    #[error("{0} is missing")]
    Missing(String),
    /// Numbers that are infinite or no numbers.
    #[error("the table holds values that are no numbers")]
    NotFinite,
}

impl ModelDefect {
    /// Sizes that do not fit.
    pub(super) fn size(what: impl Into<String>, found: usize, expected: &(impl ToString + ?Sized)) -> Self {
        Self::Size { what: what.into(), found, expected: expected.to_string() }
    }

    /// A setting that is not run.
    pub(super) fn unsupported(key: &'static str, value: &(impl ToString + ?Sized), supported: &'static str) -> Self {
        Self::Unsupported { key, value: value.to_string(), supported }
    }
}
