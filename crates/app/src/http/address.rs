//! The network address of a client.

use std::net::IpAddr;

use actix_web::HttpRequest;

use crate::config::Network;
use crate::state::Pitlane;

const FORWARDED_FOR: &str = "x-forwarded-for";

/// The address a request came from: that of the connection, or what a trusted proxy says in `X-Forwarded-For`.
/// Empty when it is not known.
pub fn of(request: &HttpRequest, pitlane: &Pitlane) -> String {
    let Some(peer) = request.peer_addr().map(|address| address.ip().to_canonical()) else {
        return String::new();
    };
    let headers = request.headers().get_all(FORWARDED_FOR).filter_map(|value| value.to_str().ok());
    let forwarded: Vec<&str> = headers.flat_map(|value| value.split(',')).map(str::trim).collect();
    client(peer, &forwarded, &pitlane.settings.server.trusted_proxies).to_string()
}

/// Each proxy adds the address it saw at the end, so the last one that is no proxy of ours is the client. What stands
/// before it was written by the client itself.
fn client(peer: IpAddr, forwarded: &[&str], proxies: &[Network]) -> IpAddr {
    let trusted = |address: IpAddr| proxies.iter().any(|network| network.contains(address));
    let mut client = peer;
    for hop in forwarded.iter().rev() {
        if !trusted(client) {
            break;
        }
        match hop.parse::<IpAddr>() {
            Ok(address) => client = address.to_canonical(),
            Err(_) => break,
        }
    }
    client
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_what_trusted_proxies_say_is_believed() {
        let proxies: Vec<Network> = vec!["10.0.0.0/8".parse().expect("a network")];
        for (peer, forwarded, expected) in [
            ("203.0.113.7", vec![], "203.0.113.7"),
            ("203.0.113.7", vec!["198.51.100.1"], "203.0.113.7"),
            ("10.0.0.1", vec!["198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", vec!["192.0.2.66", "198.51.100.1"], "198.51.100.1"),
            ("10.0.0.1", vec!["198.51.100.1", "10.0.0.2"], "198.51.100.1"),
            ("10.0.0.1", vec!["nonsense"], "10.0.0.1"),
            ("10.0.0.1", vec![], "10.0.0.1"),
        ] {
            let found = client(peer.parse().expect("an address"), &forwarded, &proxies);
            assert_eq!(found.to_string(), expected, "{peer} {forwarded:?}");
        }
    }
}
