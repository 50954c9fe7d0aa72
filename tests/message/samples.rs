//! The sample mails of the demo: who wrote what to whom, reasoned from the mails and not from the
//! code.

use std::collections::BTreeMap;
use std::path::PathBuf;

use super::support::{addresses, codes, content, names, read};
use email_logging::message::{CanonicalDigest, MailFacts, Message, MessageLimits};

fn samples() -> BTreeMap<String, Vec<u8>> {
    let folder = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("examples/email_logger/samples");
    let files = std::fs::read_dir(folder)
        .unwrap()
        .map(|f| f.unwrap().path());
    files
        .filter(|path| path.extension().is_some_and(|ending| ending == "eml"))
        .map(|path| {
            let name = path.file_name().unwrap().to_string_lossy().into_owned();
            (name[..2].to_owned(), std::fs::read(path).unwrap())
        })
        .collect()
}

const ADA: &str = "ada.holm@tidewheel.example";
const PENNY: &str = "penny.marsh@example.org";

const BENOIT: &str = "benoit.kessler@tidewheel.example";
const CARLA: &str = "carla.montes@tidewheel.example";
const DANIEL: &str = "daniel.sorensen@tidewheel.example";
const LUCIA: &str = "lucia.fuertes@acequia.example";
const MARGAUX: &str = "margaux.delorme@vallee-hydraulique.example";
const TWO: &str = "ada.holm@tidewheel.example, penny.marsh@example.org";
const THREE: &str = "margaux.delorme@vallee-hydraulique.example, lucia.fuertes@acequia.example, \
                     t.wrona@zrodlo.example";
const GROUP: &str = "penny.marsh@example.org, lucia.fuertes@acequia.example, workshop@tidewheel.example, \
                     daniel.sorensen@tidewheel.example";

/// Number, From, To, Cc and Bcc.
const PEOPLE: &[(&str, &str, &str, &str, &str)] = &[
    ("01", ADA, PENNY, "", ""),
    ("02", BENOIT, THREE, "", ""),
    (
        "05",
        DANIEL,
        "haruka.sato@mizu-kikai.example",
        "xiaoyu.lin@qingquan.example, ada.holm@tidewheel.example",
        "",
    ),
    ("06", ADA, PENNY, PENNY, ""),
    ("14", BENOIT, "t.wrona@zrodlo.example", "", ""),
    ("23", "juergen.vogt@xn--bcher-kva.example", ADA, "", ""),
    ("24", DANIEL, "info@xn--bcher-kva.example", "", ""),
    ("25", PENNY, ADA, "", ""),
    ("26", PENNY, "ada.holm+news@tidewheel.example", "", ""),
    (
        "33",
        "juergen.vogt@xn--bcher-kva.example",
        "fountains@lists.example",
        ADA,
        "",
    ),
    ("38", PENNY, "", "", ""),
    ("39", ADA, "", "", ""),
    ("40", "", ADA, "", ""),
    ("41", TWO, LUCIA, "", ""),
    ("42", TWO, LUCIA, "", ""),
    ("43", "!EncodedWord", ADA, "", ""),
    ("44", "office@cheap-pumps.example", PENNY, "", ""),
    ("45", ADA, "desk@reseller.example", "", ""),
    ("46", "noreply@webforms.example", ADA, "", ""),
    ("47", "compras@xn--cequia-2nf.example", CARLA, "", ""),
    ("75", ADA, PENNY, "", MARGAUX),
    ("77", PENNY, ADA, "", ""),
    ("78", CARLA, GROUP, "", ""),
    ("79", DANIEL, "\"odd jensen\"@fjord-vvs.example", "", ""),
    ("80", PENNY, ADA, "", ""),
    ("81", PENNY, ADA, "", ""),
    (
        "82",
        "elif@varga-agency.example",
        "salma.rahal@wahat.example",
        "",
        "",
    ),
    ("83", "juergen.vogt@xn--bcher-kva.example", ADA, "", ""),
    ("87", ADA, "rita.field@fieldworks.example", "", PENNY),
    (
        "90",
        "xiaoyu.lin@qingquan.example",
        "ada.holm@tidewheel.example, carla.montes@tidewheel.example",
        "",
        "",
    ),
];

#[test]
fn senders_and_recipients_are_those_of_the_mails() {
    let samples = samples();
    assert_eq!(samples.len(), 90);
    for (number, from, to, cc, bcc) in PEOPLE {
        let message = read(&samples[*number]);
        assert_eq!(addresses(&message.from), *from, "From of {number}");
        assert_eq!(addresses(&message.to), *to, "To of {number}");
        assert_eq!(addresses(&message.cc), *cc, "Cc of {number}");
        assert_eq!(addresses(&message.bcc), *bcc, "Bcc of {number}");
    }
}

