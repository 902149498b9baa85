//! The table of all calls. The server, the description in OpenAPI and the checks of who may do what are made from it.

use http::Method;

use crate::{own, pve, route::Route};

/// All calls.
pub fn all() -> impl Iterator<Item = &'static Route> {
    pve::ROUTES.iter().chain(own::ROUTES)
}

/// The call that a method and a path mean, with the values of its variable parts.
#[must_use]
pub fn find<'a>(method: &Method, parts: &'a [String]) -> Option<(&'static Route, Vec<&'a str>)> {
    all().find_map(|route| (route.method == method.as_str()).then_some((route, route.matches(parts)?)))
}
