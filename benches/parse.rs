//! How long it takes to read one mail: the hot path (headers and hashes), the second look (text and
//! attachments), and one address.

use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use email_logging::message::{
    Address, CanonicalDigest, MailFacts, Message, MessageContent, MessageLimits, MessageReader,
};

/// A mail of 30 kB as a mail program writes it: a dozen trace headers, three recipients, text, HTML
/// and a small picture.
fn mail() -> Vec<u8> {
    let hops = (0..4).map(|hop| {
        format!(
            "Received: from hub{hop}.a.example (192.0.2.{hop}) by hub.a.example\r\n \
             (192.0.2.9) with ESMTPS id 55f27322b60f{hop}; Mon, 27 Apr 2026 10:00:5{hop} +0000\r\n"
        )
    });
    let mut mail = hops.collect::<Vec<_>>().concat();
    mail.push_str(
        "Authentication-Results: spf=pass smtp.mailfrom=b.example; dkim=pass; dmarc=pass\r\n\
         X-MS-Exchange-Organization-AuthAs: Anonymous\r\nThread-Topic: Offer\r\n\
         From: =?utf-8?Q?Luc=C3=ADa_Fuertes?= <lucia.fuertes@b.example>\r\n\
         To: Ada Holm <ada.holm@a.example>, \"Kessler, B.\" <bk@a.example>\r\n\
         Cc: penny.marsh@c.example\r\nSubject: =?utf-8?Q?Oferta_n=C3=BAmero_4471?=\r\n\
         Date: Mon, 27 Apr 2026 12:00:54 +0200\r\nMessage-ID: <4471@b.example>\r\n\
         References: <1@a.example> <2@b.example>\r\nMIME-Version: 1.0\r\n\
         Content-Type: multipart/mixed; boundary=\"o\"\r\n\r\n--o\r\n\
         Content-Type: multipart/alternative; boundary=\"i\"\r\n\r\n--i\r\n\
         Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n\r\n",
    );
    mail.push_str(&"Estimada se=C3=B1ora Holm: adjunto la oferta de las bombas.\r\n".repeat(60));
    mail.push_str("--i\r\nContent-Type: text/html; charset=utf-8\r\n\r\n");
    mail.push_str(&"<p>Estimada se&ntilde;ora <b>Holm</b>: adjunto la oferta.</p>\r\n".repeat(100));
    mail.push_str(
        "--i--\r\n--o\r\nContent-Type: image/png; name=\"a.png\"\r\n\
         Content-Transfer-Encoding: base64\r\n\r\n",
    );
    while mail.len() < 30_000 {
        mail.push_str(
            "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJAAAADUlEQVR42mNk+M9QDwADhgGA\r\n",
        );
    }
    mail.push_str("--o--\r\n");
    mail.into_bytes()
}

fn hot_path(c: &mut Criterion) {
    let mail = mail();
    let limits = MessageLimits::default();
    let facts = MailFacts::default();
    let mut group = c.benchmark_group("message");
    group.throughput(Throughput::Bytes(mail.len() as u64));
    group.bench_function("read 30 kB", |b| {
        b.iter(|| Message::read(black_box(&mail), &facts, &limits).is_ok());
    });
    group.bench_function("read 30 kB in chunks of 4 KiB", |b| {
        b.iter(|| {
            let mut reader = MessageReader::new(limits.clone());
            let pushed = mail.chunks(4_096).all(|chunk| reader.push(chunk).is_ok());
            pushed && reader.finish(&facts).identity.size > 0
        });
    });
    group.bench_function("BLAKE3 of 30 kB alone", |b| {
        b.iter(|| blake3::hash(black_box(&mail)));
    });
    group.finish();
}

fn second_look(c: &mut Criterion) {
    let mail = mail();
    let limits = MessageLimits::default();
    let mut group = c.benchmark_group("content");
    group.throughput(Throughput::Bytes(mail.len() as u64));
    group.bench_function("text and attachments of 30 kB", |b| {
        b.iter(|| MessageContent::read(black_box(&mail), &limits));
    });
    group.bench_function("canonical digest of 30 kB", |b| {
        b.iter(|| CanonicalDigest::of(black_box(&mail), &limits));
    });
    group.finish();
}

fn addresses(c: &mut Criterion) {
    let mut group = c.benchmark_group("address");
    for (name, text) in [
        ("plain", "Ada.Holm@Tidewheel.example"),
        ("quoted", "\"odd jensen\"@fjord-vvs.example"),
        ("international", "info@B\u{fc}cher.example"),
    ] {
        group.bench_function(name, |b| b.iter(|| Address::parse(black_box(text))));
    }
    group.finish();
}

criterion_group!(benches, hot_path, second_look, addresses);
criterion_main!(benches);
