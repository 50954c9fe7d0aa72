//! Who signs in: the forms of a user name.

use secrecy::SecretString;

/// A user name in the two parts of the message, with its password. Kept for one sign-in.
pub(super) struct Identity {
    /// The domain's NetBIOS or DNS name; empty where the user name says it or the server chooses.
    pub(super) domain: String,
    /// The account's name, or a user principal name.
    pub(super) user: String,
    /// The password.
    pub(super) password: SecretString,
}

impl Identity {
    /// Reads `DOMAIN\user`, `user@domain` or `user`.
    pub(super) fn new(name: &str, password: SecretString) -> Self {
        let (domain, user) = name.split_once('\\').unwrap_or(("", name));
        Self {
            domain: domain.to_owned(),
            user: user.to_owned(),
            password,
        }
    }
}

/// Capital letters one by one, as Windows makes them: a letter whose capital form is longer stays.
pub(super) fn uppercase(text: &str) -> String {
    let upper = |c: char| {
        let mut all = c.to_uppercase();
        match (all.next(), all.next()) {
            (Some(one), None) => one,
            _ => c,
        }
    };
    text.chars().map(upper).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_form_of_a_user_name_is_taken_apart() {
        for (name, domain, user) in [
            (r"CORP\anna", "CORP", "anna"),
            ("anna@corp.example", "", "anna@corp.example"),
            ("anna", "", "anna"),
            (r"CORP\a\b", "CORP", r"a\b"),
        ] {
            let identity = Identity::new(name, SecretString::default());
            assert_eq!((&*identity.domain, &*identity.user), (domain, user));
        }
    }

    #[test]
    fn capital_letters_keep_the_number_of_letters() {
        assert_eq!(uppercase("jürgen.groß@é"), "JÜRGEN.GROß@É");
    }
}
