//! What a server does when nothing goes wrong, and what it refuses.

use base64_simd::STANDARD;
use email_logging::testkit::exchange::{
    AuthScheme, Delivery, FolderRights, Sensitivity, ServerVersion, SimulatedExchange,
};
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;

use super::client::*;

#[tokio::test]
async fn a_public_folder_is_found_step_by_step_with_its_rights_and_its_content_mailbox() {
    let exchange = builder().start().await.unwrap();
    exchange.set_rights(QUEUE, FolderRights::REVIEWER).unwrap();
    let client = Client::of(&exchange);
    let parent = client.folder(r"\Email Logging").await;
    let answer = client
        .call(find_folder("Shallow", &parent, &named("QUEUE")))
        .await;
    assert_eq!(all(&answer.text, "<t:DisplayName>", "</"), ["Queue"]);
    assert_eq!(all(&answer.text, "<t:Delete>", "</"), ["false"]);
    assert_eq!(all(&answer.text, "<t:Read>", "</"), ["true"]);
    let replica = STANDARD
        .decode_to_vec(all(&answer.text, "<t:Value>", "</")[0])
        .unwrap();
    assert_eq!((replica.len(), replica.last()), (37, Some(&0)));
    let other = client
        .call(find_folder("Shallow", &parent, &named("Elsewhere")))
        .await;
    assert_ne!(
        all(&other.text, "<t:Value>", "</"),
        all(&answer.text, "<t:Value>", "</")
    );
}

#[tokio::test]
async fn a_deep_search_works_in_a_mailbox_and_not_below_public_folders() {
    let exchange = builder().start().await.unwrap();
    let client = Client::of(&exchange);
    let public = client
        .call(find_folder("Deep", &distinguished("publicfoldersroot"), ""))
        .await;
    assert_eq!(public.codes(), ["ErrorInvalidOperation"]);
    let mailbox = client
        .call(find_folder("Deep", &distinguished("root"), ""))
        .await;
    assert!(all(&mailbox.text, "<t:DisplayName>", "</").contains(&"Inbox"));
}

#[tokio::test]
async fn pages_are_limited_and_say_where_the_next_begins() {
    let exchange = builder().start().await.unwrap();
    for number in 1..=1010 {
        exchange.deliver(QUEUE, mail(number)).unwrap();
    }
    let client = Client::of(&exchange);
    let queue = client.folder(QUEUE).await;
    let answer = client.call(find_item(&queue, (0, 5000), "")).await;
    assert_eq!(answer.item_ids().len(), 1000);
    assert!(answer.text.contains(
        "<m:RootFolder IndexedPagingOffset=\"1000\" TotalItemsInView=\"1010\" \
         IncludesLastItemInRange=\"false\">"
    ));
    let exists = "<m:Restriction><t:Exists><t:FieldURI FieldURI=\"item:Subject\"/></t:Exists>\
        </m:Restriction>";
    assert_eq!(
        client
            .call(find_item(&queue, (0, 5000), exists))
            .await
            .item_ids()
            .len(),
        250
    );
    let last = client.call(find_item(&queue, (1008, 10), "")).await;
    assert_eq!(last.subjects(), ["Offer 1009", "Offer 1010"]);
    assert!(last.text.contains("IncludesLastItemInRange=\"true\""));
}

#[tokio::test]
async fn find_item_gives_names_alone_and_refuses_recipients() {
    let exchange = builder().start().await.unwrap();
    exchange.deliver(QUEUE, mail(1)).unwrap();
    let client = Client::of(&exchange);
    let queue = client.folder(QUEUE).await;
    let request = find_item(&queue, (0, 10), "");
    let answer = client.call(&request).await;
    assert!(
        answer
            .text
            .contains("<t:From><t:Mailbox><t:Name>Ann</t:Name></t:Mailbox></t:From>")
    );
    let refused = client
        .call(request.replace("item:Subject", "message:ToRecipients"))
        .await;
    assert_eq!(refused.codes(), ["ErrorInvalidPropertyRequest"]);
}

