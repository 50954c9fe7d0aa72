//! An envelope opens in its place alone, and a byte that was changed is an error and never "none".

use std::collections::BTreeSet;
use std::sync::Arc;

use email_logging::ErrorKind;
use email_logging::credential::{MemoryKeys, RecordKey};
use email_logging::error::codes;
use email_logging::store::{MemoryStore, SealedSecret, SecretName, SecretStore};
use proptest::prelude::*;
use secrecy::{ExposeSecret, SecretString};

use super::support::{NAME, bench, envelope, mine, over, put, replace, scope, value};
use crate::canary::Canary;

#[tokio::test]
async fn what_is_put_is_loaded_and_what_is_erased_is_not() {
    let bench = bench();
    assert_eq!(value(&bench.secrets, &mine(), NAME).await, "none");
    assert!(!bench.secrets.is_stored(&mine(), NAME).await.unwrap());
    for text in ["first", "", "ключ \0 \u{1F511}", "second"] {
        put(&bench.secrets, &mine(), NAME, text).await;
        let expected = if text.is_empty() { "none" } else { text };
        assert_eq!(value(&bench.secrets, &mine(), NAME).await, expected);
        let stored = bench.secrets.is_stored(&mine(), NAME).await.unwrap();
        assert_eq!(stored, !text.is_empty());
    }
    bench.secrets.erase(&mine(), &[NAME]).await.unwrap();
    assert_eq!(value(&bench.secrets, &mine(), NAME).await, "none");
}

#[tokio::test]
async fn a_secret_has_at_most_64_kib() {
    let bench = bench();
    let text = "x".repeat(64 << 10);
    put(&bench.secrets, &mine(), NAME, &text).await;
    assert_eq!(value(&bench.secrets, &mine(), NAME).await, text);
    let large = SecretString::from(text + "x");
    let error = bench.secrets.put(&mine(), NAME, &large).await.unwrap_err();
    assert_eq!(error.code(), "config.invalid");
}

#[tokio::test]
async fn another_key_is_the_wrong_key() {
    let bench = bench();
    put(&bench.secrets, &mine(), NAME, "secret").await;
    let others = [MemoryKeys::new(), MemoryKeys::new().with_key(&[7; 32])];
    for keys in others {
        let store: Arc<dyn SecretStore> = Arc::<MemoryStore>::clone(&bench.store);
        let secrets = over(store, Arc::new(keys));
        let error = secrets.load(&mine(), NAME).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::Config, "secret.wrong_key")
        );
        assert!(error.remedy().contains("key provider"));
        // Whoever lost the key can enter the secret again.
        let before = envelope(&*bench.store, &mine(), NAME).await;
        put(&secrets, &mine(), NAME, "entered again").await;
        assert_eq!(value(&secrets, &mine(), NAME).await, "entered again");
        replace(&*bench.store, &mine(), NAME, &before).await;
    }
    assert_eq!(value(&bench.secrets, &mine(), NAME).await, "secret");
}

#[tokio::test]
async fn an_envelope_of_another_row_column_or_scope_does_not_open() {
    let bench = bench();
    let scopes = [
        scope("a", "bc"),
        scope("ab", "c"),
        scope("a", "other"),
        scope("other", "bc"),
    ];
    let mut places = Vec::new();
    for scope in &scopes {
        for name in SecretName::ALL {
            put(&bench.secrets, scope, *name, "the same secret").await;
            places.push((scope.clone(), *name));
        }
    }
    let mut swaps = 0;
    for (from, of) in &places {
        let foreign = envelope(&*bench.store, from, *of).await;
        for (to, name) in &places {
            let own = envelope(&*bench.store, to, *name).await;
            replace(&*bench.store, to, *name, &foreign).await;
            let same = (from, of) == (to, name);
            let expected = if same {
                "the same secret"
            } else {
                "secret.damaged"
            };
            assert_eq!(value(&bench.secrets, to, *name).await, expected);
            replace(&*bench.store, to, *name, &own).await;
            swaps += usize::from(!same);
        }
    }
    assert_eq!(swaps, 16 * 15);
}

