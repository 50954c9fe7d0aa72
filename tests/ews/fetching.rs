//! GetItem: originals before facts, one answer per item in order.

use std::time::Duration;

use email_logging::clock::Clock;
use email_logging::message::{ItemClass, Sensitivity};
use email_logging::source::MailSource;
use wiremock::MockServer;

use super::support::*;

async fn fetched(server: &MockServer, ids: &[&str]) -> Collect {
    let (source, _) = source(server);
    let mut sink = Collect::default();
    source
        .fetch(&folder("Q"), &listed(ids), &mut sink)
        .await
        .unwrap();
    sink
}

async fn fetch_error(server: &MockServer, ids: &[&str]) -> (&'static str, Collect) {
    let (source, _) = source(server);
    let mut sink = Collect::default();
    let fetched = source.fetch(&folder("Q"), &listed(ids), &mut sink).await;
    (code_of(&fetched.unwrap_err()), sink)
}

fn complete(mime: &str, subject: &str) -> Got {
    Got::Complete(mime.into(), Some(subject.into()))
}

fn subject(text: &str) -> String {
    format!("<t:Subject>{text}</t:Subject>")
}

#[tokio::test]
async fn items_come_in_order_with_originals_and_facts() {
    let server = MockServer::start().await;
    let facts = "<t:ItemClass>IPM.Note</t:ItemClass><t:Subject>One &amp; two</t:Subject>\
        <t:Sensitivity>Private</t:Sensitivity><t:DateTimeReceived>2026-11-01T10:00:00Z\
        </t:DateTimeReceived><t:Size>77</t:Size><t:ToRecipients><t:Mailbox><t:Name>B</t:Name>\
        <t:EmailAddress>b@example.com</t:EmailAddress><t:RoutingType>SMTP</t:RoutingType>\
        </t:Mailbox></t:ToRecipients><t:CcRecipients/><t:From><t:Mailbox><t:EmailAddress>\
        a@example.com</t:EmailAddress></t:Mailbox></t:From>\
        <t:InternetMessageId>&lt;1@example.com&gt;</t:InternetMessageId>";
    let messages = [
        item("A", Some("mail one"), facts),
        failed("ErrorItemNotFound"),
        item("C", Some("x"), ""),
    ];
    answer(&server, "GetItem", response("GetItem", &messages), 1).await;
    let sink = fetched(&server, &["A", "B", "C"]).await;
    assert_eq!(
        sink.got,
        [
            (0, complete("mail one", "One & two")),
            (1, Got::Gone),
            (2, Got::Complete("x".into(), None)),
        ]
    );
    let facts = &sink.facts[0];
    assert_eq!(
        facts.from.as_ref().unwrap().address.as_deref(),
        Some("a@example.com")
    );
    assert_eq!(facts.to[0].name.as_deref(), Some("B"));
    assert_eq!(facts.cc, []);
    assert_eq!(facts.message_id.as_deref(), Some("<1@example.com>"));
    assert_eq!(facts.sensitivity, Some(Sensitivity::Private));
    assert_eq!((facts.class, facts.size), (Some(ItemClass::Mail), Some(77)));
}

#[tokio::test]
async fn a_large_original_comes_in_pieces() {
    let server = MockServer::start().await;
    let mail = "0123456789abcdef".repeat(40_000);
    answer(
        &server,
        "GetItem",
        response("GetItem", &[item("A", Some(&mail), "")]),
        1,
    )
    .await;
    let sink = fetched(&server, &["A"]).await;
    assert_eq!(sink.got, [(0, Got::Complete(mail, None))]);
    assert!(sink.largest <= 64 << 10, "{}", sink.largest);
}

