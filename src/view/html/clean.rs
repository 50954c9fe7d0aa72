//! The sanitiser's rules: which elements, attributes and addresses a mail may have.

use std::borrow::Cow;
use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::{Arc, Mutex, PoisonError};

use ammonia::{Builder, UrlRelative};

use super::pictures::Pictures;
use super::{RemoteContent, blocked, cost, style};

const ELEMENTS: &[&str] = &[
    "a",
    "abbr",
    "acronym",
    "address",
    "b",
    "bdi",
    "big",
    "blockquote",
    "br",
    "caption",
    "center",
    "cite",
    "code",
    "col",
    "colgroup",
    "dd",
    "del",
    "dfn",
    "div",
    "dl",
    "dt",
    "em",
    "figcaption",
    "figure",
    "font",
    "h1",
    "h2",
    "h3",
    "h4",
    "h5",
    "h6",
    "hr",
    "i",
    "img",
    "ins",
    "kbd",
    "li",
    "mark",
    "ol",
    "p",
    "pre",
    "q",
    "s",
    "samp",
    "small",
    "span",
    "strike",
    "strong",
    "sub",
    "sup",
    "table",
    "tbody",
    "td",
    "tfoot",
    "th",
    "thead",
    "tr",
    "tt",
    "u",
    "ul",
    "var",
    "wbr",
];
/// Removed with all that is in them.
const REMOVED: &[&str] = &[
    "applet", "audio", "canvas", "embed", "frameset", "head", "iframe", "math", "noembed",
    "noframes", "noscript", "object", "script", "select", "style", "svg", "template", "textarea",
    "title", "video", "xmp",
];
const ANYWHERE: &[&str] = &[
    "align", "bgcolor", "dir", "height", "lang", "style", "title", "valign", "width",
];

/// The class that marks a quote, and the one from which on all is quoted.
pub(super) const QUOTE: &str = "email-quote";
pub(super) const QUOTE_BEGINS: &str = "email-quote-begins";
/// What stands for an address that was blocked, until its element is known.
pub(super) const BLOCKED: &str = "blocked:";

pub(super) struct Cleaned {
    pub(super) html: String,
    pub(super) remote: RemoteContent,
}

/// What the filter meets on its way.
#[derive(Default)]
struct Met {
    other: usize,
    /// Hosts of blocked pictures, in order.
    hosts: Vec<String>,
}

/// Sanitises HTML; None where parsing it would cost too much.
pub(super) fn clean(html: &str, pictures: &Arc<Pictures>) -> Option<Cleaned> {
    if !cost::is_bearable(html) {
        return None;
    }
    let met = Arc::new(Mutex::new(Met::default()));
    let html_cleaned = sanitise(html, pictures, &met);
    let met = std::mem::take(&mut *met.lock().unwrap_or_else(PoisonError::into_inner));
    let (html_cleaned, trackers) = blocked::settle(&html_cleaned, &met.hosts);
    let trackers: BTreeSet<String> = trackers.into_iter().collect();
    Some(Cleaned {
        html: html_cleaned,
        remote: RemoteContent {
            images: met.hosts.len(),
            other: met.other + style_sheets(html),
            trackers: trackers.into_iter().collect(),
        },
    })
}

fn sanitise(html: &str, pictures: &Arc<Pictures>, met: &Arc<Mutex<Met>>) -> String {
    let (pictures, met) = (Arc::clone(pictures), Arc::clone(met));
    let mut builder = Builder::empty();
    builder
        .tags(ELEMENTS.iter().copied().collect())
        .clean_content_tags(REMOVED.iter().copied().collect())
        .generic_attributes(ANYWHERE.iter().copied().collect())
        .tag_attributes(attributes())
        .url_schemes(["http", "https", "mailto", "cid", "data"].into())
        .url_relative(UrlRelative::PassThrough)
        .link_rel(Some("noopener noreferrer nofollow"))
        .set_tag_attribute_value("a", "target", "_blank")
        .strip_comments(true)
        .attribute_filter(move |element, attribute, value| {
            let mut met = met.lock().unwrap_or_else(PoisonError::into_inner);
            filter(&pictures, &mut met, element, attribute, value)
        });
    builder.clean(html).to_string()
}

