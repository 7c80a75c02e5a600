//! `/openapi.json`: made from the handlers themselves.

use utoipa::openapi::extensions::Extensions;
use utoipa::openapi::path::{Operation, PathItem};
use utoipa::openapi::{ContentBuilder, OpenApi as Document, Ref, RefOr, ResponseBuilder, Schema, Server};
use utoipa::{OpenApi, ToSchema};

use crate::http::auth::rights::Right;
use crate::http::compat::dify::DifyErrorBody;
use crate::http::compat::openai::OpenAiErrorBody;
use crate::http::dto::error::ProblemBody;

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
pub(in crate::http) fn outline() -> Document {
    Outline::openapi()
}

fn operations(item: &mut PathItem) -> impl Iterator<Item = &mut Operation> {
    [&mut item.get, &mut item.post, &mut item.put, &mut item.patch, &mut item.delete].into_iter().flatten()
}

/// Says of each operation which right it needs.
pub(in crate::http) fn declare(item: &mut PathItem, right: Right) {
    for operation in operations(item) {
        operation.extensions.get_or_insert_with(Extensions::default).insert("x-right".to_owned(), right.described());
    }
}

/// Says that the routes lie beside the document, for a collection's.
pub(in crate::http) fn serve_beside(document: &mut Document) {
    document.servers = Some(vec![Server::new(".")]);
}

/// Says of each operation how its errors look.
pub(in crate::http) fn with_errors(mut document: Document) -> Document {
    for item in document.paths.paths.values_mut() {
        for operation in operations(item) {
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