#[tokio::test]
async fn an_item_that_is_no_message_is_asked_for_without_the_facts_of_one() {
    let server = MockServer::start().await;
    let first = [
        item("A", Some("a"), ""),
        failed("ErrorInvalidPropertyRequest"),
    ];
    answer(&server, "GetItem", response("GetItem", &first), 1).await;
    let alone = item("B", Some("b"), &subject("task"));
    answer(&server, "GetItem", response("GetItem", &[alone]), 1).await;
    let sink = fetched(&server, &["A", "B"]).await;
    assert_eq!(
        sink.got,
        [
            (0, Got::Complete("a".into(), None)),
            (1, complete("b", "task"))
        ]
    );
    let sent = server.received_requests().await.unwrap();
    assert!(!String::from_utf8_lossy(&sent[1].body).contains("message:"));
}

#[tokio::test]
async fn items_that_are_no_messages_go_in_a_request_of_their_own() {
    let server = MockServer::start().await;
    answer(
        &server,
        "GetItem",
        response("GetItem", &[item("A", Some("a"), "")]),
        1,
    )
    .await;
    answer(
        &server,
        "GetItem",
        response("GetItem", &[item("B", Some("b"), "")]),
        1,
    )
    .await;
    let (source, _) = source(&server);
    let mut items = listed(&["A", "B"]);
    items[1].class = ItemClass::Other;
    let mut sink = Collect::default();
    source.fetch(&folder("Q"), &items, &mut sink).await.unwrap();
    let sent = server.received_requests().await.unwrap();
    let asks = sent
        .iter()
        .map(|sent| String::from_utf8_lossy(&sent.body).contains("message:From"));
    assert_eq!(asks.collect::<Vec<_>>(), [true, false]);
}

#[tokio::test]
async fn an_original_that_cannot_be_rendered_leaves_the_facts() {
    for code in [
        "ErrorMimeContentConversionFailed",
        "ErrorContentConversionFailed",
        "ErrorCorruptData",
        "ErrorItemCorrupt",
    ] {
        let server = MockServer::start().await;
        answer(&server, "GetItem", response("GetItem", &[failed(code)]), 1).await;
        let facts = item("A", None, &subject("kept"));
        answer(&server, "GetItem", response("GetItem", &[facts]), 1).await;
        let sink = fetched(&server, &["A"]).await;
        let kept = Got::WithoutOriginal("ews.item_damaged", Some("kept".into()));
        assert_eq!(sink.got, [(0, kept)], "{code}");
        let sent = server.received_requests().await.unwrap();
        assert!(!String::from_utf8_lossy(&sent[1].body).contains("IncludeMimeContent"));
    }
}

#[tokio::test]
async fn an_answer_without_an_original_is_not_complete_and_a_damaged_one_is_flagged() {
    let server = MockServer::start().await;
    let with = |text: &str| item("B", Some("mail"), "").replace("bWFpbA==", text);
    let messages = [
        item("A", None, ""),
        with("bW*FpbA=="),
        with("bWFp&#x41;bA=="),
        with("***"),
        with("bWFpbA=="),
    ];
    let named = ["A", "B", "C", "D", "E"];
    let messages: Vec<_> = messages
        .iter()
        .zip(named)
        .map(|(message, id)| message.replace("Id=\"B\"", &format!("Id=\"{id}\"")))
        .collect();
    answer(&server, "GetItem", response("GetItem", &messages), 1).await;
    let sink = fetched(&server, &named).await;
    let without = || Got::WithoutOriginal("ews.item_damaged", None);
    let kept = || Got::Complete("mail".into(), None);
    let expected = [without(), kept(), kept(), without(), kept()];
    assert!(
        sink.got.iter().map(|(_, got)| got).eq(&expected),
        "{:?}",
        sink.got
    );
    let damaged: Vec<_> = sink.facts.iter().map(|facts| facts.damaged).collect();
    assert_eq!(damaged, [false, true, true, false, false]);
}

#[tokio::test]
async fn the_rest_of_a_stopped_batch_is_asked_again() {
    let server = MockServer::start().await;
    let first = [item("A", Some("a"), ""), stopped(), stopped()];
    answer(&server, "GetItem", response("GetItem", &first), 1).await;
    let rest = [item("B", Some("b"), ""), item("C", Some("c"), "")];
    answer(&server, "GetItem", response("GetItem", &rest), 1).await;
    let sink = fetched(&server, &["A", "B", "C"]).await;
    let order: Vec<_> = sink.got.iter().map(|(index, _)| *index).collect();
    assert_eq!(order, [0, 1, 2]);
    assert_eq!(sink.got[2].1, Got::Complete("c".into(), None));
}

