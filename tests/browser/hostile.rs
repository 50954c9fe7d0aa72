//! Mails that hold a vector each: in the HTML body, or in subject, names, addresses and file names.

use std::fmt::Write as _;
use std::path::Path;

use base64_simd::STANDARD;

use crate::xss::{Place, Vector, vectors};

/// How many vectors there are, how many mails are logged, and how many wait in the review queue.
#[derive(Debug)]
pub(crate) struct Written {
    pub(crate) all: usize,
    pub(crate) logged: usize,
    pub(crate) strange: usize,
    /// The vectors of texts: what people type carries them on.
    pub(crate) texts: Vec<String>,
}

/// Writes a mail for every vector: of a contact, and for those in texts also of a stranger.
pub(crate) fn write(folder: &Path) -> Written {
    std::fs::create_dir(folder).unwrap();
    let all = vectors();
    let mut strange = 0;
    for vector in &all {
        let file = folder.join(format!("{}.eml", vector.name));
        std::fs::write(file, mail(vector, CONTACT)).unwrap();
        if vector.place == Place::Text {
            let file = folder.join(format!("{}-strange.eml", vector.name));
            std::fs::write(file, mail(vector, "stranger@elsewhere.example")).unwrap();
            strange += 1;
        }
    }
    Written {
        logged: all.len(),
        all: all.len(),
        strange,
        texts: all
            .iter()
            .filter(|vector| vector.place == Place::Text)
            .map(|vector| vector.text.clone())
            .collect(),
    }
}

const CONTACT: &str = "margaux.delorme@vallee-hydraulique.example";

fn mail(vector: &Vector, from: &str) -> String {
    let id = format!("{}.{}", vector.name, from.len());
    let (text, html) = match vector.place {
        Place::Text => (vector.text.clone(), "<p>plain</p>".to_owned()),
        Place::Body => (format!("vector {}", vector.name), vector.text.clone()),
    };
    let word = encoded(&text);
    let file = percent(&text);
    let local: String = text
        .chars()
        .filter(|c| !c.is_control() && c.is_ascii() && !r#""\"#.contains(*c))
        .take(60)
        .collect();
    let html = STANDARD.encode_to_string(html.as_bytes());
    let mut mail = String::new();
    write!(
        mail,
        "From: {word} <{from}>\r\nTo: Ada Holm <ada.holm@tidewheel.example>\r\n\
         Cc: {word} <\"{local}\"@elsewhere.example>\r\nSubject: {word}\r\n\
         Date: Mon, 02 Mar 2026 10:00:00 +0000\r\nMessage-ID: <{id}@vector.example>\r\n\
         MIME-Version: 1.0\r\nContent-Type: multipart/mixed; boundary=\"cut\"\r\n\r\n\
         --cut\r\nContent-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{html}\r\n\
         --cut\r\nContent-Type: application/octet-stream\r\n\
         Content-Disposition: attachment; filename*=utf-8''{file}\r\n\r\nx\r\n--cut--\r\n"
    )
    .unwrap();
    mail
}

/// A text as encoded words of a header.
fn encoded(text: &str) -> String {
    let mut words = Vec::new();
    let mut word = String::new();
    for c in text.chars() {
        word.push(c);
        if word.len() > 36 {
            words.push(std::mem::take(&mut word));
        }
    }
    words.push(word);
    let words = words.iter().filter(|word| !word.is_empty());
    let words = words.map(|word| format!("=?utf-8?B?{}?=", STANDARD.encode_to_string(word)));
    words.collect::<Vec<_>>().join("\r\n ")
}

fn percent(text: &str) -> String {
    text.bytes()
        .take(120)
        .fold(String::new(), |mut made, byte| {
            write!(made, "%{byte:02X}").unwrap();
            made
        })
}