#[tokio::test]
async fn an_item_is_found_by_its_search_key_and_its_message_id() {
    let exchange = builder().start().await.unwrap();
    for number in 1..=3 {
        exchange.deliver(QUEUE, mail(number)).unwrap();
    }
    let key = STANDARD.encode_to_string(exchange.items(QUEUE).unwrap()[1].search_key.unwrap());
    let client = Client::of(&exchange);
    let queue = client.folder(QUEUE).await;
    for (path, value) in [
        (SEARCH_KEY, key.as_str()),
        (
            "<t:FieldURI FieldURI=\"message:InternetMessageId\"/>",
            "&lt;2@customer.example&gt;",
        ),
    ] {
        let restriction = format!(
            "<m:Restriction>{}</m:Restriction>",
            compare("IsEqualTo", path, value)
        );
        let answer = client.call(find_item(&queue, (0, 10), &restriction)).await;
        assert_eq!(answer.subjects(), ["Offer 2"], "{path}");
    }
}

#[tokio::test]
async fn mime_comes_back_bit_for_bit() {
    let exchange = builder().with_chunk_size(777).start().await.unwrap();
    let mut mime = b"Subject: bytes\r\n\r\n".to_vec();
    mime.extend((0..=255_u8).cycle().take(100_000));
    let id = exchange.deliver(QUEUE, mime.clone()).unwrap();
    let answer = Client::of(&exchange)
        .call(get_item(&[&id], "IdOnly", true))
        .await;
    assert!(answer.headers.get("content-length").is_none());
    let base64 = all(&answer.text, "<t:MimeContent CharacterSet=\"UTF-8\">", "</")[0];
    assert!(STANDARD.decode_to_vec(base64).unwrap() == mime);
}

#[tokio::test]
async fn a_batch_answers_each_id_in_its_place() {
    let exchange = builder().start().await.unwrap();
    let (first, second) = (
        exchange.deliver(QUEUE, mail(1)).unwrap(),
        exchange.deliver(QUEUE, mail(2)).unwrap(),
    );
    exchange.remove_item(&second).unwrap();
    let damaged = Delivery::new(mail(3)).with_mime_failure("ErrorMimeContentConversionFailed");
    let damaged = exchange.deliver_with(QUEUE, damaged).unwrap();
    let client = Client::of(&exchange);
    let folder = client.folder(QUEUE).await;
    let folder = all(&folder, "Id=\"", "\"")[0];
    let ids = ["nonsense", &second, folder, &damaged, &first];
    let answer = client.call(get_item(&ids, "IdOnly", true)).await;
    assert_eq!(
        answer.codes(),
        [
            "ErrorInvalidIdMalformed",
            "ErrorItemNotFound",
            "ErrorCannotUseFolderIdForItemId",
            "ErrorMimeContentConversionFailed",
            "NoError"
        ]
    );
    assert_eq!(
        client
            .call(get_item(&[&damaged], "Default", false))
            .await
            .codes(),
        ["NoError"]
    );
}

#[tokio::test]
async fn ids_that_differ_only_in_case_are_different_items() {
    let exchange = builder().start().await.unwrap();
    let ids: Vec<_> = (1..=3)
        .map(|number| exchange.deliver(QUEUE, mail(number)).unwrap())
        .collect();
    assert!(ids[1] != ids[2] && ids[1].eq_ignore_ascii_case(&ids[2]));
    let answer = Client::of(&exchange)
        .call(get_item(&ids[1..], "IdOnly", false))
        .await;
    assert_eq!(answer.subjects(), ["Offer 2", "Offer 3"]);
}

#[tokio::test]
async fn a_move_gives_a_new_id_and_keeps_the_search_key() {
    let exchange = builder().start().await.unwrap();
    let id = exchange.deliver(QUEUE, mail(1)).unwrap();
    let before = exchange.items(QUEUE).unwrap().remove(0);
    let client = Client::of(&exchange);
    let storage = client.folder(STORAGE).await;
    let answer = client.call(move_item(&storage, &[&id], true)).await;
    let after = exchange.items(STORAGE).unwrap().remove(0);
    assert_eq!(answer.item_ids(), [after.id.as_str()]);
    assert_ne!(after.id, id);
    assert_eq!(
        (after.search_key, after.mime),
        (before.search_key, before.mime)
    );
    assert_eq!(exchange.count(QUEUE).unwrap(), 0);
    let again = client.call(move_item(&storage, &[&id], true)).await;
    assert_eq!(again.codes(), ["ErrorItemNotFound"]);
}

