//! A browser that fills in the provider's own forms: redirects, cookies, login, consent.

use std::collections::BTreeMap;

use reqwest::header::{COOKIE, LOCATION, SET_COOKIE};
use reqwest::{Client, Method, Response, Url};

use super::mailbox::{MAILBOX, http};
use super::provider::{Provider, REDIRECT};

/// Redirects and forms until it ends.
const STEPS: usize = 20;

/// What the person does at the consent form.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Person {
    Accepts,
    Declines,
}

struct Browser {
    http: Client,
    cookies: BTreeMap<String, String>,
}

/// Opens the address, signs in, answers the consent form, and tells the URL that is called back.
pub(crate) async fn drive(provider: &Provider, url: &str, person: Person) -> String {
    let mut browser = Browser {
        http: http(&provider.authority),
        cookies: BTreeMap::new(),
    };
    let mut next = (Method::GET, Url::parse(url).unwrap(), String::new());
    for _ in 0..STEPS {
        let at = next.1.clone();
        let response = browser.go(next).await;
        let status = response.status();
        next = if status.is_redirection() {
            let location = response.headers()[LOCATION].to_str().unwrap();
            let target = at.join(location).unwrap();
            if target.as_str().starts_with(REDIRECT) {
                return location.to_owned();
            }
            (Method::GET, target, String::new())
        } else {
            let page = response.text().await.unwrap();
            assert!(status.is_success(), "{status}: {page}");
            answer(&at, &page, person)
        };
    }
    panic!("the browser was not sent back after {STEPS} steps");
}

impl Browser {
    async fn go(&mut self, (method, url, form): (Method, Url, String)) -> Response {
        let cookies = self
            .cookies
            .iter()
            .map(|(name, value)| format!("{name}={value}"));
        let request = self
            .http
            .request(method.clone(), url)
            .header(COOKIE, cookies.collect::<Vec<_>>().join("; "));
        let request = if method == Method::POST {
            request
                .header("content-type", "application/x-www-form-urlencoded")
                .body(form)
        } else {
            request
        };
        let response = request.send().await.unwrap();
        for cookie in response.headers().get_all(SET_COOKIE) {
            let pair = cookie.to_str().unwrap().split(';').next().unwrap();
            let (name, value) = pair.split_once('=').unwrap();
            if value.is_empty() {
                self.cookies.remove(name);
            } else {
                self.cookies.insert(name.to_owned(), value.to_owned());
            }
        }
        response
    }
}

/// Fills in the login form or the consent form.
fn answer(at: &Url, page: &str, person: Person) -> (Method, Url, String) {
    let between = |start: &str| {
        let (_, rest) = page
            .split_once(start)
            .unwrap_or_else(|| panic!("no {start}: {page}"));
        rest.split_once('"').unwrap().0.to_owned()
    };
    let action = at.join(&between("action=\"")).unwrap();
    match between("name=\"prompt\" value=\"").as_str() {
        "login" => {
            let form = format!(
                "prompt=login&login={}&password=x",
                MAILBOX.replace('@', "%40")
            );
            (Method::POST, action, form)
        }
        "consent" if person == Person::Accepts => (Method::POST, action, "prompt=consent".into()),
        "consent" => {
            let abort = format!("{}/abort", at.as_str().trim_end_matches('/'));
            (Method::GET, Url::parse(&abort).unwrap(), String::new())
        }
        other => panic!("an unknown form: {other}"),
    }
}
