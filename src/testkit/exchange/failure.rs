//! What an operation answers when it cannot do what it was asked.

use std::borrow::Cow;

/// An error with its EWS response code.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) code: Cow<'static, str>,
    pub(crate) text: Cow<'static, str>,
    /// Named values of MessageXml, such as InnerErrorResponseCode.
    pub(crate) details: Vec<(&'static str, String)>,
    pub(crate) class: ResponseClass,
}

/// The ResponseClass attribute of a response message.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum ResponseClass {
    Error,
    Warning,
}

impl ResponseClass {
    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Error => "Error",
            Self::Warning => "Warning",
        }
    }
}

impl Failure {
    /// An error with the text that Exchange gives with this code.
    pub(crate) fn new(code: impl Into<Cow<'static, str>>) -> Self {
        let code = code.into();
        let text = text_of(&code).into();
        let (details, class) = (Vec::new(), ResponseClass::Error);
        Self {
            code,
            text,
            details,
            class,
        }
    }

    /// The request does not follow the schema.
    pub(crate) fn schema(violation: impl Into<String>) -> Self {
        let mut failure = Self::new("ErrorSchemaValidation");
        failure.details = vec![
            ("LineNumber", "1".to_owned()),
            ("LinePosition", "1".to_owned()),
            ("Violation", violation.into()),
        ];
        failure
    }

    pub(crate) fn with_detail(mut self, name: &'static str, value: impl Into<String>) -> Self {
        self.details.push((name, value.into()));
        self
    }

    /// Turns the error into a warning.
    pub(crate) fn into_warning(mut self) -> Self {
        self.class = ResponseClass::Warning;
        self
    }
}

fn text_of(code: &str) -> &'static str {
    match code {
        "ErrorAccessDenied" => "Access is denied. Check credentials and try again.",
        "ErrorBatchProcessingStopped" => {
            "The batch processing was stopped, so this item has not been processed."
        }
        "ErrorFolderNotFound" => "The specified folder could not be found in the store.",
        "ErrorToFolderNotFound" => "The destination folder could not be found in the store.",
        "ErrorFolderExists" => "A folder with the specified name already exists.",
        "ErrorImpersonationRequired" => {
            "ExchangeImpersonation SOAP header must be present for this type of OAuth token."
        }
        "ErrorInternalServerError" => "An internal server error occurred. The operation failed.",
        "ErrorInvalidIdMalformed" => "Id is malformed.",
        "ErrorInvalidOperation" => "The operation is not valid for this kind of folder.",
        "ErrorInvalidPropertyRequest" => "Property is not valid for this object type.",
        "ErrorInvalidServerVersion" => "The specified server version is invalid.",
        "ErrorItemNotFound" => "The specified object was not found in the store.",
        "ErrorMimeContentConversionFailed" => "MIME content conversion failed.",
        "ErrorMoveCopyFailed" => "The move or copy operation failed.",
        "ErrorNameResolutionMultipleResults" => "Multiple results were found.",
        "ErrorNameResolutionNoResults" => "No results were found.",
        "ErrorNonExistentMailbox" => "The SMTP address has no mailbox associated with it.",
        "ErrorQuotaExceeded" => "The folder's storage quota is exhausted.",
        "ErrorSchemaValidation" => "The request failed schema validation.",
        "ErrorServerBusy" => "The server cannot service this request right now. Try again later.",
        _ => "The request could not be completed.",
    }
}