#[tokio::test]
async fn missing_answers_are_asked_again_and_then_fail_their_item() {
    let server = MockServer::start().await;
    let first = [item("A", Some("a"), "")];
    answer(&server, "GetItem", response("GetItem", &first), 1).await;
    answer(&server, "GetItem", response("GetItem", &[]), 5).await;
    answer(
        &server,
        "GetItem",
        response("GetItem", &[item("C", Some("c"), "")]),
        1,
    )
    .await;
    let sink = fetched(&server, &["A", "B", "C"]).await;
    let complete = |text: &str| Got::Complete(text.into(), None);
    let expected = [
        complete("a"),
        Got::Failed("ews.answers_missing"),
        complete("c"),
    ];
    assert!(
        sink.got.iter().map(|(_, got)| got).eq(&expected),
        "{:?}",
        sink.got
    );
}

#[tokio::test]
async fn too_many_answers_are_an_error() {
    let server = MockServer::start().await;
    let both = [item("A", Some("a"), ""), item("B", Some("b"), "")];
    answer(&server, "GetItem", response("GetItem", &both), 1).await;
    let (source, _) = source(&server);
    let mut sink = Collect::default();
    let error = source
        .fetch(&folder("Q"), &listed(&["A"]), &mut sink)
        .await
        .unwrap_err();
    assert_eq!(code_of(&error), "ews.answers_missing");
}

#[tokio::test]
async fn an_answer_about_another_item_is_asked_for_again_alone_and_never_taken() {
    let of = |id: &str| item(id, Some(id), "");
    for batch in [[of("B"), of("A")], [of("X"), of("B")], [of("B"), of("B")]] {
        let server = MockServer::start().await;
        answer(&server, "GetItem", response("GetItem", &batch), 1).await;
        answer(&server, "GetItem", response("GetItem", &[of("A")]), 1).await;
        answer(&server, "GetItem", response("GetItem", &[of("X")]), 1).await;
        let sink = fetched(&server, &["A", "B"]).await;
        let complete = Got::Complete("A".into(), None);
        let failed = Got::Failed("ews.answers_missing");
        assert_eq!(sink.got, [(0, complete), (1, failed)]);
    }
    let server = MockServer::start().await;
    answer(
        &server,
        "GetItem",
        response("GetItem", &[of("A"), of("A")]),
        1,
    )
    .await;
    answer(&server, "GetItem", response("GetItem", &[of("B")]), 1).await;
    let sink = fetched(&server, &["A", "B"]).await;
    assert_eq!(sink.got[1].1, Got::Complete("B".into(), None));
}

#[tokio::test]
async fn an_unknown_code_fails_its_item_alone() {
    let server = MockServer::start().await;
    let messages = [failed("ErrorOfTomorrow"), item("B", Some("b"), "")];
    answer(&server, "GetItem", response("GetItem", &messages), 1).await;
    let sink = fetched(&server, &["A", "B"]).await;
    assert_eq!(sink.got[0].1, Got::Failed("ews.unknown_code"));
    assert_eq!(sink.got[1].1, Got::Complete("b".into(), None));
}

#[tokio::test]
async fn more_items_than_one_request_takes_are_split() {
    let server = MockServer::start().await;
    let ids: Vec<String> = (0..150).map(|id| format!("I{id}")).collect();
    let messages: Vec<_> = ids.iter().map(|id| item(id, Some("m"), "")).collect();
    answer(&server, "GetItem", response("GetItem", &messages[..100]), 1).await;
    answer(&server, "GetItem", response("GetItem", &messages[100..]), 1).await;
    let ids: Vec<_> = ids.iter().map(String::as_str).collect();
    let sink = fetched(&server, &ids).await;
    let order: Vec<_> = sink.got.iter().map(|(index, _)| *index).collect();
    assert_eq!(order, (0..150).collect::<Vec<_>>());
}

