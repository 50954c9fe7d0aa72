//! Answers of Exchange, and the requests that are written to it.

use email_logging::source::ItemRef;
use email_logging::source::ews::testing::{self, AnswerSummary, MessageSummary};
use quick_xml::escape::unescape;
use quick_xml::events::Event;

use super::engine::{Target, run};

const WORDS: &[&str] = &[
    "<![CDATA[",
    "]]>",
    "<!--",
    "-->",
    "<?x ?>",
    "<!DOCTYPE a [<!ENTITY b \"c\">]>",
    "&#0;",
    "&#x1F600;",
    "&amp;",
    "&b;",
    " xmlns:m=\"x\"",
    " xmlns=\"http://schemas.microsoft.com/exchange/services/2006/types\"",
    "<t:MimeContent CharacterSet=\"UTF-8\">",
    "</t:MimeContent>",
    "<m:Items>",
    "</m:Items>",
    "<t:ItemId Id=\"A\"/>",
    "<m:ResponseCode>ErrorServerBusy</m:ResponseCode>",
    "<t:Value Name=\"BackOffMilliseconds\">99999999999999999999</t:Value>",
    "\u{feff}",
    "\u{fffd}",
    "\r\n",
];

/// Runs a future that waits for nothing.
pub(super) fn now<T>(future: impl Future<Output = T>) -> T {
    futures_util::future::FutureExt::now_or_never(future).expect("nothing to wait for")
}

fn read(input: &[u8], size: usize) -> Result<AnswerSummary, &'static str> {
    let pieces = input.chunks(size.max(1)).map(<[u8]>::to_vec).collect();
    now(testing::read_answer(pieces)).map_err(|error| error.code())
}

fn weight(message: &MessageSummary) -> usize {
    let lists = [
        &message.items,
        &message.folders,
        &message.folder_names,
        &message.replicas,
    ];
    let texts: usize = lists.into_iter().flatten().map(String::len).sum();
    texts + message.code.len() + message.mime.as_ref().map_or(0, Vec::len)
}

/// The same result however the bytes are cut, and no more out than came in: a byte that is no UTF-8 becomes three.
fn check_answer(input: &[u8]) {
    let whole = read(input, input.len());
    for size in [1, 7, 64] {
        assert_eq!(read(input, size), whole, "cut every {size} bytes");
    }
    let Ok(summary) = whole else { return };
    let weight: usize = summary.messages.iter().map(weight).sum();
    assert!(
        weight <= 3 * input.len(),
        "{weight} bytes out of {}",
        input.len()
    );
    assert!(summary.messages.len() * 10 <= input.len());
}

#[test]
fn soap_answers() {
    run(Target {
        name: "soap_answers",
        words: WORDS,
        made: Vec::new,
        check: check_answer,
    });
}

/// The texts of a request: folder, item, change key and mailbox are separated by a byte that is no text.
fn check_requests(input: &[u8]) {
    let mut texts = input.split(|byte| *byte == 0xff);
    let mut next = || String::from_utf8_lossy(texts.next().unwrap_or_default()).into_owned();
    let (folder, id, key, mailbox) = (next(), next(), next(), next());
    let item = ItemRef::new(id.as_str());
    let item = if key.is_empty() {
        item
    } else {
        item.with_change_key(key.as_str())
    };
    for (operation, xml) in testing::requests(&folder, &item, &mailbox) {
        let mut found = texts_of(&xml);
        found.retain(|text| !text.is_empty());
        let expected = match operation {
            "GetItem" => vec![&mailbox, &id, &key],
            "FindItem" => vec![&mailbox, &folder],
            // A change key would refuse a move over a flag that someone set; the id alone names the item.
            "MoveItem" => vec![&mailbox, &folder, &id],
            _ => vec![&mailbox, &mailbox],
        };
        let expected = expected.into_iter().filter(|text| !text.is_empty());
        let expected: Vec<String> = expected.map(|text| as_written(text)).collect();
        assert_eq!(found, expected, "{operation}");
    }
}