#[tokio::test]
async fn an_older_envelope_whose_key_was_put_under_a_newer_id_does_not_open() {
    let bench = bench();
    put(&bench.secrets, &mine(), NAME, "old").await;
    let mut old = envelope(&*bench.store, &mine(), NAME).await;
    old.key_id = bench.keys.add_key().unwrap();
    replace(&*bench.store, &mine(), NAME, &old).await;
    assert_eq!(value(&bench.secrets, &mine(), NAME).await, "secret.damaged");
}

#[tokio::test]
async fn parts_of_two_envelopes_do_not_open_together() {
    let bench = bench();
    put(&bench.secrets, &mine(), NAME, "first").await;
    let first = envelope(&*bench.store, &mine(), NAME).await;
    put(&bench.secrets, &mine(), NAME, "second").await;
    let second = envelope(&*bench.store, &mine(), NAME).await;
    let mut mixed = 0;
    for choice in 1..7_u8 {
        let part = |bit: u8| {
            if choice >> bit & 1 == 0 {
                &first
            } else {
                &second
            }
        };
        let sealed = SealedSecret::new(
            &*first.key_id,
            part(0).wrapped_key.clone(),
            part(1).nonce.clone(),
            part(2).ciphertext.clone(),
        );
        replace(&*bench.store, &mine(), NAME, &sealed).await;
        assert_eq!(value(&bench.secrets, &mine(), NAME).await, "secret.damaged");
        mixed += 1;
    }
    assert_eq!(mixed, 6);
}

/// A part of an envelope.
type Part = fn(&mut SealedSecret) -> &mut Vec<u8>;

#[tokio::test]
async fn every_changed_bit_and_every_cut_is_damage() {
    let bench = bench();
    put(&bench.secrets, &mine(), NAME, "secret").await;
    let whole = envelope(&*bench.store, &mine(), NAME).await;
    let mut damaged = Vec::new();
    let parts: [Part; 3] = [
        |sealed| &mut sealed.wrapped_key,
        |sealed| &mut sealed.nonce,
        |sealed| &mut sealed.ciphertext,
    ];
    for part in parts {
        let length = part(&mut whole.clone()).len();
        for bit in 0..length * 8 {
            let mut one = whole.clone();
            part(&mut one)[bit / 8] ^= 1 << (bit % 8);
            damaged.push(one);
        }
        for cut in 0..length {
            let mut one = whole.clone();
            part(&mut one).truncate(cut);
            damaged.push(one);
        }
        let mut longer = whole.clone();
        part(&mut longer).push(0);
        damaged.push(longer);
    }
    // 60 bytes of a wrapped key, 12 of a nonce, 9 of a head, 6 of the secret and 16 of its tag.
    assert_eq!(damaged.len(), (60 + 12 + 31) * 9 + 3);
    for one in &damaged {
        replace(&*bench.store, &mine(), NAME, one).await;
        let error = bench.secrets.load(&mine(), NAME).await.unwrap_err();
        assert_eq!(
            (error.kind(), error.code()),
            (ErrorKind::StoreUnavailable, "secret.damaged")
        );
    }
    let mut unknown = whole.clone();
    unknown.key_id.push('x');
    replace(&*bench.store, &mine(), NAME, &unknown).await;
    assert_eq!(
        value(&bench.secrets, &mine(), NAME).await,
        "secret.wrong_key"
    );
    replace(&*bench.store, &mine(), NAME, &whole).await;
    assert_eq!(value(&bench.secrets, &mine(), NAME).await, "secret");
}

