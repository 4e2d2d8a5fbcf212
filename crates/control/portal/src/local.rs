//! Who is at the other end of the admin socket, as the kernel says (unix(7), `SO_PEERCRED`).

use axum::{extract::connect_info::Connected, serve::IncomingStream};
use nix::unistd::{Uid, User};
use tokio::net::UnixListener;

/// A process on this host that could open the socket file. Serve [`crate::admin_router`] with
/// `into_make_service_with_connect_info::<LocalPeer>()`.
#[derive(Debug, Clone)]
pub struct LocalPeer {
    /// The user's name, or `uid N` when it has none.
    pub user: String,
}

impl Connected<IncomingStream<'_, UnixListener>> for LocalPeer {
    fn connect_info(stream: IncomingStream<'_, UnixListener>) -> Self {
        let user = match stream.io().peer_cred() {
            Ok(credentials) => name_of(Uid::from_raw(credentials.uid())),
            // The peer went away before it was asked about; its request will not be answered either.
            Err(_) => "unknown".to_owned(),
        };
        Self { user }
    }
}

fn name_of(uid: Uid) -> String {
    match User::from_uid(uid) {
        Ok(Some(user)) => user.name,
        _ => format!("uid {uid}"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn users_without_a_name_go_by_their_number() {
        assert_eq!(name_of(Uid::from_raw(0)), "root");
        assert_eq!(name_of(Uid::from_raw(4_000_000_000)), "uid 4000000000");
    }
}