/// XML 1.0 cannot hold these, so that they are written as the replacement character.
fn as_written(text: &str) -> String {
    let cannot = |c: char| c < ' ' && !"\t\n\r".contains(c) || c == '\u{fffe}' || c == '\u{ffff}';
    text.chars()
        .map(|c| if cannot(c) { '\u{fffd}' } else { c })
        .collect()
}

/// The texts of ids, change keys and mailboxes of a request, by another reader than the one that is tested.
fn texts_of(xml: &str) -> Vec<String> {
    let (mut reader, mut texts, mut open) = (quick_xml::Reader::from_str(xml), Vec::new(), false);
    loop {
        match reader.read_event().unwrap() {
            Event::Eof => return texts,
            Event::Start(tag) | Event::Empty(tag) => {
                let name = tag.name().as_ref().to_owned();
                open = name.ends_with("UnresolvedEntry") || name.ends_with("PrimarySmtpAddress");
                if open {
                    texts.push(String::new());
                }
                let is_id = name.ends_with(":ItemId") || name.ends_with(":FolderId");
                for attribute in tag.attributes() {
                    let attribute = attribute.unwrap();
                    if is_id {
                        texts.push(unescape(&attribute.value).unwrap().into_owned());
                    }
                }
            }
            Event::Text(text) if open => {
                texts.last_mut().unwrap().push_str(&text);
            }
            Event::GeneralRef(reference) if open => {
                let text = format!("&{};", &*reference);
                texts
                    .last_mut()
                    .unwrap()
                    .push_str(&unescape(&text).unwrap());
            }
            Event::End(_) => open = false,
            _ => {}
        }
    }
}

#[test]
fn soap_requests() {
    run(Target {
        name: "soap_requests",
        words: &[
            "\"",
            "'",
            "<",
            ">",
            "&",
            "&amp;",
            "]]>",
            "\0",
            "\u{ffff}",
            "\n",
            "\t",
            "</t:ItemId>",
            "-->",
        ],
        made: || vec![[&b"F\xffA\xffC\xffa@example.com"[..]].concat()],
        check: check_requests,
    });
}

/// Settings by SOAP autodiscover: one result, no more out than came in.
fn check_settings(input: &[u8]) {
    let read = || now(testing::read_user_settings(input.to_vec())).map_err(|error| error.code());
    let settings = read();
    assert_eq!(read(), settings);
    let Ok(settings) = settings else { return };
    let weight: usize = settings
        .iter()
        .map(|(name, value)| name.len() + value.len())
        .sum();
    // The names that this crate gives to what is no setting.
    assert!(
        weight <= 3 * input.len() + "RedirectAddress".len(),
        "{weight}"
    );
    assert!(settings.len() <= 100);
}

#[test]
fn autodiscover_settings() {
    run(Target {
        name: "autodiscover_settings",
        words: &[
            "<a:ErrorCode>RedirectUrl</a:ErrorCode>",
            "<a:ErrorCode>NoError</a:ErrorCode>",
            "<a:RedirectTarget>x@evil.example</a:RedirectTarget>",
            "<a:UserSetting><a:Name>ExternalEwsUrl</a:Name><a:Value>https://x/</a:Value></a:UserSetting>",
            "<![CDATA[",
            "]]>",
            "&#0;",
            "<!DOCTYPE a>",
            "</a:UserResponse>",
        ],
        made: Vec::new,
        check: check_settings,
    });
}

/// An address out of JSON is one that stands in it, and what is not JSON has none.
fn check_json(input: &[u8]) {
    let found = testing::autodiscover_json(input);
    assert_eq!(testing::autodiscover_json(input), found);
    if let Some(url) = found {
        assert!(url.len() <= 3 * input.len());
        let value: serde_json::Value = serde_json::from_slice(input).unwrap();
        assert_eq!(value["Url"].as_str(), Some(url.as_str()));
    }
}

#[test]
fn autodiscover_answers() {
    run(Target {
        name: "autodiscover_answers",
        words: &[
            "\"Protocol\":\"Ews\"",
            "\"Url\":\"https://x/\"",
            "{",
            "}",
            "[",
            "]",
            "\\u0000",
            "\\ud800",
            "null",
            "1e999",
            ",",
        ],
        made: Vec::new,
        check: check_json,
    });
}
