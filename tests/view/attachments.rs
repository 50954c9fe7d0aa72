//! Attachments, what wraps a mail, and invitations.

use email_logging::view::{OriginalView, ViewLimits, Wrapper};

fn mixed(parts: &[&str]) -> Vec<u8> {
    let mut mail = "Subject: x\nContent-Type: multipart/mixed; boundary=b\n\n".to_owned();
    for part in parts {
        mail.push_str("--b\n");
        mail.push_str(part);
        mail.push('\n');
    }
    mail.push_str("--b--\n");
    mail.replace('\n', "\r\n").into_bytes()
}

fn names(view: &OriginalView<'_>) -> Vec<String> {
    view.attachments().map(|one| one.name.clone()).collect()
}

#[test]
fn names_are_decoded_clean_and_unique() {
    let mail = mixed(&[
        "Content-Type: text/plain\n\nbody",
        "Content-Type: application/pdf; name=\"=?utf-8?q?=C3=BCber?= sicht.pdf\"\n\nx",
        "Content-Disposition: attachment; filename*=utf-8''%E2%82%AC%20offer.pdf\n\nx",
        "Content-Disposition: attachment; filename*0=\"long \"; filename*1=\"name.pdf\"\n\nx",
        "Content-Disposition: attachment; filename=\"..\\\\..\\\\con.txt\"\n\nx",
        "Content-Disposition: attachment; filename=\"=?utf-8?q?a=E2=80=AEfdp.exe?=\"\n\nx",
        "Content-Disposition: attachment; filename=\"LONG name.PDF\"\n\nx",
        "Content-Disposition: attachment\nContent-Type: image/png\n\nx",
        "Content-Type: message/rfc822\n\nSubject: inner\n\ninner",
        "Content-Type: message/rfc822; name=\"Re: offer\"\n\nSubject: inner\n\ninner",
    ]);
    let view = OriginalView::of(&mail, &ViewLimits::default());
    let expected = [
        "\u{fc}ber sicht.pdf",
        "\u{20ac} offer.pdf",
        "long name.pdf",
        "_con.txt",
        "afdp.exe",
        "LONG name (6).PDF",
        "image.png",
        "message.eml",
        "Re_ offer.eml",
    ];
    assert_eq!(names(&view), expected);
    assert_eq!(view.text().text, "body");
}

#[test]
fn bytes_come_decoded_and_mails_whole() {
    let mail = mixed(&[
        "Content-Disposition: attachment; filename=a\nContent-Transfer-Encoding: base64\n\naGFs\nbG8=",
        "Content-Disposition: attachment; filename=b\nContent-Transfer-Encoding: quoted-printable\n\na=3D=\nb",
        "Content-Type: message/rfc822\n\nSubject: inner\nContent-Type: multipart/mixed; boundary=c\n\n--c\n\
         Content-Disposition: attachment; filename=not-listed\n\nz\n--c--",
    ]);
    let view = OriginalView::of(&mail, &ViewLimits::default());
    assert_eq!(names(&view), ["a", "b", "message.eml"]);
    assert_eq!(&*view.attachment(0).unwrap(), b"hallo");
    assert_eq!(&*view.attachment(1).unwrap(), b"a=b");
    assert!(
        view.attachment(2)
            .unwrap()
            .starts_with(b"Subject: inner\r\n")
    );
    assert_eq!(view.attachment(3), None);
    let sizes: Vec<_> = view.attachments().map(|one| one.size).collect();
    assert_eq!(sizes[..2], [5, 3]);
}

#[test]
fn the_number_of_attachments_has_a_limit() {
    let part = "Content-Disposition: attachment; filename=a\n\nx";
    let mut limits = ViewLimits::default();
    limits.attachments = 3;
    let mail = mixed(&[part; 10]);
    assert_eq!(
        names(&OriginalView::of(&mail, &limits)),
        ["a", "a (2)", "a (3)"]
    );
}

