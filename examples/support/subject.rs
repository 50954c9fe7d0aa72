//! What is kept about a person beside mails, as one JSON value.

use email_logging::store::SubjectRecords;
use serde_json::{Value, json};

pub(crate) fn beside_mails(found: &SubjectRecords) -> Value {
    let of_entries = found.entry_comments.iter();
    let of_entries =
        of_entries.map(|(id, said)| json!({ "entry": id.to_string(), "comment": said }));
    let of_deals = found.opportunity_comments.iter();
    let of_deals =
        of_deals.map(|(no, said)| json!({ "opportunity": no.to_string(), "comment": said }));
    let listed = found.never_log.iter();
    let listed = listed.map(
        |(of, rule)| json!({ "salesperson": of.as_ref().map(ToString::to_string), "rule": rule }),
    );
    json!({
        "opportunities": found.opportunities,
        "opportunity-comments": of_deals.collect::<Vec<_>>(),
        "entry-comments": of_entries.collect::<Vec<_>>(),
        "review": found.review,
        "decisions": found.decisions,
        "never-log": listed.collect::<Vec<_>>(),
    })
}
