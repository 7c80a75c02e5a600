//! Rights: what a route needs, what a key grants, and whether the one covers the other.
//!
//! Every route declares a [`Right`] where it is added (see `routes`); a check before the handler
//! puts the [`Grant`] of the request beside it. Where the right depends on what the request
//! says inside, the handler asks the grant again, by [`Grant::require`].

use axum::extract::FromRequestParts;
use axum::http::StatusCode;
use axum::http::request::Parts;
use serde_json::{Value, json};

use crate::http::dto::error::Problem;
use crate::library::collections;

/// What a key can be given.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Scope {
    /// Ask, search, read articles.
    Read,
    /// Add, change and remove articles.
    Write,
    /// Remove bytes for ever; make, rename and remove collections; see figures. It holds neither of the others.
    Admin,
}

impl Scope {
    fn named(name: &str) -> Option<Self> {
        match name {
            "read" => Some(Self::Read),
            "write" => Some(Self::Write),
            "admin" => Some(Self::Admin),
            _ => None,
        }
    }

    fn name(self) -> &'static str {
        match self {
            Self::Read => "read",
            Self::Write => "write",
            Self::Admin => "admin",
        }
    }
}

/// What a route needs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(in crate::http) enum Right {
    /// Nothing: the route says nothing about what is kept.
    Open,
    /// One of these scopes in the collection that answers. Of several, the handler asks which.
    Here(&'static [Scope]),
    /// This scope in the collection that the request names inside; the handler asks.
    /// A request to the address of a collection needs it there.
    Named(Scope),
    /// This scope in the whole service; at the address of a collection, in that one.
    Whole(Scope),
}

impl Right {
    pub(in crate::http) const READ: Self = Self::Here(&[Scope::Read]);
    pub(in crate::http) const WRITE: Self = Self::Here(&[Scope::Write]);

    fn scopes(&self) -> &[Scope] {
        match self {
            Self::Open => &[],
            Self::Here(scopes) => scopes,
            Self::Named(scope) | Self::Whole(scope) => std::slice::from_ref(scope),
        }
    }

    /// Whether `granted` covers it, for a route of `collection`.
    fn is_covered(&self, granted: &[Granted], collection: &str) -> bool {
        let first = collection == collections::FIRST;
        let fits = |one: &Granted, scope: Scope| match self {
            Self::Open => true,
            Self::Named(_) if first => one.scope == scope,
            Self::Whole(_) if first => one.scope == scope && one.collection.is_none(),
            Self::Here(_) | Self::Named(_) | Self::Whole(_) => one.allows(scope, collection),
        };
        *self == Self::Open || self.scopes().iter().any(|scope| granted.iter().any(|one| fits(one, *scope)))
    }

    /// Whether what needs it may change something.
    pub(in crate::http) fn changes(&self) -> bool {
        self.scopes().iter().any(|scope| *scope != Scope::Read)
    }

    /// As the API's document says it.
    pub(in crate::http) fn described(&self) -> Value {
        let place = match self {
            Self::Open => "nowhere",
            Self::Here(_) => "collection",
            Self::Named(_) => "named collection",
            Self::Whole(_) => "service",
        };
        let scopes: Vec<&str> = self.scopes().iter().map(|scope| scope.name()).collect();
        json!({ "scopes": scopes, "in": place })
    }
}

/// A scope that a key has, in one collection or in all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(in crate::http) struct Granted {
    scope: Scope,
    collection: Option<String>,
}

/// Why a text is no scope.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ScopeError {
    /// It names none.
    #[error("`{}` is no scope", .0.escape_debug())]
    Unknown(String),
    /// What it names after the `@` cannot be a collection.
    #[error("`{}` is no name for a collection", .0.escape_debug())]
    Collection(String),
}

impl Granted {
    /// From `read`, or `read@news` for one collection.
    pub(in crate::http) fn parse(text: &str) -> Result<Self, ScopeError> {
        let (name, collection) = text.split_once('@').map_or((text, None), |(name, collection)| (name, Some(collection)));
        let scope = Scope::named(name).ok_or_else(|| ScopeError::Unknown(name.to_owned()))?;
        match collection.filter(|name| *name != collections::FIRST && !collections::is_name(name)) {
            Some(name) => Err(ScopeError::Collection(name.to_owned())),
            None => Ok(Self { scope, collection: collection.map(str::to_owned) }),
        }
    }

    fn allows(&self, scope: Scope, collection: &str) -> bool {
        self.scope == scope && self.applies_to(collection)
    }

