//! Conversations in every order of arrival.

use super::*;

fn uid(number: u8) -> MessageUid {
    MessageUid::from_bytes([number; 16])
}

/// A mail with the number's minute, this id, these references and these people: `=bob` is one of the company's own, `#C1` a
/// contact or company for whom it was logged.
fn mail(number: u8, id: &str, references: &[&str], people: &str) -> ThreadMail {
    let mut mail = ThreadMail::new(uid(number));
    mail.date = Timestamp::from_second(i64::from(number) * 60).ok();
    mail.message_id = (!id.is_empty()).then(|| id.to_owned());
    mail.references = references.iter().map(|id| (*id).to_owned()).collect();
    for person in people.split_whitespace() {
        match (person.strip_prefix('='), person.strip_prefix('#')) {
            (Some(own), _) => mail.name(own, true),
            (_, Some(contact)) => drop(mail.contacts.insert(contact.into())),
            _ => mail.name(person, false),
        }
    }
    mail
}

/// What a store does: looks up whoever names one of the ids.
fn walk(mails: &[ThreadMail], start: usize, limit: usize) -> Conversation {
    let mut walk = ThreadWalk::bounded(mails[start].clone(), limit);
    loop {
        let ids = walk.next_ids();
        if ids.is_empty() {
            return walk.finish();
        }
        let names = |mail: &&ThreadMail| mail.ids().any(|id| ids.iter().any(|asked| asked == id));
        walk.found(mails.iter().filter(names).cloned().collect());
    }
}

/// The numbers of the mails with those of their parents, from every mail and in both orders of arrival.
fn threads(mails: &[ThreadMail]) -> Vec<Vec<(u8, Option<u8>)>> {
    let number = |uid: MessageUid| uid.as_bytes()[0];
    let told = |mails: &[ThreadMail]| -> Vec<_> {
        let of = |start| {
            let found = walk(mails, start, THREAD_LIMIT).mails;
            let mut rows: Vec<_> = found
                .iter()
                .map(|m| (number(m.message), m.parent.map(number)))
                .collect();
            rows.sort_unstable();
            rows
        };
        let mut all: Vec<_> = (0..mails.len()).map(of).collect();
        all.sort();
        all.dedup();
        all
    };
    let reversed: Vec<_> = mails.iter().rev().cloned().collect();
    let forward = told(mails);
    assert_eq!(
        forward,
        told(&reversed),
        "the order of arrival changes nothing"
    );
    forward
}

#[test]
fn answers_stand_below_what_they_answer() {
    let mails = [
        mail(1, "a", &[], "anna bob"),
        mail(2, "b", &["a"], "bob anna"),
        mail(3, "c", &["a", "b"], "anna bob"),
    ];
    assert_eq!(threads(&mails), [[(1, None), (2, Some(1)), (3, Some(2))]]);
    let found = walk(&mails, 2, THREAD_LIMIT);
    let depths: Vec<u32> = found.mails.iter().map(|mail| mail.depth).collect();
    assert_eq!(depths, [0, 1, 2]);
}

#[test]
fn siblings_of_a_first_mail_that_was_never_seen_are_one_conversation() {
    let mails = [
        mail(1, "b", &["unseen"], "anna bob"),
        mail(2, "c", &["unseen"], "anna bob"),
    ];
    assert_eq!(threads(&mails), [[(1, None), (2, None)]]);
}

#[test]
fn an_answer_that_arrives_first_finds_its_place() {
    let mut late = mail(9, "a", &[], "anna bob");
    late.date = None;
    let mails = [mail(1, "b", &["a"], "anna bob"), late];
    assert_eq!(threads(&mails), [[(1, Some(9)), (9, None)]]);
}

#[test]
fn a_forwarded_mail_belongs_by_its_references_whatever_its_subject() {
    // The subject (WG:, TR:, Fwd:) is no part of what is asked.
    let mails = [
        mail(1, "a", &[], "anna bob"),
        mail(2, "f", &["a"], "bob carol"),
        mail(3, "g", &["a", "f"], "carol dora"),
    ];
    assert_eq!(threads(&mails), [[(1, None), (2, Some(1)), (3, Some(2))]]);
}

