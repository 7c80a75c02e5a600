//! The API's document, whole: what changes on the wire is seen in a difference.

use crate::service::Service;

#[test]
fn the_document_is_as_it_was_read_last() {
    let data = tempfile::tempdir().unwrap();
    let document = Service::start(data.path(), &[]).json("/openapi.json");
    insta::with_settings!({ sort_maps => true, omit_expression => true }, { insta::assert_json_snapshot!("openapi", document) });
}
