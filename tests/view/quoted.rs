//! Quoted replies as the usual programs write them, in English, French and German.

use email_logging::view::{SegmentKind, own_text, split_quoted};
use proptest::prelude::*;

/// A text as `O`, `Q<depth>` with `h` for a header, and `S`.
fn shape(text: &str) -> String {
    let segments = split_quoted(text);
    let joined: String = segments.iter().flat_map(|s| [s.header, s.text]).collect();
    assert_eq!(joined, text);
    let shown = segments.iter().map(|segment| match segment.kind {
        SegmentKind::Own => "O".to_owned(),
        SegmentKind::Signature => "S".to_owned(),
        _ => format!(
            "Q{}{}",
            segment.depth,
            if segment.header.is_empty() { "" } else { "h" }
        ),
    });
    shown.collect::<Vec<_>>().join(" ")
}

/// Name, text, shape, own words.
const FIXTURES: &[(&str, &str, &str, &str)] = &[
    (
        "Outlook, English",
        "Dear Anna,\n\nfine with us.\n\nFrom: Anna Berg <anna@corp.example>\nSent: Tuesday, 5 May 2026 09:12\nTo: Tim Lund\nSubject: Offer\n\nShall we meet?\n",
        "O Q1h",
        "Dear Anna,\n\nfine with us.",
    ),
    (
        "Outlook, English, bold labels behind a rule",
        "Yes.\n________________________________\n*From:* Anna Berg\n*Sent:* Tuesday, 5 May 2026 09:12\n*To:* Tim Lund;\n Eva Holm\n*Subject:* Offer\n\nold\n",
        "O Q1h",
        "Yes.",
    ),
    (
        "Outlook, English, old separator",
        "Yes.\n\n-----Original Message-----\nFrom: Anna\nSent: Tuesday\nTo: Tim\nSubject: Offer\n\nold\n",
        "O Q1h",
        "Yes.",
    ),
    (
        "Outlook, French",
        "Bonjour Anna,\n\nc'est d'accord.\n\nDe : Anna Berg <anna@corp.example>\nEnvoy\u{e9} : mardi 5 mai 2026 09:12\n\u{c0} : Tim Lund <tim@customer.example>\nCc : Eva Holm\nObjet : Offre\n\nOn se voit ?\n",
        "O Q1h",
        "Bonjour Anna,\n\nc'est d'accord.",
    ),
    (
        "Outlook, French, no-break spaces and old separator",
        "Oui.\n\n-----Message d\u{2019}origine-----\nDe\u{a0}: Anna\nEnvoy\u{e9}\u{a0}: mardi\n\u{c0}\u{a0}: Tim\nObjet\u{a0}: Offre\n\nvieux\n",
        "O Q1h",
        "Oui.",
    ),
    (
        "Outlook, German",
        "Hallo Anna,\n\npasst.\n\nVon: Anna Berg <anna@corp.example>\nGesendet: Dienstag, 5. Mai 2026 09:12\nAn: Tim Lund\nBetreff: Angebot\n\nTreffen wir uns?\n",
        "O Q1h",
        "Hallo Anna,\n\npasst.",
    ),
    (
        "Outlook, German, old separator",
        "Ja.\n-----Urspr\u{fc}ngliche Nachricht-----\nVon: Anna\nGesendet: Dienstag\nAn: Tim\nBetreff: Angebot\n\nalt\n",
        "O Q1h",
        "Ja.",
    ),
    (
        "Outlook, two mails deep",
        "new\n\nFrom: B\nSent: 2\nTo: C\nSubject: x\n\nmiddle\n\nVon: A\nGesendet: 1\nAn: B\nBetreff: x\n\noldest\n",
        "O Q1h Q2h",
        "new",
    ),
    (
        "Gmail, English, wrapped",
        "Yes.\n\nOn Tue, May 5, 2026 at 9:12 AM Anna Berg with a very long name\n<anna@corp.example> wrote:\n\n> Shall we?\n>\n>> When?\n> Soon.\n",
        "O Q1h Q2 Q1",
        "Yes.",
    ),
    (
        "Gmail, French",
        "Oui.\n\nLe mar. 5 mai 2026 \u{e0} 09:12, Anna Berg <anna@corp.example> a \u{e9}crit :\n\n> On se voit ?\n",
        "O Q1h",
        "Oui.",
    ),
    (
        "Gmail, German",
        "Ja.\n\nAm Di., 5. Mai 2026 um 09:12 Uhr schrieb Anna Berg <\nanna@corp.example>:\n\n> Treffen wir uns?\n",
        "O Q1h",
        "Ja.",
    ),
    (
        "Gmail, forwarded",
        "See below.\n\n---------- Forwarded message ---------\nFrom: Anna Berg <anna@corp.example>\nDate: Tue, May 5, 2026 at 9:12 AM\nSubject: Offer\nTo: <tim@customer.example>\n\nold\n",
        "O Q1h",
        "See below.",
    ),
    (
        "Apple Mail",
        "Yes.\n\n> On 5 May 2026, at 09:12, Anna Berg <anna@corp.example> wrote:\n> \n> Shall we?\n\n",
        "O Q1",
        "Yes.",
    ),
    (
        "Apple Mail, French",
        "Oui.\n\n> Le 5 mai 2026 \u{e0} 09:12, Anna Berg <anna@corp.example> a \u{e9}crit :\n> \n> On se voit ?\n",
        "O Q1",
        "Oui.",
    ),
    (
        "Apple Mail, forwarded",
        "fyi\n\nBegin forwarded message:\n\nFrom: Anna Berg\nSubject: Offer\nDate: 5 May 2026\nTo: Tim\n\nold\n",
        "O Q1h",
        "fyi",
    ),
    (
        "Thunderbird, English, answers between the quotes",
        "On 5/5/26 09:12, Anna Berg wrote:\n> Shall we meet?\nYes.\n\n> When?\nAt nine.\n",
        "Q1h O Q1 O",
        "Yes.\n\nAt nine.",
    ),
    (
        "Thunderbird, French",
        "Le 05/05/2026 \u{e0} 09:12, Anna Berg a \u{e9}crit\u{a0}:\n> On se voit ?\nOui.\n-- \nTim\n",
        "Q1h O S",
        "Oui.",
    ),
    (
        "Thunderbird, German, signature above the quote",
        "Ja.\n\n-- \nTim Lund\n\nAm 05.05.26 um 09:12 schrieb Anna Berg:\n> Treffen wir uns?\n",
        "O S Q1h",
        "Ja.",
    ),
    (
        "Thunderbird, forwarded",
        "-------- Weitergeleitete Nachricht --------\nBetreff: \tAngebot\nVon: \tAnna\n\nalt\n",
        "Q1h",
        "-------- Weitergeleitete Nachricht --------\nBetreff: \tAngebot\nVon: \tAnna\n\nalt",
    ),
    (
        "quotes without marks behind an attribution with date and address",
        "Yes.\n\nOn 5 May 2026, Anna <anna@corp.example> wrote:\n\nShall we?\n",
        "O Q1h",
        "Yes.",
    ),
    (
        "words that only look like marks",
        "On Monday Anna wrote:\nwe should go.\nFrom: the start\nit was clear that\nTo: be or not\n",
        "O",
        "On Monday Anna wrote:\nwe should go.\nFrom: the start\nit was clear that\nTo: be or not",
    ),
    (
        "a greeting in the line above",
        "Hello Tim\nOn 5 May 2026 Anna wrote:\n> Shall we?\n",
        "O Q1h",
        "Hello Tim",
    ),
    (
        "a divider that is no signature",
        "Hello\n--\nI want my money back.\n",
        "O",
        "Hello\n--\nI want my money back.",
    ),
    (
        "Outlook, answers between lines without marks",
        "Hi Anna,\n\nplease see my answers below.\n\nFrom: Anna Berg <anna@corp.example>\nSent: Tuesday, 5 May 2026 09:12\nTo: Tim Lund\nSubject: Offer\n\nHow many?\nTwo.\nWhen?\nNever, I want my money back.\n",
        "O",
        "Hi Anna,\n\nplease see my answers below.\n\nFrom: Anna Berg <anna@corp.example>\nSent: Tuesday, 5 May 2026 09:12\nTo: Tim Lund\nSubject: Offer\n\nHow many?\nTwo.\nWhen?\nNever, I want my money back.",
    ),
    (
        "Outlook, German, answers in a colour",
        "Hallo Anna,\n\nAntworten in Rot.\n\n*Von:* Anna Berg\n*Gesendet:* Dienstag\n*An:* Tim Lund\n*Betreff:* Angebot\n\nWie viele?\nZwei.\n",
        "O",
        "Hallo Anna,\n\nAntworten in Rot.\n\n*Von:* Anna Berg\n*Gesendet:* Dienstag\n*An:* Tim Lund\n*Betreff:* Angebot\n\nWie viele?\nZwei.",
    ),
    (
        "Outlook, French, answers within",
        "Bonjour,\n\nmes r\u{e9}ponses ci-dessous.\n\nDe : Anna\nEnvoy\u{e9} : mardi\n\u{c0} : Tim\nObjet : Offre\n\nCombien ?\nDeux.\n",
        "O",
        "Bonjour,\n\nmes r\u{e9}ponses ci-dessous.\n\nDe : Anna\nEnvoy\u{e9} : mardi\n\u{c0} : Tim\nObjet : Offre\n\nCombien ?\nDeux.",
    ),
    (
        "a word that only holds a pointer",
        "They fell in reddish light.\n\nFrom: Anna\nSent: Tuesday\nTo: Tim\nSubject: Offer\n\nold\n",
        "O Q1h",
        "They fell in reddish light.",
    ),
    (
        "Outlook, German, bold labels",
        "Ja.\n\n*Von:* Anna Berg <anna@corp.example>\n*Gesendet:* Dienstag, 5. Mai 2026 09:12\n*An:* Tim Lund\n*Cc:* Eva Holm\n*Betreff:* Angebot\n\nTreffen wir uns?\n",
        "O Q1h",
        "Ja.",
    ),
    (
        "Outlook for iOS",
        "Yes, at nine.\n\nGet Outlook for iOS<https://aka.ms/o0ukef>\n________________________________\nFrom: Anna Berg <anna@corp.example>\nSent: Tuesday, May 5, 2026 9:12:00 AM\nTo: Tim Lund <tim@customer.example>\nSubject: Offer\n\nShall we meet?\n",
        "O S Q1h",
        "Yes, at nine.",
    ),
    (
        "Outlook for Android, German",
        "Ja.\n\nHolen Sie sich Outlook f\u{fc}r Android<https://aka.ms/AAb9ysg>\n________________________________\nVon: Anna\nGesendet: Dienstag\nAn: Tim\nBetreff: Angebot\n\nalt\n",
        "O S Q1h",
        "Ja.",
    ),
    (
        "a telephone at the end",
        "Yes.\n\nSent from my iPhone\n",
        "O S",
        "Yes.",
    ),
    (
        "a telephone that is spoken of",
        "I said\n\nsent from my iPhone\nit is fine.\n",
        "O",
        "I said\n\nsent from my iPhone\nit is fine.",
    ),
    (
        "a sentence that looks like an attribution",
        "On 3 May you wrote to anna@corp.example about 2 pumps:\n\n1. one is broken\n2. I want my money back\n",
        "O",
        "On 3 May you wrote to anna@corp.example about 2 pumps:\n\n1. one is broken\n2. I want my money back",
    ),
    (
        "a German sentence that looks like an attribution",
        "Am 3. Mai schrieb ich an anna@corp.example:\n\n1. eine ist defekt\n",
        "O",
        "Am 3. Mai schrieb ich an anna@corp.example:\n\n1. eine ist defekt",
    ),
    (
        "Gmail, French, wrapped over three lines",
        "Oui.\n\nLe mar. 5 mai 2026 \u{e0} 09:12, Anna Berg avec un tr\u{e8}s long nom\n<anna@corp.example>\na \u{e9}crit :\n\n> On se voit ?\n",
        "O Q1h",
        "Oui.",
    ),
    (
        "Gmail, French, wrapped, with the answer directly below",
        "Le mar. 5 mai 2026 \u{e0} 09:12, Anna Berg\n<anna@corp.example> a\n\u{e9}crit :\nOui.\n> On se voit ?\n",
        "Q1h O Q1",
        "Oui.",
    ),
    ("empty", "", "", ""),
];

