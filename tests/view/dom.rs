//! What a page may hold, asked of the tree that an HTML parser makes of it.

use html2text::{Element as Node, Handle};

const ELEMENTS: &str = " html head body details summary a abbr acronym address b bdi big blockquote br caption center cite \
    code col colgroup dd del dfn div dl dt em figcaption figure font h1 h2 h3 h4 h5 h6 hr i img ins kbd li mark ol p pre q \
    s samp small span strike strong sub sup table tbody td tfoot th thead tr tt u ul var wbr ";
const ATTRIBUTES: &str = " align alt bgcolor border cellpadding cellspacing class color colspan dir face height href id \
    lang nowrap rel rowspan size span src start style target title type valign width ";

/// An element as name and attributes.
pub(crate) type Element = (String, Vec<(String, String)>);

/// The elements of the tree that a parser makes of this markup, in order.
pub(crate) fn elements(html: &str) -> Vec<Element> {
    let dom = html2text::config::plain()
        .parse_html(html.as_bytes())
        .unwrap();
    let mut found = Vec::new();
    let mut stack: Vec<Handle> = vec![Handle::clone(&dom.document)];
    while let Some(node) = stack.pop() {
        if let Node { name, attrs, .. } = &node.data {
            assert_eq!(&*name.ns, "http://www.w3.org/1999/xhtml", "{html}");
            let attributes = attrs.borrow();
            let attributes = attributes
                .iter()
                .map(|a| (a.name.local.to_string(), a.value.to_string()));
            found.push((name.local.to_string(), attributes.collect()));
        }
        stack.extend(node.children.borrow().iter().rev().cloned());
    }
    found
}

/// Asserts that nothing in this markup runs, loads, submits or navigates by itself.
pub(crate) fn assert_harmless(html: &str, what: &str) {
    for (name, attributes) in elements(html) {
        assert!(
            ELEMENTS.contains(&format!(" {name} ")),
            "{what}: <{name}> in {html}"
        );
        for (attribute, value) in attributes {
            let place = format!("{what}: {name} {attribute}={value:?} in {html}");
            assert!(ATTRIBUTES.contains(&format!(" {attribute} ")), "{place}");
            assert_value(&name, &attribute, &value.to_ascii_lowercase(), &place);
        }
    }
}

fn assert_value(name: &str, attribute: &str, value: &str, place: &str) {
    let starts = |all: &[&str]| all.iter().any(|start| value.starts_with(start));
    match attribute {
        "href" => assert!(
            name == "a" && starts(&["http://", "https://", "mailto:", "http:", "https:"]),
            "{place}"
        ),
        "src" => {
            let pictures =
                ["png", "jpeg", "gif", "webp"].map(|kind| format!("data:image/{kind};base64,"));
            assert!(
                name == "img" && pictures.iter().any(|start| value.starts_with(start)),
                "{place}"
            );
        }
        "style" => {
            let bad = [
                "url",
                "\\",
                "/*",
                "@",
                "expression",
                "{",
                "image-set",
                "var(",
                "position",
                "behavior",
            ];
            assert!(!bad.iter().any(|bad| value.contains(bad)), "{place}");
        }
        "target" => assert_eq!(value, "_blank", "{place}"),
        "rel" => assert_eq!(value, "noopener noreferrer nofollow", "{place}"),
        _ => {}
    }
}