#[test]
fn wrappers_are_named_for_what_they_are() {
    let table = [
        (
            "application/pkcs7-mime; smime-type=enveloped-data; name=smime.p7m",
            Wrapper::SmimeEncrypted,
            "smime.p7m",
        ),
        (
            "application/x-pkcs7-mime; smime-type=signed-data",
            Wrapper::SmimeOpaqueSigned,
            "smime.p7m",
        ),
        (
            "application/pkcs7-mime; smime-type=certs-only; name=a.p7c",
            Wrapper::SmimeOther,
            "a.p7c",
        ),
        ("application/ms-tnef", Wrapper::Tnef, "winmail.dat"),
        (
            "application/octet-stream; name=WinMail.dat",
            Wrapper::Tnef,
            "WinMail.dat",
        ),
        (
            "message/partial; id=a; number=1",
            Wrapper::Partial,
            "attachment",
        ),
        (
            "message/external-body; access-type=url",
            Wrapper::ExternalBody,
            "attachment",
        ),
    ];
    for (kind, wrapper, name) in table {
        let mail = format!("Subject: x\r\nContent-Type: {kind}\r\n\r\nx");
        let view = OriginalView::of(mail.as_bytes(), &ViewLimits::default());
        assert_eq!(
            (view.wrappers(), &*names(&view)),
            (&[wrapper][..], &[name.to_owned()][..]),
            "{kind}"
        );
        assert!(!wrapper.text().is_empty() && !wrapper.code().is_empty());
    }
    let multiparts = [
        (
            "signed; protocol=\"application/pkcs7-signature\"",
            "application/pkcs7-signature",
            Wrapper::SmimeSigned,
        ),
        (
            "signed; protocol=\"application/pgp-signature\"",
            "application/pgp-signature",
            Wrapper::PgpSigned,
        ),
        (
            "encrypted; protocol=\"application/pgp-encrypted\"",
            "application/pgp-encrypted",
            Wrapper::PgpEncrypted,
        ),
    ];
    for (kind, part, wrapper) in multiparts {
        let mail = format!(
            "Content-Type: multipart/{kind}; boundary=b\r\n\r\n--b\r\n\r\nread me\r\n--b\r\nContent-Type: {part}\r\n\r\nx\r\n--b--\r\n"
        );
        let view = OriginalView::of(mail.as_bytes(), &ViewLimits::default());
        assert_eq!(view.wrappers(), [wrapper]);
        assert_eq!(view.text().text, "read me");
    }
}

#[test]
fn files_in_a_winmail_dat_are_listed_and_read() {
    let attribute = |id: u32, data: &[u8]| {
        let length = u32::try_from(data.len()).unwrap().to_le_bytes();
        [&[2][..], &id.to_le_bytes(), &length, data, &[0, 0]].concat()
    };
    let tnef = [
        vec![0x78, 0x9f, 0x3e, 0x22, 1, 0],
        attribute(0x0006_9002, &[0; 14]),
        attribute(0x0001_8010, b"..\\off\"er.pdf\0"),
        attribute(0x0006_800f, b"%PDF\xff"),
    ]
    .concat();
    let head = b"Content-Type: application/ms-tnef; name=winmail.dat\r\nContent-Transfer-Encoding: 8bit\r\n\r\n";
    let mail = [head, &tnef[..]].concat();
    let view = OriginalView::of(&mail, &ViewLimits::default());
    assert_eq!(names(&view), ["winmail.dat", "off_er.pdf"]);
    assert_eq!(&*view.attachment(1).unwrap(), b"%PDF\xff");
    assert!(view.attachments().nth(1).unwrap().from_tnef);
}

#[test]
fn an_invitation_is_summarised() {
    let mail = mixed(&[
        "Content-Type: text/plain\n\nbody",
        "Content-Type: text/calendar; method=REQUEST; charset=utf-8\n\nBEGIN:VCALENDAR\nBEGIN:VEVENT\nSUMMARY:Offer\n\
         DTSTART:20260503T090000Z\nEND:VEVENT\nEND:VCALENDAR",
    ]);
    let view = OriginalView::of(&mail, &ViewLimits::default());
    let found = view.invitation().unwrap();
    assert_eq!(
        (&*found.method, &*found.summary, &*found.start),
        ("request", "Offer", "20260503T090000Z")
    );
    assert_eq!(names(&view), ["invite.ics"]);
}

#[test]
fn headers_are_read_for_people() {
    let mail = b"From: =?utf-8?q?Anna_B=C3=B6rg?= <anna@corp.example>\r\nTo: a@b.example, Tim <t@b.example>\r\n\
        Subject: =?utf-8?q?a=E2=80=AEb?=\r\nDate: Tue, 5 May 2026 09:12:00 +0200\r\n\r\nx";
    let view = OriginalView::of(mail, &ViewLimits::default());
    let headers = view.headers();
    assert_eq!(headers.subject, "a\u{fffd}b");
    assert_eq!(headers.from, ["Anna B\u{f6}rg <anna@corp.example>"]);
    assert_eq!(headers.to, ["a@b.example", "Tim <t@b.example>"]);
    assert_eq!(headers.sent.unwrap().to_string(), "2026-05-05T07:12:00Z");
}
