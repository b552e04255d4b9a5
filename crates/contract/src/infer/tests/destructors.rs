//! Functions that would release the user data of a callback, and those that only look like it.

use super::library::{header, known};
use super::{empty, infer_in, prototype};
use hotcell_model::Fact;
use hotcell_model::interface::Role;

/// The parameters that are NULL, where the contract says that those named `user` are user data.
fn absent(declaration: &str) -> Vec<usize> {
    let (api, function) = (header(&[declaration]), prototype::parse(declaration));
    let mut draft = empty(&function);
    for (index, param) in function.params.iter().enumerate() {
        let named = param.name.as_deref().is_some_and(|name| name.starts_with("user"));
        if named {
            draft.params[index] = Some(Fact::decided(Role::UserData { callback: 1 }, 1));
        }
    }
    infer_in(&function, &api, &known(&api), &mut draft);
    let null = |index: &usize| {
        let fact = draft.params[*index].as_ref();
        fact.is_some_and(|fact| fact.value == Role::Fixed { c: "NULL".into() })
    };
    (0..draft.params.len()).filter(null).collect()
}

#[test]
fn the_destructor_of_user_data_is_null() {
    for (declaration, expect) in [
        ("int watch(db *d, int (*cb)(void *user), void *user, void (*xDestroy)(void *))", vec![3]),
        ("int watch(db *d, int (*cb)(void *user), void (*free)(void *), void *user)", vec![2]),
        ("int watch(db *d, int (*cb)(void *user), void *user, int n, void (*app_free)(void *))", vec![4]),
        ("int watch(db *d, int (*cb)(void *user), void *user, void (*)(void *))", vec![3]),
        // Nothing of this call is user data.
        ("int watch(db *d, int (*cb)(void *user), void *data, void (*destroy)(void *))", vec![]),
        // Not right behind it, or called like something else that happens.
        ("int watch(db *d, int (*cb)(void *user), void *user, int n, void (*)(void *))", vec![]),
        ("int watch(db *d, int (*cb)(void *user), void *user, void (*done)(void *))", vec![]),
        ("int watch(db *d, int (*cb)(void *user), void *user, void (*notify)(void *))", vec![]),
        // More than one may be meant.
        (
            "int watch(db *d, int (*cb)(void *user), void *user, void (*free_key)(void *), void (*free)(void *))",
            vec![],
        ),
        ("int watch(db *d, int (*cb)(void *user), void *user, void *user2, void (*destroy)(void *))", vec![]),
        // It takes more, or returns something.
        ("int watch(db *d, int (*cb)(void *user), void *user, int (*destroy)(void *))", vec![]),
    ] {
        assert_eq!(absent(declaration), expect, "{declaration}");
    }
}