#[tokio::test]
async fn a_move_to_another_content_mailbox_tells_no_id() {
    let exchange = builder().start().await.unwrap();
    let id = exchange.deliver(QUEUE, mail(1)).unwrap();
    let client = Client::of(&exchange);
    let elsewhere = client.folder(ELSEWHERE).await;
    let answer = client.call(move_item(&elsewhere, &[&id], true)).await;
    assert_eq!(
        (answer.codes(), answer.item_ids().len()),
        (vec!["NoError"], 0)
    );
    assert!(answer.text.contains("<m:Items/>"));
    assert_eq!(exchange.count(ELSEWHERE).unwrap(), 1);
}

#[tokio::test]
async fn a_move_that_is_not_allowed_leaves_the_item() {
    let exchange = builder().start().await.unwrap();
    let id = exchange.deliver(QUEUE, mail(1)).unwrap();
    let client = Client::of(&exchange);
    let storage = client.folder(STORAGE).await;
    let request = move_item(&storage, &[&id], true);
    exchange.set_quota(STORAGE, Some(10)).unwrap();
    assert_eq!(client.call(&request).await.codes(), ["ErrorQuotaExceeded"]);
    exchange.set_quota(STORAGE, None).unwrap();
    exchange
        .set_rights(STORAGE, FolderRights::OWNER.with_create_contents(false))
        .unwrap();
    assert_eq!(client.call(&request).await.codes(), ["ErrorAccessDenied"]);
    exchange.set_rights(STORAGE, FolderRights::OWNER).unwrap();
    exchange
        .set_rights(QUEUE, FolderRights::OWNER.with_delete(false))
        .unwrap();
    assert_eq!(client.call(&request).await.codes(), ["ErrorAccessDenied"]);
    assert_eq!(
        client.call(copy_item(&storage, &[&id])).await.codes(),
        ["NoError"]
    );
    exchange.delete_folder(STORAGE).unwrap();
    assert_eq!(
        client.call(&request).await.codes(),
        ["ErrorToFolderNotFound"]
    );
    assert_eq!(exchange.items(QUEUE).unwrap()[0].id, id);
}

#[tokio::test]
async fn deleting_removes_or_moves_to_the_deleted_items() {
    let exchange = builder().start().await.unwrap();
    let inbox = format!(r"{USER}\Inbox");
    let hard = exchange.deliver(&inbox, mail(1)).unwrap();
    let soft = exchange.deliver(&inbox, mail(2)).unwrap();
    let client = Client::of(&exchange);
    assert_eq!(
        client
            .call(delete_item("HardDelete", &[&hard]))
            .await
            .codes(),
        ["NoError"]
    );
    assert_eq!(
        client
            .call(delete_item("MoveToDeletedItems", &[&soft]))
            .await
            .codes(),
        ["NoError"]
    );
    assert_eq!(exchange.count(&inbox).unwrap(), 0);
    assert_eq!(
        exchange.count(&format!(r"{USER}\Deleted Items")).unwrap(),
        1
    );
}

#[tokio::test]
async fn a_stamp_is_written_found_and_survives_a_move() {
    let exchange = builder().start().await.unwrap();
    let id = exchange.deliver(QUEUE, mail(1)).unwrap();
    let client = Client::of(&exchange);
    let old_key = exchange.items(QUEUE).unwrap()[0].change_key.clone();
    let without = client.call(stamp(&id, None, "AutoResolve", "a")).await;
    assert_eq!(
        without.codes(),
        ["ErrorChangeKeyRequiredForWriteOperations"]
    );
    assert_eq!(
        client
            .call(stamp(&id, Some(&old_key), "AutoResolve", "b"))
            .await
            .codes(),
        ["NoError"]
    );
    let stale = client
        .call(stamp(&id, Some(&old_key), "NeverOverwrite", "c"))
        .await;
    assert_eq!(stale.codes(), ["ErrorIrresolvableConflict"]);
    assert_eq!(
        client
            .call(stamp(&id, None, "AlwaysOverwrite", "d"))
            .await
            .codes(),
        ["NoError"]
    );
    let storage = client.folder(STORAGE).await;
    client.call(move_item(&storage, &[&id], true)).await;
    let restriction = format!(
        "<m:Restriction>{}</m:Restriction>",
        compare("IsEqualTo", STAMP, "d")
    );
    assert_eq!(
        client
            .call(find_item(&storage, (0, 10), &restriction))
            .await
            .subjects(),
        ["Offer 1"]
    );
}

