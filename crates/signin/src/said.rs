//! What an instance has said of its callers, for as long as it knows them again.

use std::cell::RefCell;

use crate::principal::Principal;

/// Callers remembered. Two that share a place take turns.
const PLACES: usize = 64;

/// Where to look for `principal`. What is allocated in a row lies in even steps, which a product with the
/// golden ratio spreads (Knuth, The Art of Computer Programming, section 6.4).
fn place(principal: &Principal) -> usize {
    let address = u64::try_from(principal.address()).unwrap_or_default();
    let spread = address.wrapping_mul(0x9e37_79b9_7f4a_7c15) >> (u64::BITS - PLACES.ilog2());
    usize::try_from(spread).unwrap_or_default()
}

/// Answers that follow from who calls and from the settings alone, of one route.
#[derive(Debug)]
pub struct Said<T>(RefCell<[Option<(Principal, T)>; PLACES]>);

impl<T: Clone> Said<T> {
    /// Nothing has been said yet.
    #[must_use]
    pub const fn new() -> Self {
        Self(RefCell::new([const { None }; PLACES]))
    }

    /// What was said of `principal` when the same verdict on the same credential was last asked about,
    /// else what `say` says: another verdict is another principal, even if all of it is alike.
    pub fn of(&self, principal: &Principal, say: impl FnOnce() -> T) -> T {
        let mut places = self.0.borrow_mut();
        let Some(place) = places.get_mut(place(principal)) else {
            return say();
        };
        match place {
            Some((of, said)) if of.is_same(principal) => said.clone(),
            // It is kept, so nobody else is found at its address meanwhile.
            _ => place.insert((principal.clone(), say())).1.clone(),
        }
    }
}

impl<T: Clone> Default for Said<T> {
    fn default() -> Self {
        Self::new()
    }
}

#[cfg(test)]
#[expect(
    clippy::unwrap_used,
    reason = "a test that meets the unexpected should stop there"
)]
mod tests {
    use std::rc::Rc;

    use scaigate_types::{ClientId, Issuer, Subject, TenantId, Timestamp};

    use super::*;
    use crate::principal::{Credential, Service, User};

    fn user(name: &str) -> Rc<User> {
        Rc::new(User {
            issuer: Issuer::parse("https://scaikey.example").unwrap(),
            subject: Subject::parse("usr_alice").unwrap(),
            tenant_id: TenantId::parse("tnt_acme0001").unwrap(),
            person_id: None,
            email: None,
            name: Some(name.to_owned()),
            admin_role: None,
            personal_workspace_id: None,
            workspace: None,
            scopes: Vec::new(),
            permissions: Vec::new(),
            roles: Vec::new(),
            groups: Vec::new(),
            credential: Credential::AccessToken,
            expires_at: None,
        })
    }

    fn service() -> Principal {
        Principal::Service(Rc::new(Service {
            issuer: Issuer::parse("https://scaikey.example").unwrap(),
            client_id: ClientId::parse("client").unwrap(),
            tenant_id: None,
            is_platform: false,
            scopes: Vec::new(),
            permissions: Vec::new(),
            roles: Vec::new(),
            expires_at: Timestamp::from_millis(0),
        }))
    }

    #[test]
    fn it_is_said_again_of_the_same_verdict_alone() {
        let said = Said::new();
        let alice = user("Alice");
        let (proven, again) = (Principal::User(Rc::clone(&alice)), user("Alice"));
        assert_eq!(said.of(&proven, || 1), 1);
        assert_eq!(said.of(&proven.clone(), || 2), 1, "the same");
        assert_eq!(said.of(&Principal::User(again), || 3), 3, "alike");
        assert_eq!(said.of(&Principal::Dev(alice), || 4), 4, "unproven");
        let one = service();
        assert_eq!(said.of(&one, || 5), 5);
        assert_eq!(said.of(&one, || 6), 5);
        assert_eq!(said.of(&service(), || 7), 7);
    }

    #[test]
    fn many_are_remembered_at_a_time() {
        let said = Said::new();
        let callers: Vec<_> = (0..PLACES / 4).map(|n| user(&n.to_string())).collect();
        let callers = callers.into_iter().map(Principal::User);
        let callers: Vec<_> = callers.collect();
        for caller in &callers {
            said.of(caller, || "once");
        }
        let again = callers.iter().filter(|of| said.of(of, || "anew") == "once");
        assert!(again.count() >= callers.len() / 2);
    }

    #[test]
    fn nobody_is_told_what_was_said_of_another() {
        let said = Said::new();
        // Far more than there are places, some gone before others come: addresses are used again.
        let mut kept = Vec::new();
        for number in 0..20 * PLACES {
            let principal = Principal::User(user(&number.to_string()));
            assert_eq!(said.of(&principal, || number), number);
            assert_eq!(said.of(&principal, || usize::MAX), number);
            if number.is_multiple_of(3) {
                kept.push((number, principal));
            }
        }
        for (number, principal) in kept {
            assert_eq!(said.of(&principal, || number), number);
        }
    }
}
