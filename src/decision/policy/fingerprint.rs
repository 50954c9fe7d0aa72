//! A short digest that tells two policies apart in the trace.

use super::{Boundary, LoggingPolicy, NeverLog, TrustPolicy, Unmatched};

impl LoggingPolicy {
    /// The rules as 16 hexadecimal digits: equal for equal rules, whatever the policy is called.
    ///
    /// It stands behind the name in [`Decision::policy`](crate::decision::Decision::policy), so that an old decision tells
    /// whether the rules have changed since.
    pub fn fingerprint(&self) -> String {
        let mut hasher = blake3::Hasher::new();
        for part in self.parts() {
            // Length-prefixed, so that no two lists of parts can meet by concatenation.
            hasher.update(&(part.len() as u64).to_be_bytes());
            hasher.update(part.as_bytes());
        }
        let mut digits = hasher.finalize().to_hex().to_string();
        digits.truncate(16);
        digits
    }

    /// The name with the fingerprint, as it stands in [`Decision::policy`](crate::decision::Decision::policy).
    pub fn stamp(&self) -> String {
        format!("{}@{}", self.name, self.fingerprint())
    }

    /// Every rule as text. The pattern names every field, so that a new one cannot be forgotten.
    fn parts(&self) -> Vec<String> {
        let Self {
            name: _,
            cc,
            bcc,
            repeated_recipients,
            own_copies,
            match_fields,
            ranking,
            longest_address,
            inactive_salespeople,
            privacy_blocked_contacts,
            own_domains,
            internal,
            excluded_sensitivities,
            classes,
            automatic,
            bulk,
            unmatched,
            keep_unmatched_original,
            ambiguous_sender_quarantined,
            failed_senders_count,
            trust,
            move_fallback,
            delete_not_logged,
            never_log,
        } = self;
        let mut parts = vec![
            format!("cc {cc} bcc {bcc} {}", repeated_recipients.code()),
            format!(
                "own-copies {own_copies} {} {longest_address}",
                ranking.code()
            ),
            format!("inactive {inactive_salespeople} blocked {privacy_blocked_contacts}"),
            format!("{} {} {}", internal.code(), automatic.code(), bulk.code()),
            format!("original {keep_unmatched_original} failed {failed_senders_count}"),
            format!(
                "ambiguous {ambiguous_sender_quarantined} {}",
                move_fallback.code()
            ),
            format!("delete {delete_not_logged}"),
        ];
        list(
            &mut parts,
            "fields",
            match_fields.iter().map(|field| field.code().to_owned()),
        );
        list(&mut parts, "domains", own_domains.iter().cloned());
        let sensitivities = excluded_sensitivities
            .iter()
            .map(|level| level.code().to_owned());
        list(&mut parts, "sensitivities", sensitivities);
        let classes = classes.iter();
        let classes = classes.map(|(class, action)| format!("{} {}", class.code(), action.code()));
        list(&mut parts, "classes", classes);
        list(
            &mut parts,
            "unmatched",
            unmatched_parts(unmatched).into_iter(),
        );
        if *trust != TrustPolicy::default() {
            trust_parts(&mut parts, trust);
        }
        // Nobody on the lists leaves the digits of an older policy as they were.
        if !never_log.is_empty() {
            list(&mut parts, "never-log", never_log_parts(never_log));
        }
        parts
    }
}

fn trust_parts(parts: &mut Vec<String>, trust: &TrustPolicy) {
    let boundary = match &trust.boundary {
        None => "nobody".to_owned(),
        Some(Boundary::AuthservId(id)) => format!("id {id}"),
        Some(Boundary::ExchangeOnline) => "exchange-online".to_owned(),
    };
    list(parts, "boundary", [boundary].into_iter());
    list(parts, "internal", trust.internal_sources.iter().cloned());
}

fn never_log_parts(lists: &NeverLog) -> impl Iterator<Item = String> {
    let organisation = lists.organisation.iter().map(ToString::to_string);
    let salespeople = lists
        .salespeople
        .iter()
        .flat_map(|(code, rules)| rules.iter().map(move |rule| format!("{code} {rule}")));
    organisation.chain(salespeople)
}

fn list(parts: &mut Vec<String>, name: &str, items: impl Iterator<Item = String>) {
    let items: Vec<String> = items.collect();
    parts.push(format!("{name} {}", items.len()));
    parts.extend(items);
}

fn unmatched_parts(unmatched: &Unmatched) -> Vec<String> {
    match unmatched {
        Unmatched::Keep => vec!["keep".to_owned()],
        Unmatched::CreateContact => vec!["create-contact".to_owned()],
        Unmatched::LogAgainst {
            contact,
            salesperson,
        } => vec![
            format!("contact {contact:?}"),
            format!("salesperson {salesperson:?}"),
        ],
    }
}