#[test]
fn classes_signals_flags_and_sensitivity_are_those_of_the_mails() {
    let odd: BTreeMap<&str, [&str; 4]> = [
        ("28", ["mail", "normal", "automatic-reply", ""]),
        ("29", ["mail", "normal", "automatic-reply", ""]),
        ("32", ["mail", "normal", "bulk", ""]),
        ("33", ["mail", "normal", "mailing-list", ""]),
        (
            "34",
            ["mail", "normal", "automatic-message bulk mailing-list", ""],
        ),
        ("41", ["mail", "normal", "", "several-from-headers"]),
        ("43", ["mail", "normal", "", "address-unusable"]),
        ("54", ["mail", "private", "", ""]),
        ("55", ["mail", "confidential", "", ""]),
        ("56", ["mail", "personal", "", ""]),
        ("57", ["delivery-report", "normal", "automatic-reply", ""]),
        ("58", ["read-receipt", "normal", "", ""]),
        ("61", ["meeting-request", "normal", "", ""]),
        ("63", ["smime-opaque", "normal", "", "opaque-content"]),
        ("64", ["smime-signed", "normal", "", ""]),
        ("71", ["mail", "normal", "", "message-id-missing"]),
        ("72", ["mail", "normal", "", "date-implausible"]),
        ("73", ["mail", "normal", "", "date-missing"]),
        ("74", ["mail", "normal", "", "date-missing"]),
        ("75", ["mail", "normal", "", "journal-unwrapped"]),
        ("83", ["mail", "normal", "", "header-charset"]),
    ]
    .into();
    for (number, mail) in samples() {
        let message = read(mail);
        let read = [
            message.class.code().to_owned(),
            message.sensitivity.code().to_owned(),
            codes!(message.signals),
            codes!(message.flags),
        ];
        let plain = ["mail", "normal", "", ""];
        assert_eq!(read, *odd.get(&*number).unwrap_or(&plain), "{number}");
    }
}

#[test]
fn texts_are_decoded_in_every_charset() {
    let samples = samples();
    let table = [
        (
            "02",
            "Catalogue, cat\u{e1}logo, katalog: 2026 \u{2013} nouvelle",
        ),
        ("19", "\u{7ef4}\u{4fee}\u{8bb0}\u{5f55} 2026-03"),
        ("77", "=HYPERLINK(\"https://evil.example\",\"x\") <"),
        (
            "84",
            "Re: \u{70b9}\u{691c}\u{65e5}\u{7a0b}\u{306e}\u{3054}\u{6848}\u{5185}",
        ),
        ("83", "R\u{fffd}ckfrage: H\u{fffd}he des Wasserstrahls"),
    ];
    for (number, beginning) in table {
        let subject = read(&samples[number]).subject;
        let length = beginning.chars().count();
        assert_eq!(subject.chars().take(length).collect::<String>(), beginning);
    }
    assert_eq!(read(&samples["76"]).subject.chars().count(), 300);
    assert_eq!(
        names(&read(&samples["05"]).to),
        ["\u{4f50}\u{85e4} \u{9065}"]
    );
    let comment = "Penny Marsh, office (2nd floor)";
    assert_eq!(names(&read(&samples["81"]).from), [comment]);
    let japanese = content(&samples["84"]).text.unwrap();
    assert!(japanese.starts_with("\u{30bd}\u{30ec}\u{30f3}\u{30bb}\u{30f3}\u{69d8}\n"));
}

/// Name, media type, bytes, and whether it is shown inside the text.
type Listed = (&'static str, &'static str, u64, bool);

#[test]
fn attachments_are_listed_with_clean_names() {
    let samples = samples();
    let table: &[(&str, &[Listed], &str)] = &[
        ("01", &[], ""),
        (
            "02",
            &[
                ("flange.png", "image/png", 74, true),
                ("catalogue-2026.pdf", "application/pdf", 598, false),
            ],
            "",
        ),
        (
            "57",
            &[
                ("attachment", "message/delivery-status", 223, false),
                ("message.eml", "message/rfc822", 148, false),
            ],
            "",
        ),
        (
            "63",
            &[("smime.p7m", "application/pkcs7-mime", 429, false)],
            "opaque-content",
        ),
        (
            "65",
            &[("winmail.dat", "application/ms-tnef", 75, false)],
            "opaque-content",
        ),
        ("75", &[], ""),
        (
            "77",
            &[
                ("start.sh", "application/octet-stream", 11, false),
                ("offerfdp.exe", "application/octet-stream", 14, false),
            ],
            "",
        ),
        (
            "85",
            &[
                (
                    "Devis d\u{e9}taill\u{e9} pour la vall\u{e9}e 2026.pdf",
                    "application/pdf",
                    584,
                    false,
                ),
                ("sch\u{e9}ma.png", "image/png", 74, false),
            ],
            "",
        ),
    ];
    for (number, attachments, flags) in table {
        let content = content(&samples[*number]);
        let listed: Vec<_> = content
            .attachments
            .iter()
            .map(|a| (&*a.name, &*a.media_type, a.size, a.inline))
            .collect();
        assert_eq!(listed, *attachments, "{number}");
        assert_eq!(codes!(content.flags), *flags, "{number}");
    }
    let inside = content(&samples["75"]).text.unwrap();
    assert!(inside.starts_with("Hi Penny,\n\nthe warranty"), "{inside}");
}

#[test]
fn copies_share_a_key_and_renderings_a_digest() {
    let samples = samples();
    let key = |number: &str| read(&samples[number]).identity.fast_key;
    let digest = |number: &str| CanonicalDigest::of(&samples[number], &MessageLimits::default());
    assert_eq!(key("66"), key("67"));
    assert_ne!(key("66"), key("68"));
    assert_eq!(digest("66"), digest("67"));
    assert_eq!(digest("66"), digest("68"));
    assert_eq!(
        read(&samples["69"]).message_id,
        read(&samples["70"]).message_id
    );
    assert_ne!(key("69"), key("70"));
    assert_ne!(digest("69"), digest("70"));
    let mut digests: Vec<_> = samples.keys().map(|number| digest(number)).collect();
    digests.sort();
    digests.dedup();
    assert_eq!(digests.len(), 88);
}

#[test]
fn the_time_of_receipt_stands_in_for_a_bad_date() {
    let samples = samples();
    let received = Some("2026-06-01T12:00:00Z".parse().unwrap());
    let mut facts = MailFacts::default();
    facts.received = received;
    for number in ["72", "73", "74"] {
        let message = Message::read(&samples[number], &facts, &MessageLimits::default()).unwrap();
        assert_eq!(message.sent, received, "{number}");
    }
}