fn exchange_mailbox(element: &str, dn: &str) -> String {
    format!(
        "<t:{element}><t:Mailbox><t:Name>N</t:Name><t:EmailAddress>{dn}</t:EmailAddress>\
         <t:RoutingType>EX</t:RoutingType></t:Mailbox></t:{element}>"
    )
}

fn resolution(smtp: &str) -> String {
    format!(
        "<m:ResolutionSet TotalItemsInView=\"1\" IncludesLastItemInRange=\"true\"><t:Resolution>\
         <t:Mailbox><t:Name>N</t:Name><t:EmailAddress>{smtp}</t:EmailAddress>\
         <t:RoutingType>SMTP</t:RoutingType></t:Mailbox></t:Resolution></m:ResolutionSet>"
    )
}

#[tokio::test]
async fn exchange_addresses_are_resolved_once() {
    let server = MockServer::start().await;
    let known = exchange_mailbox("ToRecipients", "/o=X/cn=Recipients/cn=KNOWN");
    let unknown = exchange_mailbox("CcRecipients", "/o=X/cn=Recipients/cn=unknown");
    let facts = format!("{known}{unknown}");
    let messages = [item("A", Some("a"), &facts), item("B", Some("b"), &facts)];
    answer(&server, "GetItem", response("GetItem", &messages), 1).await;
    let found = response("ResolveNames", &[fine(&resolution("Known@Example.com"))]);
    answer(&server, "ResolveNames", found, 1).await;
    let none = response("ResolveNames", &[failed("ErrorNameResolutionNoResults")]);
    answer(&server, "ResolveNames", none, 2).await;
    let sink = fetched(&server, &["A", "B"]).await;
    for facts in &sink.facts {
        assert_eq!(facts.to[0].address.as_deref(), Some("known@example.com"));
        assert!(!facts.to[0].exchange);
        assert!(facts.cc[0].exchange);
    }
}

#[tokio::test]
async fn the_senders_smtp_property_saves_the_look_up() {
    let server = MockServer::start().await;
    let property = |tag: &str, smtp: &str| {
        format!(
            "<t:ExtendedProperty><t:ExtendedFieldURI PropertyTag=\"{tag}\" PropertyType=\"String\"/>\
             <t:Value>{smtp}</t:Value></t:ExtendedProperty>"
        )
    };
    let facts = [
        property("0x5d01", "s@example.com"),
        property("0x5d02", "f@example.com"),
        exchange_mailbox("Sender", "/o=X/cn=s"),
        exchange_mailbox("From", "/o=X/cn=f"),
    ]
    .concat();
    answer(
        &server,
        "GetItem",
        response("GetItem", &[item("A", Some("a"), &facts)]),
        1,
    )
    .await;
    let sink = fetched(&server, &["A"]).await;
    let address = |fact: &Option<email_logging::message::FactAddress>| {
        fact.as_ref().unwrap().address.clone().unwrap()
    };
    assert_eq!(address(&sink.facts[0].from), "f@example.com");
    assert_eq!(address(&sink.facts[0].sender), "s@example.com");
}

#[tokio::test]
async fn several_resolutions_count_only_if_they_agree() {
    let server = MockServer::start().await;
    let facts = format!(
        "{}{}",
        exchange_mailbox("ToRecipients", "/o=X/cn=a"),
        exchange_mailbox("CcRecipients", "/o=X/cn=b")
    );
    answer(
        &server,
        "GetItem",
        response("GetItem", &[item("A", Some("a"), &facts)]),
        1,
    )
    .await;
    let two = |first: &str, second: &str| {
        let inner = resolution(first);
        let other = resolution(second);
        let start = other.find("<t:Resolution>").unwrap();
        let end = other.find("</m:ResolutionSet>").unwrap();
        let both = inner.replace(
            "</m:ResolutionSet>",
            &format!("{}</m:ResolutionSet>", &other[start..end]),
        );
        let warning = fine(&both).replace("\"Success\"", "\"Warning\"");
        let warning = warning.replace("NoError", "ErrorNameResolutionMultipleResults");
        response("ResolveNames", &[warning])
    };
    answer(
        &server,
        "ResolveNames",
        two("x@example.com", "X@example.com"),
        1,
    )
    .await;
    answer(
        &server,
        "ResolveNames",
        two("x@example.com", "y@example.com"),
        1,
    )
    .await;
    let sink = fetched(&server, &["A"]).await;
    assert_eq!(
        sink.facts[0].to[0].address.as_deref(),
        Some("x@example.com")
    );
    assert!(sink.facts[0].cc[0].exchange);
}