fn attributes() -> HashMap<&'static str, HashSet<&'static str>> {
    let mut attributes = HashMap::from([
        ("a", HashSet::from(["href"])),
        ("img", HashSet::from(["alt", "src", "srcset"])),
        ("font", HashSet::from(["color", "face", "size"])),
        ("ol", HashSet::from(["start", "type"])),
        ("col", HashSet::from(["span"])),
        ("colgroup", HashSet::from(["span"])),
        ("blockquote", HashSet::from(["class", "type"])),
        ("div", HashSet::from(["class", "id"])),
        ("hr", HashSet::from(["id", "color", "size"])),
    ]);
    let cell = [
        "background",
        "border",
        "cellpadding",
        "cellspacing",
        "colspan",
        "rowspan",
        "nowrap",
    ];
    for element in ["table", "tr", "td", "th"] {
        attributes.insert(element, cell.into());
    }
    attributes
}

/// What becomes of one attribute that the rules let through by its name.
fn filter<'v>(
    pictures: &Pictures,
    met: &mut Met,
    element: &str,
    attribute: &str,
    value: &'v str,
) -> Option<Cow<'v, str>> {
    match (element, attribute) {
        ("a", "href") => is_link(value).then_some(Cow::Borrowed(value)),
        ("img", "src") => source(pictures, met, value).map(Cow::Owned),
        (_, "src" | "srcset" | "background") => {
            met.other += 1;
            None
        }
        (_, "style") => {
            let (kept, loads) = style::filter(value);
            met.other += loads;
            (!kept.is_empty()).then_some(Cow::Owned(kept))
        }
        (_, "class") => quote_class(value).map(Cow::Borrowed),
        (_, "id") => quote_id(value).map(Cow::Borrowed),
        ("blockquote", "type") => value.eq_ignore_ascii_case("cite").then_some("cite".into()),
        (_, "alt" | "title") => Some(Cow::Owned(super::super::plain_text(value))),
        // What is left are measures, colours, names of fonts and the like.
        _ => {
            let plain = |c: char| c.is_alphanumeric() || " #.,%-_'+*".contains(c);
            (value.len() <= 100 && value.chars().all(plain)).then_some(Cow::Borrowed(value))
        }
    }
}

fn is_link(value: &str) -> bool {
    let scheme = value
        .split_once(':')
        .map(|(scheme, _)| scheme.to_ascii_lowercase());
    matches!(scheme.as_deref(), Some("http" | "https" | "mailto"))
        && !value.chars().any(char::is_control)
}

fn source(pictures: &Pictures, met: &mut Met, value: &str) -> Option<String> {
    let value = value.trim();
    let (scheme, rest) = value.split_once(':').unwrap_or(("", value));
    match &*scheme.to_ascii_lowercase() {
        "cid" => pictures.of_id(rest),
        "data" => pictures.of_data(rest),
        "http" | "https" | "" => {
            let rest = rest.trim_start_matches(['/', '\\']);
            let host = rest.split(['/', '\\', '?', '#']).next().unwrap_or_default();
            let host = host.rsplit('@').next().unwrap_or_default();
            if scheme.is_empty() && !value.starts_with(['/', '\\']) {
                return None;
            }
            met.hosts
                .push(super::super::plain_text(host).to_lowercase());
            Some(format!("{BLOCKED}{}", met.hosts.len() - 1))
        }
        _ => None,
    }
}

/// The marks of Gmail and Thunderbird; those of Thunderbird and Apple Mail are also `type=cite`.
fn quote_class(value: &str) -> Option<&'static str> {
    let mut classes = value.split_ascii_whitespace();
    let is_quote = |class: &str| {
        matches!(
            class,
            "gmail_quote" | "yahoo_quoted" | "protonmail_quote" | "moz-cite-prefix"
        )
    };
    classes.any(is_quote).then_some(QUOTE)
}

/// The marks of Outlook: what follows them in their parent is quoted.
fn quote_id(value: &str) -> Option<&'static str> {
    let marks = [
        "divRplyFwdMsg",
        "appendonsend",
        "stopSpelling",
        "OLK_SRC_BODY_SECTION",
    ];
    let bare = value.strip_prefix("x_").unwrap_or(value);
    marks.contains(&bare).then_some(QUOTE_BEGINS)
}

/// What the style sheets would load; they are removed whole.
fn style_sheets(html: &str) -> usize {
    let lower = html.to_ascii_lowercase();
    let sheets = lower.split("<style").skip(1);
    let sheets = sheets.map(|sheet| sheet.split("</style").next().unwrap_or_default());
    sheets.map(style::loads).sum()
}