    fn applies_to(&self, collection: &str) -> bool {
        self.collection.as_deref().is_none_or(|only| only == collection)
    }
}

/// What a request may do.
#[derive(Debug, Clone)]
pub(in crate::http) enum Grant {
    /// Everything: the service needs no keys.
    All,
    /// What its key was given.
    Key(Vec<Granted>),
    /// Nothing: it was let in where nothing is needed.
    Nothing,
}

impl Grant {
    /// Whether it allows this in this collection.
    pub(in crate::http) fn allows(&self, scope: Scope, collection: &str) -> bool {
        match self {
            Self::All => true,
            Self::Key(granted) => granted.iter().any(|one| one.allows(scope, collection)),
            Self::Nothing => false,
        }
    }

    /// Whether it allows anything in this collection: then it may know whether there is one of this name.
    pub(in crate::http) fn applies_to(&self, collection: &str) -> bool {
        match self {
            Self::All => true,
            Self::Key(granted) => granted.iter().any(|one| one.applies_to(collection)),
            Self::Nothing => false,
        }
    }

    /// Refuses what it does not allow.
    pub(in crate::http) fn require(&self, scope: Scope, collection: &str) -> Result<(), Problem> {
        if self.allows(scope, collection) { Ok(()) } else { Err(refused(&[scope])) }
    }

    /// Refuses what does not cover `right`, for a route of `collection`.
    pub(in crate::http) fn satisfy(&self, right: Right, collection: &str) -> Result<(), Problem> {
        let covered = match self {
            Self::All => true,
            Self::Key(granted) => right.is_covered(granted, collection),
            Self::Nothing => right == Right::Open,
        };
        if covered { Ok(()) } else { Err(refused(right.scopes())) }
    }
}

/// Names no collection: the answer is the same where there is none.
fn refused(scopes: &[Scope]) -> Problem {
    let scopes: Vec<String> = scopes.iter().map(|scope| format!("`{}`", scope.name())).collect();
    let message = format!(
        "the key does not allow this: scope {} is needed here\nhint: `ibid key new` makes a key with other scopes",
        scopes.join(" or ")
    );
    Problem::new(StatusCode::FORBIDDEN, "scope_needed", message)
}

/// The grant that the check before the handler has put there. A route without a check refuses: it must
/// not answer because somebody forgot to declare its right.
impl<S: Sync> FromRequestParts<S> for Grant {
    type Rejection = Problem;

    async fn from_request_parts(parts: &mut Parts, _: &S) -> Result<Self, Problem> {
        let grant = parts.extensions.get().cloned();
        grant.ok_or_else(|| Problem::internal(&format!("the route `{}` declares no right", parts.uri.path())))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn covers(granted: &[&str], right: Right, collection: &str) -> bool {
        let granted = granted.iter().map(|text| Granted::parse(text).unwrap()).collect();
        Grant::Key(granted).satisfy(right, collection).is_ok()
    }

    #[test]
    fn a_grant_covers_its_scope_in_its_collection_and_no_more() {
        let (first, news) = (collections::FIRST, "news");
        let rows = [
            (vec!["read"], Right::READ, first, true),
            (vec!["read"], Right::READ, news, true),
            (vec!["read"], Right::WRITE, first, false),
            (vec!["write", "admin"], Right::READ, first, false),
            (vec!["read@news"], Right::READ, first, false),
            (vec!["read@news"], Right::READ, news, true),
            (vec!["read@default"], Right::READ, news, false),
            (vec!["read@news"], Right::Named(Scope::Read), first, true),
            (vec!["read@news"], Right::Named(Scope::Read), "other", false),
            (vec!["write@news"], Right::Named(Scope::Read), first, false),
            (vec!["admin@default"], Right::Whole(Scope::Admin), first, false),
            (vec!["admin@news"], Right::Whole(Scope::Admin), news, true),
            (vec!["admin"], Right::Whole(Scope::Admin), first, true),
            (vec!["admin@news"], Right::Here(&[Scope::Write, Scope::Admin]), news, true),
            (vec![], Right::Open, news, true),
        ];
        for (granted, right, collection, expected) in rows {
            assert_eq!(covers(&granted, right, collection), expected, "{granted:?} {right:?} {collection}");
        }
        assert!(Grant::Nothing.satisfy(Right::READ, first).is_err() && Grant::Nothing.satisfy(Right::Open, first).is_ok());
    }
}