#[tokio::test]
async fn an_item_is_created_from_its_mime() {
    let exchange = builder().start().await.unwrap();
    let client = Client::of(&exchange);
    let storage = client.folder(STORAGE).await;
    let request = create_item(&storage, &STANDARD.encode_to_string(mail(7)));
    assert_eq!(client.call(&request).await.codes(), ["NoError"]);
    assert_eq!(
        *exchange.items(STORAGE).unwrap()[0].mime,
        *mail(7).as_bytes()
    );
    let sending = client.call(request.replace("SaveOnly", "SendOnly")).await;
    assert_eq!(sending.codes(), ["ErrorMessageDispositionRequired"]);
}

#[tokio::test]
async fn a_folder_is_created_once() {
    let exchange = builder().start().await.unwrap();
    let client = Client::of(&exchange);
    let parent = client.folder(r"\Email Logging").await;
    assert_eq!(
        client.call(create_folder(&parent, "Failed")).await.codes(),
        ["NoError"]
    );
    assert_eq!(
        client.call(create_folder(&parent, "failed")).await.codes(),
        ["ErrorFolderExists"]
    );
    assert_eq!(exchange.count(r"\Email Logging\Failed").unwrap(), 0);
    let parent_path = r"\Email Logging";
    exchange
        .set_rights(parent_path, FolderRights::REVIEWER)
        .unwrap();
    assert_eq!(
        client.call(create_folder(&parent, "Other")).await.codes(),
        ["ErrorAccessDenied"]
    );
}

#[tokio::test]
async fn names_are_resolved_to_one_to_several_or_to_nobody() {
    let exchange = builder().start().await.unwrap();
    let client = Client::of(&exchange);
    for (entry, code, addresses) in [
        ("EX:/o=corp/cn=recipients/cn=ANNA", "NoError", 1),
        ("smtp:arne@corp.example", "NoError", 1),
        ("berg", "ErrorNameResolutionMultipleResults", 2),
        ("nobody", "ErrorNameResolutionNoResults", 0),
    ] {
        let answer = client.call(resolve_names(entry, false)).await;
        assert_eq!(answer.codes(), [code], "{entry}");
        assert_eq!(
            all(&answer.text, "<t:EmailAddress>", "</").len(),
            addresses,
            "{entry}"
        );
    }
    let warning = client.call(resolve_names("berg", true)).await;
    assert!(warning.text.contains("ResponseClass=\"Warning\""));
}

#[tokio::test]
async fn a_delivery_can_differ_from_its_mime() {
    let exchange = builder().start().await.unwrap();
    let delivery = Delivery::new(mail(1))
        .with_received("2020-02-03T04:05:06Z".parse().unwrap())
        .with_item_class("IPM.Outlook.Recall")
        .with_sensitivity(Sensitivity::Private)
        .with_ex_address("sam@corp.example", "/o=Corp/cn=Recipients/cn=sam")
        .without_search_key();
    let id = exchange.deliver_with(QUEUE, delivery).unwrap();
    let answer = Client::of(&exchange)
        .call(get_item(&[&id], "AllProperties", false))
        .await;
    for expected in [
        "<t:DateTimeReceived>2020-02-03T04:05:06Z</t:DateTimeReceived>",
        "<t:ItemClass>IPM.Outlook.Recall</t:ItemClass>",
        "<t:Sensitivity>Private</t:Sensitivity>",
        "<t:EmailAddress>/o=Corp/cn=Recipients/cn=sam</t:EmailAddress>\
         <t:RoutingType>EX</t:RoutingType>",
    ] {
        assert!(
            answer.text.contains(expected),
            "{expected} in {}",
            answer.text
        );
    }
    assert!(!answer.text.contains("0x300b"));
}

