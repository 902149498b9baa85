//! The interface as a part of another server, with that one's own login: here a header that a proxy in front of it sets, once it knows
//! who somebody is.
//!
//!     HA_STORE=file:/srv/ha cargo run -p ha-web --example embedded
//!     curl -H 'X-Remote-User: alice' http://127.0.0.1:8080/api2/json/version

use std::{error::Error, sync::Arc};

use axum::{Router, extract::Request, middleware, middleware::Next, response::Response, routing::get};
use ha_host::store::{SharedStore, StoreAddress};
use ha_web::{
    access::{Caller, Means, Role},
    server::{PATIENCE, Web, router},
};

/// Who is known by another login is so here too. Who is not needs credentials of this interface.
async fn known_elsewhere(mut request: Request, next: Next) -> Response {
    let user = request.headers().get("x-remote-user").and_then(|user| user.to_str().ok()).map(str::to_owned);
    if let Some(name) = user {
        let role = if name == "alice" { Role::Admin } else { Role::Audit };
        request.extensions_mut().insert(Caller { name, role, means: Means::Embedder });
    }
    next.run(request).await
}

/// A server with pages of its own, and the interface beside them.
pub(crate) fn server(store: Arc<dyn SharedStore>) -> Router {
    Router::new()
        .route("/own", get(async || "a page of one's own\n"))
        .fallback_service(router(Web::new(store, None)))
        .layer(middleware::from_fn(known_elsewhere))
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let address: StoreAddress = std::env::var("HA_STORE")?.parse()?;
    let server = server(address.open(PATIENCE)?);
    let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
    axum::serve(listener, server).await?;
    Ok(())
}