#[tokio::test]
async fn an_outage_of_the_address_book_is_not_taken_for_not_known() {
    let server = MockServer::start().await;
    let facts = exchange_mailbox("ToRecipients", "/o=X/cn=a");
    let items = response("GetItem", &[item("A", Some("a"), &facts)]);
    answer(&server, "GetItem", items, 1).await;
    let outage = response("ResolveNames", &[failed("ErrorADUnavailable")]);
    answer(&server, "ResolveNames", outage, 5).await;
    let (error, sink) = fetch_error(&server, &["A"]).await;
    assert_eq!((error, sink.got.len()), ("ews.unavailable", 0));
}

#[tokio::test]
async fn an_address_book_that_may_not_be_asked_leaves_the_address_as_it_is() {
    let refused = |code: &str| ok(response("ResolveNames", &[failed(code)]));
    for template in [
        refused("ErrorAccessDenied"),
        refused("ErrorInvalidOperation"),
        status(500, fault("ErrorAccessDenied", None)),
    ] {
        let server = MockServer::start().await;
        let facts = exchange_mailbox("ToRecipients", "/o=X/cn=a");
        let items = response("GetItem", &[item("A", Some("a"), &facts)]);
        answer(&server, "GetItem", items, 1).await;
        answer_with(&server, "ResolveNames", template, 1).await;
        let sink = fetched(&server, &["A"]).await;
        assert_eq!(sink.got, [(0, Got::Complete("a".into(), None))]);
        assert!(sink.facts[0].to[0].exchange);
    }
    let server = MockServer::start().await;
    let facts = exchange_mailbox("ToRecipients", "/o=X/cn=a");
    let items = response("GetItem", &[item("A", Some("a"), &facts)]);
    answer(&server, "GetItem", items, 1).await;
    answer_with(
        &server,
        "ResolveNames",
        wiremock::ResponseTemplate::new(401),
        1,
    )
    .await;
    assert_eq!(fetch_error(&server, &["A"]).await.0, "http.unauthorized");
}

#[tokio::test]
async fn a_resolved_address_counts_for_hours_and_nobody_for_one() {
    let server = MockServer::start().await;
    let known = exchange_mailbox("ToRecipients", "/o=X/cn=known");
    let unknown = exchange_mailbox("CcRecipients", "/o=X/cn=unknown");
    let items = response(
        "GetItem",
        &[item("A", Some("a"), &format!("{known}{unknown}"))],
    );
    answer(&server, "GetItem", items, 4).await;
    let found = || response("ResolveNames", &[fine(&resolution("k@example.com"))]);
    let none = || response("ResolveNames", &[failed("ErrorNameResolutionNoResults")]);
    answer(&server, "ResolveNames", found(), 1).await;
    answer(&server, "ResolveNames", none(), 3).await;
    // The address is found with its type before it.
    answer(&server, "ResolveNames", found(), 2).await;
    let (source, clock) = source(&server);
    let mut unresolved = Vec::new();
    for minutes in [0, 59, 2, 300] {
        clock.sleep(Duration::from_mins(minutes)).await;
        let mut sink = Collect::default();
        source
            .fetch(&folder("Q"), &listed(&["A"]), &mut sink)
            .await
            .unwrap();
        unresolved.push((sink.facts[0].to[0].exchange, sink.facts[0].cc[0].exchange));
    }
    assert_eq!(
        unresolved,
        [(false, true), (false, true), (false, false), (false, false)]
    );
}