#[tokio::test]
async fn the_element_follows_the_item_class() {
    let exchange = builder().start().await.unwrap();
    let client = Client::of(&exchange);
    for (content_type, element) in [
        ("text/plain", "<t:Message>"),
        ("text/calendar; method=REQUEST", "<t:MeetingRequest>"),
        ("text/calendar; method=CANCEL", "<t:MeetingCancellation>"),
        ("text/calendar; method=REPLY", "<t:MeetingResponse>"),
        (
            "multipart/report; report-type=delivery-status; boundary=b",
            "<t:Message>",
        ),
    ] {
        let mime = format!("Content-Type: {content_type}\r\n\r\nx\r\n");
        let id = exchange.deliver(QUEUE, mime).unwrap();
        let answer = client.call(get_item(&[&id], "IdOnly", false)).await;
        assert!(
            answer.text.contains(element),
            "{content_type}: {}",
            answer.text
        );
    }
}

#[tokio::test]
async fn a_newer_version_than_the_server_is_a_fault() {
    let version = ServerVersion::Exchange2013;
    let exchange = builder()
        .with_server_version(version)
        .start()
        .await
        .unwrap();
    let request = get_folder(&distinguished("publicfoldersroot"));
    for (version, status, code) in [
        ("Exchange2016", 500, "ErrorInvalidServerVersion"),
        ("Exchange2013_SP1", 500, "ErrorInvalidServerVersion"),
        ("Exchange2099", 500, "ErrorInvalidServerVersion"),
        ("Exchange2013", 200, "NoError"),
        ("Exchange2010", 200, "NoError"),
    ] {
        let answer = Client::of(&exchange)
            .with_version(version)
            .call(&request)
            .await;
        assert_eq!(
            (answer.status, answer.codes()),
            (status, vec![code]),
            "{version}"
        );
    }
    let old = Client::of(&exchange).with_version("Exchange2010");
    let answer = old.call(move_item(&folder_id("x"), &["y"], true)).await;
    assert_eq!(
        (answer.status, answer.codes()),
        (500, vec!["ErrorSchemaValidation"])
    );
}

#[tokio::test]
async fn documents_that_are_no_requests_are_faults() {
    let exchange = builder().start().await.unwrap();
    let client = Client::of(&exchange);
    let good = envelope("Exchange2013", get_folder(&distinguished("root")));
    for bad in [
        String::new(),
        "not xml".to_owned(),
        good.replace("</s:Body>", ""),
        good.replace("soap/envelope", "soap/other"),
        good.replace("<m:FolderIds>", "<m:Bogus/><m:FolderIdz>")
            .replace("</m:FolderIds>", "</m:FolderIdz>"),
        format!("<!DOCTYPE s [<!ENTITY a \"b\">]>{good}"),
    ] {
        let answer = client.send(bad.clone()).await.unwrap();
        assert_eq!(
            (answer.status, answer.codes()),
            (500, vec!["ErrorSchemaValidation"]),
            "{bad}"
        );
    }
    let unknown = client.call("<m:SendItem SaveItemToFolder=\"true\"/>").await;
    assert_eq!(
        (unknown.status, unknown.codes()),
        (500, vec!["ErrorInvalidRequest"])
    );
}

#[tokio::test]
async fn wrong_credentials_are_told_which_schemes_there_are() {
    let schemes = [AuthScheme::Negotiate, AuthScheme::Ntlm, AuthScheme::Basic];
    let exchange = builder().with_auth_schemes(schemes).start().await.unwrap();
    let client = Client::of(&exchange).with_password("wrong");
    let answer = client.call(get_folder(&distinguished("root"))).await;
    let offered: Vec<_> = answer.headers.get_all("www-authenticate").iter().collect();
    assert_eq!(answer.status, 401);
    assert_eq!(
        offered,
        ["Negotiate", "NTLM", "Basic realm=\"simulated-exchange\""]
    );
    assert_eq!(exchange.statistics().unauthorized, 1);
    assert!(exchange.statistics().operations.is_empty());
}

