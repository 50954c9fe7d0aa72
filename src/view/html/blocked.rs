//! Blocked pictures: taken out of the markup, and told apart from trackers.

use super::clean::BLOCKED;
use super::tags::{Tag, tags};

/// A picture of so few pixels is there to be loaded, not to be seen.
const TRACKER_PIXELS: u32 = 2;

/// The markup without blocked addresses, and the hosts of those that only track.
pub(super) fn settle(html: &str, hosts: &[String]) -> (String, Vec<String>) {
    let mut settled = String::with_capacity(html.len());
    let mut trackers = Vec::new();
    let mut from = 0;
    for tag in tags(html).filter(|tag| tag.name == "img") {
        let number = tag
            .attribute("src")
            .and_then(|src| src.strip_prefix(BLOCKED));
        let Some(number) = number else { continue };
        settled.push_str(html.get(from..tag.start).unwrap_or_default());
        from = tag.end;
        let host = number
            .parse()
            .ok()
            .and_then(|number: usize| hosts.get(number));
        if is_tracker(&tag) {
            trackers.extend(host.cloned());
        } else {
            push_without_source(&mut settled, &tag);
        }
    }
    settled.push_str(html.get(from..).unwrap_or_default());
    (settled, trackers)
}

fn push_without_source(settled: &mut String, tag: &Tag<'_>) {
    settled.push_str("<img");
    for (name, value) in tag.attributes().filter(|(name, _)| *name != "src") {
        for piece in [" ", name, "=\"", value, "\""] {
            settled.push_str(piece);
        }
    }
    settled.push('>');
}

fn is_tracker(tag: &Tag<'_>) -> bool {
    let is_tiny = |measure: &str| {
        let number = measure.trim().trim_end_matches("px").trim();
        number
            .parse()
            .is_ok_and(|pixels: u32| pixels <= TRACKER_PIXELS)
    };
    let by_attribute = ["width", "height"]
        .iter()
        .any(|name| tag.attribute(name).is_some_and(is_tiny));
    let style = tag.attribute("style").unwrap_or_default();
    let mut declarations = style.split(';').filter_map(|one| one.split_once(':'));
    let by_style = declarations.any(|(property, value)| match property {
        "width" | "height" | "max-width" | "max-height" => is_tiny(value),
        "display" => value.trim().eq_ignore_ascii_case("none"),
        _ => false,
    });
    by_attribute || by_style
}
