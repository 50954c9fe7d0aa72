//! User name and password as Exchange on premises takes them: what is offered, NTLM, its connections, and what leaves.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic)]

#[path = "ntlm/broken.rs"]
mod broken;
#[path = "ntlm/channel.rs"]
mod channel;
#[path = "ntlm/offers.rs"]
mod offers;
#[path = "ntlm/parts.rs"]
mod parts;
#[path = "ntlm/scripted.rs"]
mod scripted;
#[path = "ews/support.rs"]
mod support;
#[path = "ntlm/tap.rs"]
mod tap;
#[path = "ntlm/whole_way.rs"]
mod whole_way;
#[path = "ntlm/wire.rs"]
mod wire;
