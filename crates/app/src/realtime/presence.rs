//! Who is on a channel, counted over tabs, with a grace period: a reload is not a departure.

use std::collections::HashMap;

use kernel::UserId;

#[derive(Debug, Default)]
struct Person {
    sockets: u32,
    /// Counts departures, so that the end of a grace period knows whether the person has come back since.
    departures: u64,
}

/// The people on one channel. Somebody is there while a socket is, and for the grace period after the last one went.
#[derive(Debug, Default)]
pub struct Presence {
    people: HashMap<UserId, Person>,
}

impl Presence {
    /// A socket came. Whether its person was not there before.
    pub fn arrive(&mut self, user: UserId) -> bool {
        let known = self.people.contains_key(&user);
        self.people.entry(user).or_default().sockets += 1;
        !known
    }

    /// A socket went. When it was its person's last one, the number to settle the departure with after the grace
    /// period.
    pub fn depart(&mut self, user: UserId) -> Option<u64> {
        let person = self.people.get_mut(&user)?;
        person.sockets = person.sockets.saturating_sub(1);
        if person.sockets > 0 {
            return None;
        }
        person.departures += 1;
        Some(person.departures)
    }

    /// The grace period of a departure has passed. Whether the person is gone now.
    pub fn settle(&mut self, user: UserId, departure: u64) -> bool {
        let gone = self
            .people
            .get(&user)
            .is_some_and(|person| person.sockets == 0 && person.departures == departure);
        if gone {
            self.people.remove(&user);
        }
        gone
    }

    /// Everybody who is there.
    pub fn online(&self) -> Vec<UserId> {
        self.people.keys().copied().collect()
    }

    /// Whether nobody is there.
    pub fn is_empty(&self) -> bool {
        self.people.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn somebody_is_there_until_the_grace_period_after_the_last_tab_has_passed() {
        let user = UserId::new(uuid::Uuid::from_u128(1));
        let mut presence = Presence::default();
        assert!(presence.arrive(user), "the first tab");
        assert!(!presence.arrive(user), "the second tab");
        assert_eq!(presence.depart(user), None, "one tab is left");
        let first = presence.depart(user).expect("the last tab went");
        assert!(!presence.arrive(user), "back within the grace period: nobody noticed");
        assert!(!presence.settle(user, first), "the old departure is void");
        let second = presence.depart(user).expect("gone again");
        assert!(!presence.settle(user, first) && presence.online() == [user]);
        assert!(presence.settle(user, second));
        assert!(presence.is_empty());
    }
}
