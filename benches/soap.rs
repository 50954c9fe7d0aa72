//! How long it takes to read a GetItem answer of 50 messages of 30 kB: XML, base64, facts.

#![allow(clippy::unwrap_used, clippy::expect_used, missing_docs)]

use std::fmt::Write as _;
use std::hint::black_box;

use criterion::{Criterion, Throughput, criterion_group, criterion_main};
use email_logging::source::ews::testing::read_answer;

const MESSAGES: usize = 50;
const SIZE: usize = 30_000;

fn answer() -> Vec<u8> {
    let mut xml = String::from(
        "<?xml version=\"1.0\" encoding=\"utf-8\"?>\
         <s:Envelope xmlns:s=\"http://schemas.xmlsoap.org/soap/envelope/\"><s:Body>\
         <m:GetItemResponse \
         xmlns:m=\"http://schemas.microsoft.com/exchange/services/2006/messages\" \
         xmlns:t=\"http://schemas.microsoft.com/exchange/services/2006/types\">\
         <m:ResponseMessages>",
    );
    let mail: Vec<u8> = (0..SIZE)
        .map(|at| u8::try_from(at * 31 % 251).unwrap())
        .collect();
    let mime = base64_simd::STANDARD.encode_to_string(mail);
    for at in 0..MESSAGES {
        write!(
            xml,
            "<m:GetItemResponseMessage ResponseClass=\"Success\">\
             <m:ResponseCode>NoError</m:ResponseCode><m:Items><t:Message>\
             <t:MimeContent CharacterSet=\"UTF-8\">{mime}</t:MimeContent>\
             <t:ItemId Id=\"AAMkAGI{at:0100}\" ChangeKey=\"CQAAABYAAAA\"/>\
             <t:ItemClass>IPM.Note</t:ItemClass><t:Subject>Offer {at}</t:Subject>\
             <t:Sensitivity>Normal</t:Sensitivity>\
             <t:DateTimeReceived>2026-11-01T10:00:00Z</t:DateTimeReceived><t:Size>{SIZE}</t:Size>\
             <t:DateTimeSent>2026-11-01T09:59:00Z</t:DateTimeSent>\
             <t:ToRecipients><t:Mailbox><t:Name>B</t:Name>\
             <t:EmailAddress>b@example.com</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType>\
             <t:MailboxType>OneOff</t:MailboxType></t:Mailbox></t:ToRecipients>\
             <t:From><t:Mailbox><t:Name>A</t:Name>\
             <t:EmailAddress>a@example.com</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType>\
             </t:Mailbox></t:From><t:InternetMessageId>&lt;{at}@example.com&gt;\
             </t:InternetMessageId></t:Message></m:Items></m:GetItemResponseMessage>"
        )
        .unwrap();
    }
    xml.push_str("</m:ResponseMessages></m:GetItemResponse></s:Body></s:Envelope>");
    xml.into_bytes()
}

fn read(criterion: &mut Criterion) {
    let runtime = tokio::runtime::Builder::new_current_thread()
        .build()
        .unwrap();
    let xml = answer();
    let pieces: Vec<Vec<u8>> = xml.chunks(64 << 10).map(<[u8]>::to_vec).collect();
    let mut group = criterion.benchmark_group("soap");
    group.throughput(Throughput::Elements(u64::try_from(MESSAGES).unwrap()));
    group.bench_function("get_item_50_of_30_kb", |bencher| {
        bencher.to_async(&runtime).iter_batched(
            || pieces.clone(),
            async |pieces| black_box(read_answer(pieces).await.unwrap()),
            criterion::BatchSize::LargeInput,
        );
    });
    group.finish();
}

criterion_group!(benches, read);
criterion_main!(benches);