#[test]
fn quoted_replies_are_told_apart() {
    for (name, text, expected, own) in FIXTURES {
        assert_eq!(shape(text), *expected, "{name}");
        assert_eq!(own_text(text), *own, "{name}");
        let crlf = text.replace('\n', "\r\n");
        assert_eq!(shape(&crlf), *expected, "{name} with CRLF");
    }
}

#[test]
fn headers_are_whole() {
    let (_, text, ..) = FIXTURES[8];
    let header = split_quoted(text)[1].header;
    let expected = "On Tue, May 5, 2026 at 9:12 AM Anna Berg with a very long name\n<anna@corp.example> wrote:\n";
    assert_eq!(header, expected);
    let (_, text, ..) = FIXTURES[3];
    let header = split_quoted(text)[1].header;
    assert!(
        header.starts_with("De :") && header.ends_with("Objet : Offre\n"),
        "{header}"
    );
}

#[test]
fn long_texts_are_split_in_linear_time() {
    for line in [
        "On a wrote\n",
        "From: x\nTo: y\n",
        ">",
        "> > >\n",
        "----\n",
        "On 1 a@b wrote:\n\n",
        "____________\n",
    ] {
        let text = line.repeat((1 << 20) / line.len());
        let joined: usize = split_quoted(&text)
            .iter()
            .map(|s| s.header.len() + s.text.len())
            .sum();
        assert_eq!(joined, text.len());
    }
}

proptest! {
    #[test]
    fn segments_are_the_text(pieces in prop::collection::vec(prop::sample::select(&[
        "On 3 May, a@b wrote:", "\n", "\n\n", "> ", ">> x", "From: a", "Sent: b", "Subject: c", "De :", "-- ", "x", "\r\n",
        "-----Original Message-----", "________________", "\u{e9}", "Le 3 a \u{e9}crit :", "Am 1 schrieb",
    ][..]), 0..40)) {
        shape(&pieces.concat());
    }
}
