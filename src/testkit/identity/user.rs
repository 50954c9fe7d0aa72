//! Who sits in front of the browser.

/// What the user does when the browser asks for consent, and what goes wrong on the way back.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
#[non_exhaustive]
pub enum UserBehaviour {
    /// An administrator accepts; the browser is sent back at once.
    #[default]
    Accepts,
    /// The user declines: `access_denied`, AADSTS65004.
    Declines,
    /// The user is no administrator and may not consent: `access_denied`, AADSTS90094.
    NotAdministrator,
    /// The user closes the window: a page without a way back.
    NeverReturns,
    /// Accepted, but the browser comes back with another `state`.
    ReturnsWrongState,
    /// Accepted, but the browser comes back without `state`.
    ReturnsWithoutState,
    /// Accepted, but the promised `iss` (RFC 9207) is missing.
    ReturnsWithoutIssuer,
    /// Accepted, but `iss` names another provider, as in a mix-up attack.
    ReturnsWrongIssuer,
    /// A page with the buttons Accept and Decline, for a person or a test that plays the browser.
    Interactive,
}