#[test]
fn a_stranger_who_reuses_ids_is_not_joined() {
    let mails = [
        mail(1, "a", &[], "anna bob"),
        mail(2, "x", &["a"], "mallory trudy"),
        mail(3, "a", &[], "mallory trudy"),
    ];
    assert_eq!(
        threads(&mails),
        [vec![(1, None)], vec![(2, Some(3)), (3, None)]]
    );
}

#[test]
fn a_stranger_who_copies_an_id_and_writes_to_the_same_salesperson_is_not_joined() {
    let mails = [
        mail(1, "a", &[], "anna =bob #C1"),
        mail(2, "b", &["a"], "anna =bob #C1"),
        mail(3, "x", &["a", "b"], "mallory =bob =office"),
        mail(4, "y", &["a", "b"], "mallory =bob #M1"),
    ];
    assert_eq!(
        threads(&mails),
        [vec![(1, None), (2, Some(1))], vec![(3, None), (4, None)],]
    );
}

#[test]
fn a_salesperson_whose_address_was_not_known_as_own_then_joins_nobody_now() {
    let mails = [
        mail(1, "a", &[], "anna bob"),
        mail(2, "x", &["a"], "mallory =bob"),
    ];
    assert_eq!(threads(&mails), [vec![(1, None)], vec![(2, None)]]);
}

#[test]
fn a_colleague_of_the_contact_to_whom_it_was_forwarded_joins() {
    // The colleague writes to the salesperson alone; the company is the same.
    let mails = [
        mail(1, "a", &[], "anna =bob #C1 #CORP"),
        mail(2, "f", &["a"], "carol =bob #C2 #CORP"),
    ];
    assert_eq!(threads(&mails), [[(1, None), (2, Some(1))]]);
}

#[test]
fn mail_within_the_company_is_joined_with_such_mail_alone() {
    let mails = [
        mail(1, "a", &[], "anna =bob #C1"),
        mail(2, "b", &["a"], "=bob =dora"),
        mail(3, "c", &["a", "b"], "=dora =emil"),
    ];
    assert_eq!(
        threads(&mails),
        [vec![(1, None)], vec![(2, None), (3, Some(2))]]
    );
}

#[test]
fn mails_without_a_common_id_are_apart_whoever_wrote_them() {
    let mails = [mail(1, "a", &[], "anna bob"), mail(2, "", &[], "anna bob")];
    assert_eq!(threads(&mails), [vec![(1, None)], vec![(2, None)]]);
}

#[test]
fn whoever_is_linked_over_another_is_joined_whenever_that_one_comes() {
    // The third shares nobody with the first; the second knows both.
    let mails = [
        mail(1, "a", &[], "anna bob"),
        mail(2, "b", &["a"], "bob carol"),
        mail(3, "c", &["a"], "carol dora"),
    ];
    assert_eq!(threads(&mails), [[(1, None), (2, Some(1)), (3, Some(1))]]);
}

#[test]
fn mails_that_answer_each_other_make_no_circle() {
    let mails = [
        mail(1, "a", &["b", "a"], "anna"),
        mail(2, "b", &["a"], "anna"),
        mail(3, "c", &["c"], "anna"),
    ];
    let found = threads(&mails);
    assert_eq!(found, [vec![(1, Some(2)), (2, None)], vec![(3, None)]]);
}

#[test]
fn the_last_32_references_count() {
    let many: Vec<String> = (0..40).map(|n| format!("r{n}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let old = mail(1, "r7", &[], "anna");
    let counted = mail(2, "r8", &[], "anna");
    let mails = [old, counted, mail(3, "z", &many, "anna")];
    assert_eq!(
        threads(&mails),
        [vec![(1, None)], vec![(2, None), (3, Some(2))]]
    );
}

#[test]
fn a_huge_conversation_is_cut() {
    let mails: Vec<_> = (1..=200)
        .map(|n| mail(n, &format!("m{n}"), &["root"], "anna"))
        .collect();
    let cut = walk(&mails, 0, 50);
    assert_eq!((cut.mails.len(), cut.is_cut), (50, true));
    let whole = walk(&mails, 0, 200);
    assert_eq!((whole.mails.len(), whole.is_cut), (200, false));
}
