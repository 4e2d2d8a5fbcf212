//! What is known of a request before any handler runs: its identifier, where it came from, and the reader's language.

use std::net::{IpAddr, SocketAddr};

use axum::{
    RequestPartsExt,
    extract::{ConnectInfo, FromRequestParts, Request},
};
use http::{HeaderMap, StatusCode, request::Parts};
use warren_model::{RequestId, audit::Source};

use crate::{PortalState, local::LocalPeer, locale::Locale, problem::Rejection};

/// The facts of one request. An extractor that never fails behind [`crate::router`].
#[derive(Debug, Clone)]
pub struct RequestFacts {
    /// Made here, never taken from outside.
    pub id: RequestId,
    pub source: Source,
    pub locale: Locale,
    /// The local user, on the admin socket only.
    pub(crate) local_user: Option<String>,
}

impl RequestFacts {
    /// Looks at a request that just arrived.
    pub(crate) fn of(request: &Request, state: &PortalState) -> Self {
        let extensions = request.extensions();
        let local_user = extensions.get::<ConnectInfo<LocalPeer>>().map(|peer| peer.0.user.clone());
        let peer = extensions.get::<ConnectInfo<SocketAddr>>().map(|peer| peer.0.ip());
        let source = match peer {
            Some(peer) if local_user.is_none() => Source::Address(client_address(peer, request.headers(), |address| {
                state.config().trusted_proxies.iter().any(|proxy| proxy.contains(&address))
            })),
            _ => Source::Local,
        };
        Self {
            id: RequestId::generate(state.app().clock().now(), state.app().random()),
            source,
            locale: Locale::from_headers(request.headers()),
            local_user,
        }
    }
    /// The address whose failed attempts are counted together with this request's; none on the admin socket.
    pub fn address(&self) -> Option<IpAddr> {
        match self.source {
            Source::Address(address) => Some(address),
            Source::Local | Source::Internal => None,
        }
    }
}

impl<S: Sync> FromRequestParts<S> for RequestFacts {
    type Rejection = Rejection;
    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Rejection> {
        let facts = parts.extract::<axum::Extension<Self>>().await;
        facts.map(|facts| facts.0).map_err(|_| {
            tracing::error!("a handler runs without the portal's outermost layer");
            Rejection::new(StatusCode::INTERNAL_SERVER_ERROR, "problem-internal")
        })
    }
}

/// The nearest address on the way that is not one of our own proxies. What stands left of it in `X-Forwarded-For` was
/// written by somebody who may have made it up.
fn client_address(peer: IpAddr, headers: &HeaderMap, is_trusted: impl Fn(IpAddr) -> bool) -> IpAddr {
    let peer = peer.to_canonical();
    if !is_trusted(peer) {
        return peer;
    }
    let forwarded: Vec<&str> = headers
        .get_all("x-forwarded-for")
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|v| v.split(','))
        .collect();
    let mut nearest = peer;
    for hop in forwarded.iter().rev() {
        let Ok(address) = hop.trim().parse::<IpAddr>() else { return nearest };
        nearest = address.to_canonical();
        if !is_trusted(nearest) {
            return nearest;
        }
    }
    nearest
}

#[cfg(test)]
mod tests {
    use super::*;

    fn client(peer: &str, forwarded: &[&str]) -> String {
        let mut headers = HeaderMap::new();
        for value in forwarded {
            headers.append("x-forwarded-for", value.parse().unwrap());
        }
        let proxies: ipnet::IpNet = "10.0.0.0/8".parse().unwrap();
        client_address(peer.parse().unwrap(), &headers, |address| proxies.contains(&address)).to_string()
    }

    #[test]
    fn strangers_cannot_choose_their_address() {
        assert_eq!(client("203.0.113.9", &["1.2.3.4"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["1.2.3.4, 203.0.113.9"]), "203.0.113.9");
        assert_eq!(client("10.0.0.1", &["1.2.3.4", "203.0.113.9, 10.0.0.2"]), "203.0.113.9");
    }

    #[test]
    fn proxies_without_a_readable_header_count_themselves() {
        assert_eq!(client("10.0.0.1", &[]), "10.0.0.1");
        assert_eq!(client("10.0.0.1", &["unknown"]), "10.0.0.1");
        assert_eq!(client("::ffff:203.0.113.9", &[]), "203.0.113.9");
    }
}