#[tokio::test]
async fn what_is_wrong_with_the_account_or_the_folder_is_no_items_trouble() {
    for (code, expected) in [
        ("ErrorNonExistentMailbox", "ews.mailbox"),
        ("ErrorInvalidLicense", "ews.mailbox_unlicensed"),
        ("ErrorImpersonateUserDenied", "ews.impersonation"),
        ("ErrorFolderNotFound", "ews.folder_not_found"),
        ("ErrorProxyRequestNotAllowed", "ews.blocked"),
        ("ErrorSchemaValidation", "ews.schema"),
        ("ErrorInvalidOperation", "ews.request"),
    ] {
        let server = MockServer::start().await;
        let messages = [item("A", Some("a"), ""), failed(code), failed(code)];
        answer(&server, "GetItem", response("GetItem", &messages), 1).await;
        let (error, sink) = fetch_error(&server, &["A", "B", "C"]).await;
        assert_eq!((error, sink.got.len()), (expected, 1), "{code}");
    }
}

#[tokio::test]
async fn a_right_that_every_item_lacks_is_the_folders_and_one_is_the_items() {
    let denied = || failed("ErrorAccessDenied");
    let lacking = || Got::Failed("ews.access_denied");
    let server = MockServer::start().await;
    answer(
        &server,
        "GetItem",
        response("GetItem", &[denied(), denied()]),
        1,
    )
    .await;
    let (error, sink) = fetch_error(&server, &["A", "B"]).await;
    assert_eq!((error, sink.got.len()), ("ews.access_denied", 0));
    let server = MockServer::start().await;
    let messages = [denied(), denied(), item("C", Some("c"), ""), denied()];
    answer(&server, "GetItem", response("GetItem", &messages), 1).await;
    answer(&server, "GetItem", response("GetItem", &[denied()]), 1).await;
    let sink = fetched(&server, &["A", "B", "C", "D"]).await;
    let complete = Got::Complete("c".into(), None);
    let expected = [
        (0, lacking()),
        (1, lacking()),
        (2, complete),
        (3, lacking()),
    ];
    assert_eq!(sink.got, expected);
    assert_eq!(fetched(&server, &["A"]).await.got, [(0, lacking())]);
}

#[tokio::test]
async fn an_item_that_is_too_large_is_not_asked_for() {
    let server = MockServer::start().await;
    for id in ["A", "C"] {
        let items = response("GetItem", &[item(id, Some("m"), "")]);
        answer(&server, "GetItem", items, 1).await;
    }
    let (source, _) = source_with(&server, |builder| builder.with_largest_item(1000));
    let mut items = listed(&["A", "B", "C", "D"]);
    for (row, size) in items.iter_mut().zip([1000, 1001, 999, 5000]) {
        row.size = Some(size);
    }
    let mut sink = Collect::default();
    source.fetch(&folder("Q"), &items, &mut sink).await.unwrap();
    let got: Vec<_> = sink.got.into_iter().map(|(_, got)| got).collect();
    let complete = || Got::Complete("m".into(), None);
    let large = || Got::Failed("ews.item_too_large");
    assert_eq!(got, [complete(), large(), complete(), large()]);
}

#[tokio::test]
async fn items_are_asked_for_as_long_as_their_answer_keeps_within_the_limit() {
    let server = MockServer::start().await;
    let pair = [item("A", Some("a"), ""), item("B", Some("b"), "")];
    answer(&server, "GetItem", response("GetItem", &pair), 1).await;
    answer(
        &server,
        "GetItem",
        response("GetItem", &[item("C", Some("c"), "")]),
        1,
    )
    .await;
    let (source, _) = source_with(&server, |builder| builder.with_answer_limit(10_000));
    let mut items = listed(&["A", "B", "C"]);
    for row in &mut items {
        row.size = Some(2_500);
    }
    let mut sink = Collect::default();
    source.fetch(&folder("Q"), &items, &mut sink).await.unwrap();
    assert_eq!(sink.got.len(), 3);
}

