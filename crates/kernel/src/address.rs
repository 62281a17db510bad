//! Addresses of servers, as they may be shown: passwords stand in them in several places.

/// The address without what opens it: the part before the host, and what a query calls a password or alike. What might be
/// either is hidden as well.
pub fn without_secrets(address: &str) -> String {
    match Parts::of(address) {
        Some(Parts { scheme, open, place, query }) => {
            let hidden = if open { "********@" } else { "" };
            format!("{scheme}://{hidden}{place}{}", masked(query))
        }
        None => hidden(address),
    }
}

/// Where an address leads: its host and its path alone.
pub fn place(address: &str) -> String {
    match Parts::of(address) {
        Some(Parts { scheme, place, .. }) => format!("{scheme}://{place}"),
        None => hidden(address),
    }
}

struct Parts<'a> {
    scheme: &'a str,
    /// Whether something stood before the host.
    open: bool,
    place: &'a str,
    /// With its question mark; empty where there is none.
    query: &'a str,
}

impl<'a> Parts<'a> {
    /// `None` when there are none, or when a password may reach into any of them.
    fn of(address: &'a str) -> Option<Self> {
        let (scheme, rest) = address.split_once("://")?;
        let (before, query) = rest.split_at(rest.find('?').unwrap_or(rest.len()));
        // Either a password with a question mark in it or a query with an at sign: nobody knows which.
        if query.contains('@') || scheme.contains('@') {
            return None;
        }
        let place = before.rsplit_once('@').map_or(before, |(_, place)| place);
        Some(Self { scheme, open: place.len() < before.len(), place, query })
    }
}

fn hidden(address: &str) -> String {
    let scheme = address.split_once("://").map(|(scheme, _)| scheme).filter(|scheme| !scheme.contains('@'));
    match scheme {
        Some(scheme) => format!("{scheme}://********"),
        None if address.contains(['@', '=']) => "********".to_owned(),
        None => address.to_owned(),
    }
}

fn masked(query: &str) -> String {
    let Some(query) = query.strip_prefix('?') else { return String::new() };
    let one = |pair: &str| match pair.split_once('=') {
        Some((name, _)) if is_secret(name) => format!("{name}=********"),
        Some(_) | None => pair.to_owned(),
    };
    format!("?{}", query.split('&').map(one).collect::<Vec<_>>().join("&"))
}

// An encoded name may say anything.
fn is_secret(name: &str) -> bool {
    let name = name.to_ascii_lowercase();
    name.contains('%') || ["pass", "secret", "token", "sig"].iter().any(|part| name.contains(part))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_opens_an_address_is_not_shown() {
        for (address, shown, led) in [
            ("postgres://db/pitlane", "postgres://db/pitlane", "postgres://db/pitlane"),
            ("postgres://me:hush@db/x", "postgres://********@db/x", "postgres://db/x"),
            ("postgres://me:hu@sh@db/x", "postgres://********@db/x", "postgres://db/x"),
            ("postgres://me:hu/sh@db/x", "postgres://********@db/x", "postgres://db/x"),
            (
                "postgres://me@db/x?sslmode=require&password=hush",
                "postgres://********@db/x?sslmode=require&password=********",
                "postgres://db/x",
            ),
            ("postgres://db/x?sslpassword=hush", "postgres://db/x?sslpassword=********", "postgres://db/x"),
            ("postgres://db/x?pass%77ord=hush", "postgres://db/x?pass%77ord=********", "postgres://db/x"),
            ("postgres://me:hu?sh@db/x", "postgres://********", "postgres://********"),
            ("postgres://me@db?password=hush@x", "postgres://********", "postgres://********"),
            ("nats://hush@bus:4222", "nats://********@bus:4222", "nats://bus:4222"),
            ("host=db password=hush", "********", "********"),
            ("me:hush@db", "********", "********"),
            ("data.db", "data.db", "data.db"),
            ("", "", ""),
        ] {
            assert_eq!(
                (without_secrets(address).as_str(), place(address).as_str()),
                (shown, led),
                "{address}"
            );
        }
    }
}
