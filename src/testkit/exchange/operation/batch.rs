//! The frame of answers: one response message for each thing asked, in the order of the request.

use super::context::Context;
use crate::testkit::exchange::failure::Failure;
use crate::testkit::exchange::writer::XmlWriter;

/// The element names of an answer.
pub(crate) struct Batch {
    /// The response element without its suffix `Response`, such as `m:GetItem`.
    pub(crate) operation: &'static str,
    /// An empty element that the schema demands even in an error.
    pub(crate) on_error: Option<&'static str>,
}

impl Batch {
    /// A batch whose errors need no element of their own.
    pub(crate) const fn new(operation: &'static str) -> Self {
        Self {
            operation,
            on_error: None,
        }
    }

    /// A batch of ItemInfoResponseMessageType: `Items` is not optional.
    pub(crate) const fn of_items(operation: &'static str) -> Self {
        Self {
            operation,
            on_error: Some("m:Items"),
        }
    }

    /// Writes the response with one message for each target.
    ///
    /// `id_of` names the item that a target means; `each` performs and writes what follows the
    /// response code. What it has written is taken back when it fails.
    pub(crate) fn answer<T>(
        &self,
        context: &mut Context<'_>,
        w: &mut XmlWriter,
        targets: &[T],
        id_of: impl Fn(&T) -> Option<&str>,
        mut each: impl FnMut(&mut Context<'_>, &T, &mut XmlWriter) -> Result<(), Failure>,
    ) {
        let answered = targets
            .len()
            .saturating_sub(context.effects.missing_answers);
        w.nest(&format!("{}Response", self.operation), &[], |w| {
            w.nest("m:ResponseMessages", &[], |w| {
                for (index, target) in targets.iter().take(answered).enumerate() {
                    let ordered = ordered_failure(context, index, id_of(target));
                    self.message(w, |w| match ordered {
                        Some(failure) => Err(failure),
                        None => each(context, target, w),
                    });
                }
            });
        });
    }

    /// Writes one response message.
    fn message(&self, w: &mut XmlWriter, body: impl FnOnce(&mut XmlWriter) -> Result<(), Failure>) {
        let name = format!("{}ResponseMessage", self.operation);
        let start = w.mark();
        let mut outcome = Ok(());
        w.nest(&name, &[("ResponseClass", "Success")], |w| {
            w.text("m:ResponseCode", "NoError");
            outcome = body(w);
        });
        if let Err(failure) = outcome {
            w.rollback(start);
            self.failure(w, &failure, |w| {
                if let Some(element) = self.on_error {
                    w.empty(element, &[]);
                }
            });
        }
    }

    /// Writes a response message that carries an error or a warning and perhaps data.
    fn failure(&self, w: &mut XmlWriter, failure: &Failure, data: impl FnOnce(&mut XmlWriter)) {
        let name = format!("{}ResponseMessage", self.operation);
        w.nest(&name, &[("ResponseClass", failure.class.name())], |w| {
            write_failure(w, failure);
            data(w);
        });
    }

    /// Writes a response with a single warning that carries data.
    pub(crate) fn warn(
        &self,
        w: &mut XmlWriter,
        failure: &Failure,
        data: impl FnOnce(&mut XmlWriter),
    ) {
        w.nest(&format!("{}Response", self.operation), &[], |w| {
            w.nest("m:ResponseMessages", &[], |w| {
                self.failure(w, failure, data);
            });
        });
    }
}

fn ordered_failure(context: &Context<'_>, index: usize, id: Option<&str>) -> Option<Failure> {
    let effects = context.effects;
    if effects.stop_batch_after.is_some_and(|count| index >= count) {
        return Some(Failure::new("ErrorBatchProcessingStopped").into_warning());
    }
    effects.failure_at(index, id).cloned()
}

/// Writes the error part of a response message.
fn write_failure(w: &mut XmlWriter, failure: &Failure) {
    w.text("m:MessageText", &failure.text);
    w.text("m:ResponseCode", &failure.code);
    w.number("m:DescriptiveLinkKey", 0);
    if !failure.details.is_empty() {
        w.nest("m:MessageXml", &[], |w| {
            for (name, value) in &failure.details {
                w.text_with("t:Value", &[("Name", name)], value);
            }
        });
    }
}