#[tokio::test]
async fn an_item_that_breaks_every_answer_is_found_and_the_others_go_on() {
    let poison = item("B", Some("poison"), "<t:Subject>x</t:Other>");
    let good = |id: &str| item(id, Some("good"), "");
    let server = MockServer::start().await;
    let batch = [good("A"), poison.clone(), good("C"), good("D")];
    answer(&server, "GetItem", response("GetItem", &batch), 1).await;
    for alone in [poison, good("C"), good("D")] {
        answer(&server, "GetItem", response("GetItem", &[alone]), 1).await;
    }
    let sink = fetched(&server, &["A", "B", "C", "D"]).await;
    let complete = || Got::Complete("good".into(), None);
    let expected = [
        complete(),
        Got::Failed("ews.xml_invalid"),
        complete(),
        complete(),
    ];
    assert!(
        sink.got.iter().map(|(_, got)| got).eq(&expected),
        "{:?}",
        sink.got
    );
}

#[tokio::test]
async fn an_item_at_which_the_server_hangs_up_does_not_end_the_fetch() {
    let whole = |ids: &[&str]| {
        let messages: Vec<_> = ids.iter().map(|id| item(id, Some("good"), "")).collect();
        response("GetItem", &messages)
    };
    let cut = |ids: &[&str]| {
        let xml = whole(ids);
        let end = xml.find("Id=\"A\"").unwrap();
        xml[..end].to_owned()
    };
    let server = MockServer::start().await;
    answer(&server, "GetItem", cut(&["A", "B"]), 5).await;
    answer(&server, "GetItem", cut(&["A"]), 1).await;
    answer(&server, "GetItem", whole(&["B"]), 1).await;
    let sink = fetched(&server, &["A", "B"]).await;
    let complete = Got::Complete("good".into(), None);
    assert_eq!(sink.got, [(0, Got::Failed("http.closed")), (1, complete)]);
    let server = MockServer::start().await;
    answer(&server, "GetItem", cut(&["A", "B"]), 7).await;
    let (error, sink) = fetch_error(&server, &["A", "B"]).await;
    assert_eq!(error, "http.closed");
    assert_eq!(sink.got, [(0, Got::Failed("http.closed"))]);
}

#[tokio::test]
async fn several_originals_or_items_in_one_answer_are_nobodys() {
    let mime = |text: &str| format!("<t:MimeContent>{text}</t:MimeContent>");
    let id = "<t:ItemId Id=\"A\"/>";
    let one = format!("<t:Message>{}{id}</t:Message>", mime("YQ=="));
    let twice = format!(
        "<t:Message>{}{id}{}</t:Message>",
        mime("YQ=="),
        mime("Yg==")
    );
    let other = "<t:Message><t:ItemId Id=\"B\"/></t:Message>";
    let elsewhere = format!("<m:Other><t:Message>{}</t:Message></m:Other>", mime("Yg=="));
    for (content, expected) in [
        (
            format!("<m:Items>{twice}</m:Items>"),
            Got::Failed("ews.item_damaged"),
        ),
        (
            format!("<m:Items>{one}{other}</m:Items>"),
            Got::Failed("ews.item_damaged"),
        ),
        (
            format!("<m:Items>{one}{one}</m:Items>"),
            Got::Failed("ews.item_damaged"),
        ),
        (
            format!("<m:Items>{one}</m:Items><m:Items>{other}</m:Items>"),
            Got::Failed("ews.item_damaged"),
        ),
        (
            format!("{elsewhere}<m:Items>{one}</m:Items>"),
            Got::Complete("a".into(), None),
        ),
    ] {
        let server = MockServer::start().await;
        answer(
            &server,
            "GetItem",
            response("GetItem", &[fine(&content)]),
            1,
        )
        .await;
        assert_eq!(
            fetched(&server, &["A"]).await.got,
            [(0, expected)],
            "{content}"
        );
    }
}
