//! The sample mails of the demo, inside the program: a build does not depend on the current directory.
//!
//! Owns the bytes and the times of receipt, in the order in which the mails lie in the queue.

use std::io;

use email_logging::testkit::exchange::{Delivery, SimulatedExchange};
use jiff::Timestamp;

/// One sample mail.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sample {
    /// The file's name.
    pub(crate) name: &'static str,
    /// When the simulated Exchange received it (RFC 3339).
    received: &'static str,
    /// Its bytes.
    pub(crate) original: &'static [u8],
}

/// Who is who in the sample mails.
pub(crate) const DIRECTORY: &str = include_str!("samples/directory.toml");

macro_rules! samples {
    ($($received:literal $name:literal,)*) => {
        /// Every sample mail, oldest first.
        pub(crate) const SAMPLES: &[Sample] = &[$(Sample {
            name: $name,
            received: $received,
            original: include_bytes!(concat!("samples/", $name)),
        },)*];
    };
}

samples! {
    "2026-03-02T15:00:38Z" "01-outbound-one-contact.eml",
    "2026-03-03T13:49:07Z" "02-outbound-three-contacts.eml",
    "2026-03-04T12:36:36Z" "03-inbound-one-salesperson.eml",
    "2026-03-05T11:25:05Z" "04-inbound-two-salespeople.eml",
    "2026-03-06T10:12:34Z" "05-to-and-cc.eml",
    "2026-03-07T09:01:03Z" "06-same-contact-to-and-cc.eml",
    "2026-03-07T15:48:32Z" "07-same-contact-two-addresses.eml",
    "2026-03-08T14:37:01Z" "08-salesperson-two-addresses.eml",
    "2026-03-09T13:24:30Z" "09-sender-both.eml",
    "2026-03-10T12:12:59Z" "10-inbound-to-both.eml",
    "2026-03-11T11:00:28Z" "11-outbound-to-both.eml",
    "2026-03-12T09:48:57Z" "12-both-to-salesperson.eml",
    "2026-03-13T08:36:26Z" "13-sender-copies-herself.eml",
    "2026-03-13T15:24:55Z" "14-on-behalf-of-a-salesperson.eml",
    "2026-03-14T14:12:24Z" "15-salesperson-is-only-sender-header.eml",
    "2026-03-15T13:00:53Z" "16-contact-second-email.eml",
    "2026-03-16T11:48:22Z" "17-contact-alternative-address.eml",
    "2026-03-17T10:36:51Z" "18-contact-address-in-a-list.eml",
    "2026-03-18T09:24:20Z" "19-salesperson-alias.eml",
    "2026-03-19T08:12:49Z" "20-inherited-company-address.eml",
    "2026-03-19T15:00:18Z" "21-two-contacts-one-address.eml",
    "2026-03-20T13:48:47Z" "22-company-address.eml",
    "2026-03-21T12:36:16Z" "23-idn-domain-a-label.eml",
    "2026-03-22T11:24:45Z" "24-idn-domain-u-label.eml",
    "2026-03-23T10:12:14Z" "25-uppercase-addresses.eml",
    "2026-03-24T09:00:43Z" "26-plus-address-of-a-salesperson.eml",
    "2026-03-24T15:48:12Z" "27-plus-address-of-a-contact.eml",
    "2026-03-25T14:36:41Z" "28-automatic-reply-with-comment.eml",
    "2026-03-26T13:24:10Z" "29-automatic-reply-with-parameter.eml",
    "2026-03-27T12:12:39Z" "30-auto-submitted-no.eml",
    "2026-03-28T11:01:08Z" "31-auto-response-suppress-alone.eml",
    "2026-03-29T09:48:37Z" "32-bulk-precedence.eml",
    "2026-03-30T08:37:06Z" "33-mailing-list.eml",
    "2026-03-30T15:24:35Z" "34-newsletter-all-signals.eml",
    "2026-03-31T14:13:04Z" "35-unknown-sender.eml",
    "2026-04-01T13:00:33Z" "36-unknown-recipient.eml",
    "2026-04-02T11:49:02Z" "37-contact-to-contact.eml",
    "2026-04-03T10:36:31Z" "38-undisclosed-recipients.eml",
    "2026-04-04T09:25:00Z" "39-no-recipients.eml",
    "2026-04-05T08:12:29Z" "40-no-from.eml",
    "2026-04-05T15:00:58Z" "41-two-from-headers.eml",
    "2026-04-06T13:48:27Z" "42-one-from-two-mailboxes.eml",
    "2026-04-07T12:36:56Z" "43-encoded-word-as-local-part.eml",
    "2026-04-08T11:24:25Z" "44-display-name-shows-a-salesperson.eml",
    "2026-04-09T10:12:54Z" "45-display-name-shows-a-contact.eml",
    "2026-04-10T09:00:23Z" "46-reply-to-is-a-contact.eml",
    "2026-04-10T15:48:52Z" "47-homograph-domain.eml",
    "2026-04-11T14:36:21Z" "48-own-domain-but-no-salesperson.eml",
    "2026-04-12T13:24:50Z" "49-contact-to-own-domain-non-salesperson.eml",
    "2026-04-13T12:12:19Z" "50-agent-to-salesperson.eml",
    "2026-04-14T11:00:48Z" "51-salesperson-to-own-and-unknown.eml",
    "2026-04-15T09:48:17Z" "52-internal-two-salespeople.eml",
    "2026-04-16T08:36:46Z" "53-internal-both-own-domains.eml",
    "2026-04-16T15:24:15Z" "54-sensitivity-private.eml",
    "2026-04-17T14:12:44Z" "55-sensitivity-company-confidential.eml",
    "2026-04-18T13:00:13Z" "56-sensitivity-personal.eml",
    "2026-04-19T11:48:42Z" "57-delivery-report.eml",
    "2026-04-20T10:36:11Z" "58-read-receipt.eml",
    "2026-04-21T09:24:40Z" "59-read-receipt-asked-for.eml",
    "2026-04-22T08:12:09Z" "60-forwarded-delivery-report.eml",
    "2026-04-22T15:00:38Z" "61-meeting-request.eml",
    "2026-04-23T13:49:07Z" "62-calendar-file-attached.eml",
    "2026-04-24T12:36:36Z" "63-smime-encrypted.eml",
    "2026-04-25T11:25:05Z" "64-multipart-signed.eml",
    "2026-04-26T10:12:34Z" "65-winmail-dat.eml",
    "2026-04-27T09:01:03Z" "66-copy-of-first-rule.eml",
    "2026-04-27T09:01:04Z" "67-copy-of-second-rule.eml",
    "2026-04-27T09:01:05Z" "68-copy-encoded-differently.eml",
    "2026-04-29T13:24:30Z" "69-same-message-id-first.eml",
    "2026-04-30T12:12:59Z" "70-same-message-id-other-content.eml",
    "2026-05-01T11:00:28Z" "71-no-message-id.eml",
    "2026-05-02T09:48:59Z" "72-date-year-9999.eml",
    "2026-05-03T08:37:30Z" "73-date-unreadable.eml",
    "2026-05-04T07:26:01Z" "74-no-date.eml",
    "2026-05-04T14:12:24Z" "75-journal-report.eml",
    "2026-05-05T13:00:53Z" "76-subject-of-300-characters.eml",
    "2026-05-06T11:48:22Z" "77-hostile-subject-and-file-names.eml",
    "2026-05-07T10:36:51Z" "78-group-syntax.eml",
    "2026-05-08T09:24:20Z" "79-quoted-local-part-needed.eml",
    "2026-05-09T08:12:49Z" "80-quoted-local-part-not-needed.eml",
    "2026-05-09T15:00:18Z" "81-comments-in-addresses.eml",
    "2026-05-10T13:48:47Z" "82-folded-headers.eml",
    "2026-05-11T12:36:16Z" "83-unlabelled-8-bit.eml",
    "2026-05-12T11:24:45Z" "84-japanese.eml",
    "2026-05-13T10:12:14Z" "85-file-names-by-rfc-2231.eml",
    "2026-05-14T09:00:43Z" "86-privacy-blocked-contact.eml",
    "2026-05-14T15:48:12Z" "87-contact-in-bcc-header.eml",
    "2026-05-15T14:36:41Z" "88-stranger-in-to-contact-in-cc.eml",
    "2026-05-16T13:24:10Z" "89-contact-in-cc-of-a-contact.eml",
    "2026-05-17T12:12:39Z" "90-chinese-reply.eml",
}

impl Sample {
    /// When it was received.
    pub(crate) fn received(&self) -> Option<Timestamp> {
        self.received.parse().ok()
    }

    /// The sample that a word means after `sample:`: its number, or the beginning of its name.
    pub(crate) fn named(word: &str) -> Option<&'static Self> {
        let number = word.parse::<u32>().ok();
        SAMPLES.iter().find(|sample| match number {
            Some(number) => sample.number() == Some(number),
            None => !word.is_empty() && sample.name.starts_with(word),
        })
    }

    fn number(&self) -> Option<u32> {
        self.name.split('-').next()?.parse().ok()
    }
}

/// Puts every sample into a folder of a simulated Exchange and answers how many there are.
pub(crate) fn deliver(exchange: &SimulatedExchange, folder: &str) -> io::Result<usize> {
    for sample in SAMPLES {
        let mut delivery = Delivery::new(sample.original);
        if let Some(received) = sample.received() {
            delivery = delivery.with_received(received);
        }
        exchange.deliver_with(folder, delivery)?;
    }
    Ok(SAMPLES.len())
}
