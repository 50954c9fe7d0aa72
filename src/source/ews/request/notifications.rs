//! Subscribe, GetEvents, Unsubscribe.

use super::super::soap::XmlWriter;
use super::super::version::Version;
use super::{FolderRef, Request};

/// What tells that mail may have come into a folder.
const EVENTS: [&str; 4] = ["NewMailEvent", "CreatedEvent", "MovedEvent", "CopiedEvent"];

/// Asks for the events of one folder to be kept until they are read.
#[derive(Debug)]
pub(in crate::source::ews) struct Subscribe<'a> {
    pub(in crate::source::ews) folder: &'a FolderRef,
    /// Minutes without a read after which the server forgets it, 1 to 1440.
    pub(in crate::source::ews) minutes: u16,
}

/// Reads the events since the last read.
#[derive(Debug)]
pub(in crate::source::ews) struct GetEvents<'a> {
    pub(in crate::source::ews) subscription: &'a str,
    pub(in crate::source::ews) watermark: &'a str,
}

/// Gives a subscription back.
#[derive(Debug)]
pub(in crate::source::ews) struct Unsubscribe<'a> {
    pub(in crate::source::ews) subscription: &'a str,
}

// None of these changes anything that a person sees: a subscription too many ends by itself.
impl Request for Subscribe<'_> {
    fn name(&self) -> &'static str {
        "Subscribe"
    }

    fn write(&self, xml: &mut XmlWriter, _: Version) {
        xml.within("m:Subscribe", &[], |xml| {
            xml.within("m:PullSubscriptionRequest", &[], |xml| {
                xml.within("t:FolderIds", &[], |xml| self.folder.write(xml));
                xml.within("t:EventTypes", &[], |xml| {
                    for event in EVENTS {
                        xml.leaf("t:EventType", event);
                    }
                });
                xml.leaf("t:Timeout", &self.minutes.to_string());
            });
        });
    }
}

impl Request for GetEvents<'_> {
    fn name(&self) -> &'static str {
        "GetEvents"
    }

    fn write(&self, xml: &mut XmlWriter, _: Version) {
        xml.within("m:GetEvents", &[], |xml| {
            xml.leaf("m:SubscriptionId", self.subscription);
            xml.leaf("m:Watermark", self.watermark);
        });
    }
}

impl Request for Unsubscribe<'_> {
    fn name(&self) -> &'static str {
        "Unsubscribe"
    }

    fn write(&self, xml: &mut XmlWriter, _: Version) {
        xml.within("m:Unsubscribe", &[], |xml| {
            xml.leaf("m:SubscriptionId", self.subscription);
        });
    }
}
