//! Where the identity service sends the browser back to, and whether that is this machine.

use reqwest::Url;

use crate::config::ConfigError;
use crate::exit::Failure;

/// The page that is called back, as Business Central names it.
const PAGE: &str = "/OAuthLanding.htm";

/// A redirect URL, letter by letter as the identity service has to have it.
#[derive(Debug, Clone)]
pub(super) struct Redirect {
    /// The whole URL.
    pub(super) url: String,
    /// Its path.
    pub(super) path: String,
}

/// A place on the loopback address.
#[derive(Debug)]
pub(super) struct Place {
    /// The host as the URL names it: `127.0.0.1`, `localhost` or `[::1]`.
    host: String,
    /// The port that the URL names; 0 where any will do.
    pub(super) port: u16,
    path: String,
}

impl Redirect {
    /// What a person pastes begins with this: nobody listens there.
    pub(super) fn pasted(configured: Option<&str>) -> Result<Self, Failure> {
        let url = configured.map_or_else(|| format!("http://127.0.0.1{PAGE}"), str::to_owned);
        let path = read(&url)?.path().to_owned();
        Ok(Self { url, path })
    }
}

impl Place {
    /// The place of a redirect URL on this machine. A port on the command line counts where the URL names none: identity
    /// services pass over the port of a loopback address (RFC 8252, 7.3).
    pub(super) fn of(configured: Option<&str>, port: u16) -> Result<Self, Failure> {
        let Some(text) = configured else {
            let host = "127.0.0.1".to_owned();
            let path = PAGE.to_owned();
            return Ok(Self { host, port, path });
        };
        let url = read(text)?;
        let host = url.host_str().unwrap_or_default().to_owned();
        let here =
            url.scheme() == "http" && ["127.0.0.1", "localhost", "[::1]"].contains(&host.as_str());
        if !here {
            return Err(ConfigError {
                code: "config.invalid",
                what: format!("the redirect URL is not on this machine, so nobody here can be called back: {text}"),
                remedy: "Use --callback-url and paste the address that the browser ends at; or register \
                         http://localhost/OAuthLanding.htm too and put it into the set-up: \
                         setup exchange-redirect-url=http://localhost/OAuthLanding.htm."
                    .into(),
            }
            .into());
        }
        // `Url` leaves 80 out, whether it was written or not.
        let written = url.port().or_else(|| text.contains(":80/").then_some(80));
        Ok(Self {
            host,
            port: written.unwrap_or(port),
            path: url.path().to_owned(),
        })
    }

    /// The addresses to listen at: a browser may take `localhost` for either.
    pub(super) fn addresses(&self) -> &'static [&'static str] {
        match self.host.as_str() {
            "[::1]" => &["::1"],
            "localhost" => &["127.0.0.1", "::1"],
            _ => &["127.0.0.1"],
        }
    }

    /// The redirect URL once the port is known.
    pub(super) fn redirect(&self, port: u16) -> Redirect {
        Redirect {
            url: format!("http://{}:{port}{}", self.host, self.path),
            path: self.path.clone(),
        }
    }
}

fn read(url: &str) -> Result<Url, ConfigError> {
    url.parse().map_err(|_| {
        ConfigError::invalid(
            "the redirect URL of the set-up is no URL",
            "Correct it: setup exchange-redirect-url=URL.",
        )
    })
}

#[cfg(test)]
#[allow(clippy::unwrap_used)]
mod tests {
    use super::*;

    #[test]
    fn a_redirect_url_on_this_machine_keeps_its_host_port_and_path() {
        for (configured, port, expected) in [
            (None, 0, "http://127.0.0.1:5000/OAuthLanding.htm"),
            (
                Some("http://localhost/back"),
                0,
                "http://localhost:5000/back",
            ),
            (Some("http://[::1]:81/"), 81, "http://[::1]:5000/"),
        ] {
            let place = Place::of(configured, 0).unwrap();
            assert_eq!(place.port, port, "{configured:?}");
            assert_eq!(place.redirect(5000).url, expected);
        }
        assert_eq!(
            Place::of(Some("http://127.0.0.1:80/a"), 7).unwrap().port,
            80
        );
        assert_eq!(Place::of(Some("http://127.0.0.1/a"), 7).unwrap().port, 7);
    }

    #[test]
    fn a_redirect_url_elsewhere_is_not_served() {
        for url in [
            "https://erp.example/OAuthLanding.htm",
            "http://127.0.0.2/",
            "https://localhost/",
        ] {
            assert!(Place::of(Some(url), 0).is_err(), "{url}");
        }
    }
}
