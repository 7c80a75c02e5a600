//! `/openapi.json`: made from the handlers themselves.

use utoipa::openapi::{ContentBuilder, OpenApi as Document, Ref, RefOr, ResponseBuilder, Schema};
use utoipa::{OpenApi, ToSchema};

use super::dify::DifyErrorBody;
use super::error::ProblemBody;
use super::openai::OpenAiErrorBody;

#[derive(OpenApi)]
#[openapi(
    info(title = "ibid", description = "Answers questions from a collection of articles, with citations exact to the character.\n\n\
        Offsets count Unicode code points, end exclusive. \"The articles do not say\" is an answer, not an error."),
    tags(
        (name = "questions", description = "Ask and search"),
        (name = "articles", description = "What is kept, added, changed, removed, and cited"),
        (name = "OpenAI", description = "What clients of OpenAI's API call; errors have its shape"),
        (name = "Dify", description = "External knowledge"),
        (name = "service", description = "Alive, ready, counted"),
    ),
    components(schemas(ProblemBody, OpenAiErrorBody, DifyErrorBody)),
)]
struct Outline;

/// The document without paths.
pub(super) fn outline() -> Document {
    Outline::openapi()
}

/// Says of each operation how its errors look.
pub(super) fn with_errors(mut document: Document) -> Document {
    for item in document.paths.paths.values_mut() {
        let operations = [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete];
        for operation in operations.into_iter().flatten() {
            let of = |tag: &str| operation.tags.iter().flatten().any(|one| one == tag);
            let schema = if of("OpenAI") {
                named::<OpenAiErrorBody>()
            } else if of("Dify") {
                named::<DifyErrorBody>()
            } else {
                named::<ProblemBody>()
            };
            let content = ContentBuilder::new().schema(Some(schema)).build();
            let response = ResponseBuilder::new().description("what went wrong").content("application/json", content).build();
            operation.responses.responses.insert("default".to_owned(), RefOr::T(response));
        }
    }
    document
}

fn named<T: ToSchema>() -> RefOr<Schema> {
    RefOr::Ref(Ref::from_schema_name(T::name()))
}
