//! Exchange's item classes (MS-OXOMSG, MS-OXCMAIL 2.2.3, MS-OXOCAL 2.2) as kinds of item.

use super::ItemClass;

impl ItemClass {
    /// The kind of an item with this Exchange item class, in any case.
    ///
    /// A report's class is `REPORT.`, the class of the mail it is about, and its kind. A class
    /// below `IPM.Note` that is not known is a form of ordinary mail. What is no mail at all is
    /// [`ItemClass::Other`].
    pub fn from_item_class(class: &str) -> Self {
        let class = class.trim().to_ascii_lowercase();
        if let Some(report) = class.strip_prefix("report.") {
            return report_kind(report);
        }
        let below = |base: &str| {
            class
                .strip_prefix(base)
                .is_some_and(|rest| rest.is_empty() || rest.starts_with('.'))
        };
        TABLE
            .iter()
            .find(|(base, _)| below(base))
            .map_or(Self::Other, |(_, kind)| *kind)
    }
}

/// A class counts for all classes below it; the first that fits is taken.
const TABLE: &[(&str, ItemClass)] = &[
    ("ipm.note.smime.multipartsigned", ItemClass::SmimeSigned),
    ("ipm.note.smime", ItemClass::SmimeOpaque),
    ("ipm.note.secure.sign", ItemClass::SmimeSigned),
    ("ipm.note.secure", ItemClass::SmimeOpaque),
    ("ipm.note.rules.ooftemplate", ItemClass::OutOfOffice),
    ("ipm.note.rules.externalooftemplate", ItemClass::OutOfOffice),
    ("ipm.note", ItemClass::Mail),
    ("ipm.schedule.meeting.request", ItemClass::MeetingRequest),
    ("ipm.schedule.meeting.resp", ItemClass::MeetingResponse),
    (
        "ipm.schedule.meeting.canceled",
        ItemClass::MeetingCancellation,
    ),
    ("ipm.outlook.recall", ItemClass::Recall),
    ("ipm.recall.report", ItemClass::RecallReport),
    ("ipm.sharing", ItemClass::Sharing),
    ("ipm.post", ItemClass::Post),
    ("ipm", ItemClass::Other),
];

fn report_kind(report: &str) -> ItemClass {
    match report.rsplit('.').next() {
        Some("ndr" | "dr") => ItemClass::DeliveryReport,
        Some("ipnrn" | "ipnnrn") => ItemClass::ReadReceipt,
        _ => ItemClass::Other,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn item_classes_have_their_kind() {
        let table = [
            ("IPM.Note", ItemClass::Mail),
            ("ipm.note", ItemClass::Mail),
            ("IPM.Note.Custom.Form", ItemClass::Mail),
            ("IPM.Note.Microsoft.Conversation.Voice", ItemClass::Mail),
            ("IPM.NoteBook", ItemClass::Other),
            ("IPM.Note.SMIME", ItemClass::SmimeOpaque),
            ("IPM.Note.SMIME.MultipartSigned", ItemClass::SmimeSigned),
            ("IPM.Note.Secure.Sign", ItemClass::SmimeSigned),
            ("REPORT.IPM.Note.NDR", ItemClass::DeliveryReport),
            ("REPORT.IPM.Note.DR", ItemClass::DeliveryReport),
            ("REPORT.IPM.Note.SMIME.NDR", ItemClass::DeliveryReport),
            (
                "REPORT.IPM.Schedule.Meeting.Request.NDR",
                ItemClass::DeliveryReport,
            ),
            ("REPORT.IPM.Note.IPNRN", ItemClass::ReadReceipt),
            ("REPORT.IPM.Note.IPNNRN", ItemClass::ReadReceipt),
            ("REPORT.IPM.Note", ItemClass::Other),
            ("IPM.Schedule.Meeting.Request", ItemClass::MeetingRequest),
            ("IPM.Schedule.Meeting.Resp.Pos", ItemClass::MeetingResponse),
            ("IPM.Schedule.Meeting.Resp.Tent", ItemClass::MeetingResponse),
            (
                "IPM.Schedule.Meeting.Canceled",
                ItemClass::MeetingCancellation,
            ),
            ("IPM.Outlook.Recall", ItemClass::Recall),
            ("IPM.Recall.Report.Success", ItemClass::RecallReport),
            (
                "IPM.Note.Rules.OofTemplate.Microsoft",
                ItemClass::OutOfOffice,
            ),
            (
                "IPM.Note.Rules.ExternalOofTemplate.Microsoft",
                ItemClass::OutOfOffice,
            ),
            ("IPM.Note.Rules.ReplyTemplate.Microsoft", ItemClass::Mail),
            ("IPM.Sharing", ItemClass::Sharing),
            ("IPM.Post", ItemClass::Post),
            ("IPM.Post.RSS", ItemClass::Post),
            ("IPM.Task", ItemClass::Other),
            ("IPM.Appointment", ItemClass::Other),
            ("", ItemClass::Other),
        ];
        for (class, kind) in table {
            assert_eq!(ItemClass::from_item_class(class), kind, "{class}");
        }
    }
}
