//! The interface of our own: `/api/v1`, metrics and health.

use crate::route::{Handler, Need, Route};

/// All calls of this part.
pub(crate) const ROUTES: &[Route] =
    &[Route::of_server("GET", "/healthz", Need::Nothing, Handler::Alive).about("Whether the server lives.")];