#[tokio::test]
async fn basic_is_refused_where_it_is_not_offered() {
    let exchange = builder()
        .with_auth_schemes([AuthScheme::Ntlm])
        .start()
        .await
        .unwrap();
    let answer = Client::of(&exchange)
        .call(get_folder(&distinguished("root")))
        .await;
    assert_eq!(answer.status, 401);
}

#[tokio::test]
async fn request_ids_are_echoed() {
    let exchange = builder().start().await.unwrap();
    let answer = Client::of(&exchange)
        .call(get_folder(&distinguished("root")))
        .await;
    assert_eq!(
        answer.headers["client-request-id"],
        "11111111-2222-4333-8444-555555555555"
    );
    assert!(answer.headers.contains_key("request-id"));
}

#[tokio::test]
async fn one_connection_serves_many_requests() {
    let exchange = builder().start().await.unwrap();
    let mut stream = TcpStream::connect(("127.0.0.1", exchange.port()))
        .await
        .unwrap();
    let body = envelope("Exchange2013", get_folder(&distinguished("root")));
    let credentials = STANDARD.encode_to_string(format!("{USER}:{PASSWORD}"));
    for connection in ["keep-alive", "close"] {
        let request = format!(
            "POST /EWS/Exchange.asmx HTTP/1.1\r\nHost: localhost\r\nConnection: {connection}\r\n\
             Authorization: Basic {credentials}\r\nContent-Length: {}\r\n\r\n{body}",
            body.len()
        );
        stream.write_all(request.as_bytes()).await.unwrap();
    }
    let mut answers = String::new();
    stream.read_to_string(&mut answers).await.unwrap();
    assert_eq!(answers.matches("HTTP/1.1 200 OK").count(), 2);
    let statistics = exchange.statistics();
    assert_eq!((statistics.connections, statistics.requests), (1, 2));
}

#[tokio::test]
async fn a_person_renames_and_deletes_folders() {
    let exchange = builder().start().await.unwrap();
    let client = Client::of(&exchange);
    let queue = client.folder(QUEUE).await;
    exchange.rename_folder(QUEUE, "Old queue").unwrap();
    let answer = client.call(get_folder(&queue)).await;
    assert_eq!(all(&answer.text, "<t:DisplayName>", "</"), ["Old queue"]);
    exchange.delete_folder(r"\Email Logging\Old queue").unwrap();
    assert_eq!(
        client.call(get_folder(&queue)).await.codes(),
        ["ErrorFolderNotFound"]
    );
    assert!(exchange.deliver(QUEUE, mail(1)).is_err());
}

#[tokio::test]
async fn nobody_listens_after_the_end() {
    let exchange = builder().start().await.unwrap();
    let client = Client::of(&exchange);
    client.call(get_folder(&distinguished("root"))).await;
    exchange.shutdown().await;
    assert!(
        client
            .try_call(get_folder(&distinguished("root")))
            .await
            .is_err()
    );
}

#[tokio::test]
async fn time_goes_by_seconds_or_as_a_function_tells() {
    let exchange = builder().start().await.unwrap();
    exchange.deliver(QUEUE, mail(1)).unwrap();
    exchange.deliver(QUEUE, mail(2)).unwrap();
    let received = |exchange: &SimulatedExchange| -> Vec<_> {
        let items = exchange.items(QUEUE).unwrap();
        items.iter().map(|item| item.received.to_string()).collect()
    };
    assert_eq!(
        received(&exchange),
        ["2026-01-05T08:00:00Z", "2026-01-05T08:00:01Z"]
    );
    let fixed = jiff::Timestamp::UNIX_EPOCH;
    let exchange = builder().with_clock(move || fixed).start().await.unwrap();
    exchange.deliver(QUEUE, mail(1)).unwrap();
    assert_eq!(received(&exchange), ["1970-01-01T00:00:00Z"]);
}

#[tokio::test]
async fn a_server_needs_a_user() {
    let error = SimulatedExchange::builder().start().await.unwrap_err();
    assert_eq!(error.kind(), std::io::ErrorKind::InvalidInput);
}
