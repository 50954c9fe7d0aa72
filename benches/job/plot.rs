//! The plot: mails a second by latency, for this crate and what else was measured. The longest bar of a latency fills its row.

use std::fmt::Write as _;

use crate::lines::Line;
use crate::peers::Peer;

const LEFT: f64 = 290.0;
const WIDTH: f64 = 430.0;
const ROW: f64 = 20.0;

/// The plot as SVG. It says its figures as text too, and reads on light and on dark paper.
pub(crate) fn svg(lines: &[Line], peers: &[Peer]) -> String {
    let mut rows: Vec<(u64, String, f64, bool)> = Vec::new();
    let of_us = lines
        .iter()
        .filter_map(|line| Some((line.latency_ms?, ours(line), line.figures.rate())));
    rows.extend(of_us.map(|(latency, name, rate)| (latency, name, rate, true)));
    let of_others = peers
        .iter()
        .map(|peer| (peer.latency_ms, peer.name.to_owned(), peer.rate, false));
    rows.extend(of_others);
    rows.sort_by(|a, b| a.0.cmp(&b.0).then(b.3.cmp(&a.3)).then(b.2.total_cmp(&a.2)));
    let mut body = String::new();
    let (mut y, mut last) = (10.0, None);
    for (latency, name, rate, ours) in &rows {
        let same = rows.iter().filter(|row| row.0 == *latency);
        let most = same.map(|row| row.2).fold(1.0, f64::max);
        if last != Some(latency) {
            y += 26.0;
            let _ = writeln!(
                body,
                r#"<text class="head" x="8" y="{y}">{latency} ms for each request</text>"#
            );
            y += 8.0;
            last = Some(latency);
        }
        bar(&mut body, y, name, (*rate, most), *ours);
        y += ROW;
    }
    let height = y + 16.0;
    format!(
        r#"<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 800 {height}" role="img" aria-label="Mails a second">
<title>Mails a second by latency of a request</title>
<style>
text {{ font: 13px system-ui, sans-serif; fill: #24292f }}
.head {{ font-weight: 600 }}
.ours {{ fill: #1f6feb }}
.other {{ fill: #8c959f }}
@media (prefers-color-scheme: dark) {{ text {{ fill: #e6edf3 }} }}
</style>
{body}</svg>
"#
    )
}

fn ours(line: &Line) -> String {
    format!("email-logging, {} connections", line.connections)
}

fn bar(body: &mut String, y: f64, name: &str, (rate, most): (f64, f64), ours: bool) {
    let length = (rate / most * WIDTH).max(1.0);
    let class = if ours { "ours" } else { "other" };
    let (text, end) = (y + 13.0, LEFT + length + 6.0);
    let _ = writeln!(
        body,
        r#"<text x="280" y="{text}" text-anchor="end">{name}</text><rect class="{class}" x="{LEFT}" y="{y}" width="{length:.0}" height="15" rx="2"/><text x="{end:.0}" y="{text}">{rate:.0}</text>"#
    );
}