/// Nonces are drawn at random under a key that seals once, so that two equal ones would do no harm; the list of 10^7 writes
/// would take minutes and prove no more than this: that nothing is drawn once and used twice.
#[tokio::test]
async fn nonces_keys_and_texts_of_many_writes_are_all_different() {
    const WRITES: usize = 20_000;
    let bench = bench();
    let (mut nonces, mut wrapped, mut texts) = (BTreeSet::new(), BTreeSet::new(), BTreeSet::new());
    for _ in 0..WRITES {
        put(&bench.secrets, &mine(), NAME, "the same secret").await;
        let sealed = envelope(&*bench.store, &mine(), NAME).await;
        // The nonce under which the record's key was wrapped is a draw as well.
        assert!(nonces.insert(sealed.wrapped_key[..12].to_vec()));
        assert!(nonces.insert(sealed.nonce));
        assert!(wrapped.insert(sealed.wrapped_key));
        assert!(texts.insert(sealed.ciphertext));
    }
    assert_eq!((nonces.len(), texts.len()), (2 * WRITES, WRITES));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn whatever_is_sealed_is_opened_and_is_not_in_its_envelope(text in "\\PC{8,300}") {
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let bench = bench();
            put(&bench.secrets, &mine(), NAME, &text).await;
            assert_eq!(value(&bench.secrets, &mine(), NAME).await, text);
            let sealed = envelope(&*bench.store, &mine(), NAME).await;
            let canary = Canary::new(&text);
            canary.assert_absent("the wrapped key", &sealed.wrapped_key);
            canary.assert_absent("the text", &sealed.ciphertext);
        });
    }
}

#[tokio::test]
async fn no_value_shows_a_secret_or_a_key() {
    let secret = "c4n4ry-secret/of=the test";
    let key = *b"c4n4ry-key of 32 bytes, exactly.";
    let (secret_canary, key_canary) = (Canary::new(secret), Canary::new(key));
    let (store, keys) = (
        Arc::new(MemoryStore::new()),
        Arc::new(MemoryKeys::new().with_key(&key)),
    );
    let shared: Arc<dyn SecretStore> = Arc::<MemoryStore>::clone(&store);
    let secrets = over(shared, Arc::<MemoryKeys>::clone(&keys));
    put(&secrets, &mine(), NAME, secret).await;
    let opened = secrets.load(&mine(), NAME).await.unwrap().unwrap();
    assert_eq!(opened.value.expose_secret(), secret);
    let record_key = RecordKey::new(&key);
    let stored = store.load_secret(&mine(), NAME).await.unwrap();
    for canary in [&secret_canary, &key_canary] {
        canary.assert_debug(&secrets);
        canary.assert_debug(&opened);
        canary.assert_debug(&stored);
        canary.assert_debug(&keys);
        canary.assert_debug(&record_key);
        canary.assert_debug(&store.list_secrets().await.unwrap());
        for code in codes::ALL {
            canary.assert_debug(code);
        }
    }
    let mut broken = stored.unwrap().sealed;
    broken.nonce.clear();
    replace(&*store, &mine(), NAME, &broken).await;
    let error = secrets.load(&mine(), NAME).await.unwrap_err();
    secret_canary.assert_error(&error);
    key_canary.assert_error(&error);
}

/// Compiles only while a type does not implement `Serialize`: else `some` would be ambiguous.
macro_rules! never_serialized {
    ($($held:ty),* $(,)?) => {$(
        const _: fn() = || {
            trait Ambiguous<A> {
                fn some() {}
            }
            impl<T: ?Sized> Ambiguous<()> for T {}
            impl<T: ?Sized + serde::Serialize> Ambiguous<u8> for T {}
            let _ = <$held as Ambiguous<_>>::some;
        };
    )*};
}

never_serialized! {
    email_logging::credential::AccessToken,
    email_logging::credential::ClientCertificate,
    email_logging::credential::KeyFile,
    email_logging::credential::MemoryKeys,
    email_logging::credential::OpenedSecret,
    email_logging::credential::RecordKey,
    email_logging::credential::ResolvedClient,
    email_logging::credential::StaticCredentials,
    email_logging::credential::StoredRefreshToken,
    email_logging::credential::UserPassword,
    SealedSecret,
    SecretString,
}
