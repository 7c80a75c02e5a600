//! What people see in a browser: the page, and the viewer of the API's document.

pub(in crate::http) mod page;
pub(in crate::http) mod viewer;
